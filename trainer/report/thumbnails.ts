/** Small pictures for the report, as WebP data URIs of a few kilobytes. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import encode, { init } from '@jsquash/webp/encode.js';
import { HeadwaterError } from '../../src/errors.ts';
import type { ImageDecoder } from '../../src/image/index.ts';
import { readPictureFile } from '../codes/picture-file.ts';
import { FileError } from '../cli/failure.ts';

/** Longer side, pixels: sharp at the 150 CSS pixels that the page gives a thumbnail, on most screens. */
const SIDE = 240;
const WEBP_QUALITY = 70;

export interface Thumbnail {
  readonly uri: string;
  readonly width: number;
  readonly height: number;
}

/** Makes a thumbnail of a picture file; undefined when it is gone or cannot be decoded any more. */
export type Thumbnailer = (path: string) => Promise<Thumbnail | undefined>;

export async function createThumbnailer(decoder: ImageDecoder): Promise<Thumbnailer> {
  const wasm = createRequire(import.meta.url).resolve('@jsquash/webp/codec/enc/webp_enc_simd.wasm');
  await init(await WebAssembly.compile(await readFile(wasm)));
  return async (path) => {
    try {
      return await thumbnailOf((await readPictureFile(path)).bytes, decoder);
    } catch (error) {
      if (error instanceof HeadwaterError || error instanceof FileError) return undefined;
      throw error;
    }
  };
}

async function thumbnailOf(bytes: Uint8Array, decoder: ImageDecoder): Promise<Thumbnail> {
  const original = await decoder.decode(bytes, { width: 1, height: 1 });
  const scale = SIDE / Math.max(original.width, original.height);
  const [width, height] = [original.width, original.height].map((side) =>
    Math.max(1, Math.round(side * scale)),
  );
  const { pixels } = await decoder.decode(bytes, { width, height });
  const webp = await encode(toImageData(pixels, { width, height }), { quality: WEBP_QUALITY });
  return { uri: `data:image/webp;base64,${Buffer.from(webp).toString('base64')}`, width, height };
}

/** RGB → the browser's ImageData, which Node lacks. */
function toImageData(rgb: Uint8Array, { width, height }: { width: number; height: number }): ImageData {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    data.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
    data[i * 4 + 3] = 255;
  }
  return { data, width, height, colorSpace: 'srgb' };
}
