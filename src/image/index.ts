/**
 * Pictures in, small upright RGB out: sniffed by magic bytes, checked against the caps from the header alone, decoded,
 * turned upright, squashed to the size that a backbone wants. The same bytes give the same pixels on every host.
 */
import { checkFileSize, type Header } from './header.ts';
import { createJpegDecoder, decodeJpeg, type JpegDecoder } from './jpeg-codec.ts';
import { checkJpegMemory, checkJpegWork, readJpegHeader } from './jpeg-header.ts';
import { chooseScale } from './jpeg-scale.ts';
import { MAX_TARGET_SIDE } from './limits.ts';
import { createPngDecoder, type PngDecoder } from './png-codec.ts';
import { checkPngSize, decodePng, pngMemory } from './png-decode.ts';
import { readPngHeader } from './png-header.ts';
import type { Size } from './raster.ts';
import { createResizer, type Resizer } from './resize.ts';
import { type ImageFormat, sniff } from './sniff.ts';
import { createWebpDecoder, decodeWebp, type WebpDecoder } from './webp-codec.ts';
import { readWebpHeader } from './webp-header.ts';
import { type DecodeOptions, DecodingWork } from './work.ts';

export type { Size } from './raster.ts';
export type { ImageFormat } from './sniff.ts';
export type { DecodeOptions } from './work.ts';

/** Compiled modules, handed in by the host. */
export interface ImageModules {
  /** `@cwasm/jpeg-turbo/jpeg-turbo.wasm` */
  readonly jpeg: WebAssembly.Module;
  /** build/wasm/png.wasm */
  readonly png: WebAssembly.Module;
  /** `@jsquash/webp/codec/dec/webp_dec.wasm` */
  readonly webp: WebAssembly.Module;
  /** build/wasm/resize.wasm */
  readonly resize: WebAssembly.Module;
}

export interface DecodedImage {
  /** size.height × size.width × 3 bytes, RGB, rows from the top. */
  readonly pixels: Uint8Array;
  /** Of the original picture, after orientation, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly format: ImageFormat;
}

export interface ImageDecoder {
  /**
   * @param bytes the file, left untouched.
   * @param size of the result, each side 1…2048; the picture is squashed to it, not cropped.
   * @param options a bound on the work, and a pause in which other requests run; by default there is neither.
   * @throws HeadwaterError image_empty, image_too_large, image_too_many_pixels, image_format_unknown, image_corrupt;
   *   RangeError for an impossible size, which is a mistake in the calling code.
   */
  decode(bytes: Uint8Array, size: Size, options?: DecodeOptions): Promise<DecodedImage>;
  /** @returns bytes of WASM memory that codecs and resizer hold between pictures. */
  memoryBytes(): number;
  /** @returns the most bytes of WASM memory that any one of them has had so far. */
  peakMemoryBytes(): number;
}

/** A byte of a file of which nothing but its structure is read; the dearest is a JPEG of markers that are none. */
const HEADER_BYTE_NS = 9;

type Decode = (bytes: Uint8Array, size: Size, work: DecodingWork) => DecodedImage | Promise<DecodedImage>;

/** Creates a decoder; codecs are made when first needed, and kept so that a picture finds them as if it were the first. */
export function createImageDecoder(modules: ImageModules): ImageDecoder {
  const jpeg = createJpegDecoder(modules.jpeg);
  const png = createPngDecoder(modules.png);
  const webp = createWebpDecoder(modules.webp);
  const resizer = createResizer(modules.resize);
  const holders = [jpeg, png, webp, resizer];
  const decoders: Record<ImageFormat, Decode> = {
    jpeg: (bytes, size, work) => jpegImage(jpeg, resizer, bytes, size, work),
    png: (bytes, size, work) => pngImage(png, resizer, bytes, size, work),
    webp: (bytes, size, work) => webpImage(webp, resizer, bytes, size, work),
  };

  return {
    async decode(bytes, size, options) {
      checkSize(size);
      checkFileSize(bytes);
      return decoders[sniff(bytes)](bytes, size, new DecodingWork(options));
    },
    memoryBytes: () => holders.reduce((sum, holder) => sum + holder.memoryBytes(), 0),
    peakMemoryBytes: () => Math.max(...holders.map((holder) => holder.peakMemoryBytes())),
  };
}

/** What a file cost that is refused is told, too: in those that are decoded it is a part of their work. */
function readHeader<H extends Header>(
  read: (bytes: Uint8Array) => H,
  bytes: Uint8Array,
  work: DecodingWork,
): H {
  try {
    return read(bytes);
  } catch (error) {
    work.allow(bytes.length * HEADER_BYTE_NS);
    throw error;
  }
}

function jpegImage(
  decoder: JpegDecoder,
  resizer: Resizer,
  bytes: Uint8Array,
  size: Size,
  work: DecodingWork,
): DecodedImage {
  const header = readHeader(readJpegHeader, bytes, work);
  const turned = header.orientation >= 5;
  const n = turned
    ? chooseScale(header, size.height, size.width)
    : chooseScale(header, size.width, size.height);
  checkJpegMemory(header, bytes.length, n);
  work.allow(checkJpegWork(header, n));
  const pixels = decodeJpeg(decoder, bytes, header, n, (raster) =>
    resizer.resize(raster, header.orientation, size),
  );
  return describe('jpeg', header, pixels);
}

async function pngImage(
  decoder: PngDecoder,
  resizer: Resizer,
  bytes: Uint8Array,
  size: Size,
  work: DecodingWork,
): Promise<DecodedImage> {
  const header = readHeader(readPngHeader, bytes, work);
  checkPngSize(header);
  work.allow(header.work);
  const decode = (): Promise<Uint8Array> => decodePng(decoder, header, resizer, size, work);
  // An interlaced one is done before anybody else begins.
  const pixels = await (header.interlaced ? decode() : work.hold(pngMemory(header, size), decode));
  return describe('png', header, pixels);
}

function webpImage(
  decoder: WebpDecoder,
  resizer: Resizer,
  bytes: Uint8Array,
  size: Size,
  work: DecodingWork,
): DecodedImage {
  const header = readHeader(readWebpHeader, bytes, work);
  work.allow(header.work);
  const pixels = decodeWebp(decoder, header, (raster) => resizer.resize(raster, header.orientation, size));
  return describe('webp', header, pixels);
}

function checkSize({ width, height }: Size): void {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > MAX_TARGET_SIDE) {
      throw new RangeError(
        `A picture can be resized to whole sides of 1…${MAX_TARGET_SIDE} pixels, not ${width}×${height}`,
      );
    }
  }
}

function describe(
  format: ImageFormat,
  { width, height, orientation }: Header,
  pixels: Uint8Array,
): DecodedImage {
  return orientation >= 5
    ? { pixels, width: height, height: width, format }
    : { pixels, width, height, format };
}
