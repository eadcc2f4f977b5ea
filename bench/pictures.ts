/**
 * The pictures that everything is measured on, made from a photo of MobileNetV3-Small's package: a small JPEG of the
 * size that web pages use, and one as a phone takes it, 12 megapixels and about 3 MB. The same bytes on every machine.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createImageDecoder, type ImageDecoder, type Size } from '../src/image/index.ts';
import { createResizer } from '../src/image/pixels/resize.ts';
import { shippedPictures } from '../scripts/demo/pictures.ts';
import { root } from '../scripts/build/stale.ts';
import { built, peerFile, wasmOf } from './peers/load.ts';

export interface JpegPicture extends Size {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Recipe extends Size {
  readonly name: string;
  readonly quality: number;
  /** Half the range of the grain, in steps of 1/255. An enlarged photo alone would have nothing to code. */
  readonly grain: number;
}

const RECIPES: readonly Recipe[] = [
  { name: '500×375', width: 500, height: 375, quality: 85, grain: 0 },
  { name: '4000×3000', width: 4000, height: 3000, quality: 90, grain: 12 },
];

const ENCODER = '@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm';

export function createDecoder(): ImageDecoder {
  return createImageDecoder({
    jpeg: built('jpeg'),
    png: built('png'),
    webp: built('webp'),
    resize: built('resize'),
  });
}

/** Makes the pictures, or reads them where an earlier run has made them. */
export async function benchPictures(): Promise<readonly [small: JpegPicture, large: JpegPicture]> {
  const [small, large] = RECIPES;
  return [await picture(small), await picture(large)];
}

async function picture(recipe: Recipe): Promise<JpegPicture> {
  const { name, width, height, quality, grain } = recipe;
  const file = join(root, 'build/bench/pictures', `${width}x${height}-q${quality}-g${grain}.jpg`);
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, await make(recipe));
  }
  return { name, width, height, bytes: new Uint8Array(readFileSync(file)) };
}

async function make({ width, height, quality, grain }: Recipe): Promise<Uint8Array> {
  const [{ path }] = (await shippedPictures(root)).unseen;
  const photo = await createDecoder().decode(readFileSync(path), { width: 1024, height: 768 });
  const raster = { data: photo.pixels, width: 1024, height: 768, layout: 'rgb' } as const;
  const [pixels] = createResizer(built('resize')).resize(raster, 1, [{ width, height }]);
  const { default: encode, init } = await import('@jsquash/jpeg/encode.js');
  await init(wasmOf(peerFile(ENCODER)));
  const data = withGrain(pixels, grain);
  return new Uint8Array(await encode({ data, width, height }, { quality, progressive: false }));
}

/** RGB → RGBA with the same grey noise in all three channels, from a linear congruential generator. */
function withGrain(pixels: Uint8Array, grain: number): Uint8ClampedArray {
  const out = new Uint8ClampedArray((pixels.length / 3) * 4);
  let state = 1;
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const noise = (state / 2 ** 31 - 1) * grain;
    for (let c = 0; c < 3; c++) out[to + c] = pixels[from + c] + noise;
    out[to + 3] = 255;
  }
  return out;
}
