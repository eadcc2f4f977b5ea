/**
 * Pictures in, small upright RGB out: sniffed by magic bytes, checked against the caps from the header alone, decoded,
 * turned upright, squashed to the size that a backbone wants. The same bytes give the same pixels on every host.
 */
import { CodecPool } from './memory/codec-pool.ts';
import { type Decoded, jpegPixels, pngPixels, webpPixels } from './formats.ts';
import { checkFileSize } from './header.ts';
import { checkInputs, type ImageInput } from './input.ts';
import { createJpegDecoder } from './jpeg/codec.ts';
import { MAX_IDLE_WORKING_BYTES } from './limits.ts';
import { createPngDecoder } from './png/codec.ts';
import { asStored } from './pixels/raster.ts';
import { createResizer } from './pixels/resize.ts';
import { type ImageFormat, sniff } from './sniff.ts';
import { createWebpDecoder } from './webp/codec.ts';
import { type DecodeOptions, DecodingWork } from './work.ts';
import { WorkingMemory } from './memory/working-memory.ts';

export type { ImageInput, PixelRules } from './input.ts';
export type { Size } from './pixels/raster.ts';
export type { ImageFormat } from './sniff.ts';
export type { DecodeOptions } from './work.ts';

/** Compiled modules, handed in by the host. */
export interface ImageModules {
  /** build/wasm/jpeg.wasm */
  readonly jpeg: WebAssembly.Module;
  /** build/wasm/png.wasm */
  readonly png: WebAssembly.Module;
  /** build/wasm/webp.wasm */
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
   * @param input size of the result, each side 1…2048; the picture is squashed to it, not cropped. Rules 1 where absent.
   * @param options a bound on the work, and a pause in which other requests run; by default there is neither.
   * @throws HeadwaterError image_empty, image_too_large, image_too_many_pixels, image_format_unknown, image_corrupt;
   *   RangeError for an impossible input, which is a mistake in the calling code.
   */
  decode(bytes: Uint8Array, input: ImageInput, options?: DecodeOptions): Promise<DecodedImage>;
  /**
   * The same for several inputs at once: a JPEG is decoded once for each distinct scale that they want, PNG and WebP once
   * for all. Each result is byte for byte what `decode` gives for its input alone. Bounds on work and memory count all of
   * them, so that a picture just within them for one input may be beyond them for several.
   *
   * @param inputs at least one, best without repetitions; together at most 2048 × 2048 pixels.
   * @returns one for each input, in their order.
   */
  decodeAll(
    bytes: Uint8Array,
    inputs: readonly ImageInput[],
    options?: DecodeOptions,
  ): Promise<readonly DecodedImage[]>;
  /** @returns bytes of WASM memory that codecs and resizer hold between pictures, without what may be collected. */
  memoryBytes(): number;
  /** @returns the most bytes of WASM memory that any one of them has had so far. */
  peakMemoryBytes(): number;
}

type Decode = (bytes: Uint8Array, inputs: readonly ImageInput[], work: DecodingWork) => Promise<Decoded>;

/**
 * Creates a decoder. Codecs are made when first needed and kept; every image finds them as if it were the first.
 * @example
 * const decoder = createImageDecoder({ jpeg, png, webp, resize });
 * const { pixels } = await decoder.decode(photo, { height: 160, width: 160, rules: 2 });
 */
export function createImageDecoder(modules: ImageModules): ImageDecoder {
  const memories = new CodecPool(() => new WorkingMemory(), MAX_IDLE_WORKING_BYTES);
  const jpeg = createJpegDecoder(modules.jpeg, memories);
  const png = createPngDecoder(modules.png);
  const webp = createWebpDecoder(modules.webp, memories);
  const resizer = createResizer(modules.resize);
  const holders = [memories, png, resizer];
  const decoders: Record<ImageFormat, Decode> = {
    jpeg: (...picture) => jpegPixels(jpeg, resizer, ...picture),
    png: (...picture) => pngPixels(png, resizer, ...picture),
    webp: (...picture) => webpPixels(webp, resizer, ...picture),
  };
  const decodeAll: ImageDecoder['decodeAll'] = async (bytes, inputs, options) => {
    checkInputs(inputs);
    checkFileSize(bytes);
    const format = sniff(bytes);
    const { header, pixels } = await decoders[format](bytes, inputs, new DecodingWork(options));
    const { width, height } = asStored(header, header.orientation);
    return pixels.map((each) => ({ pixels: each, width, height, format }));
  };

  return {
    decodeAll,
    decode: async (bytes, input, options) => (await decodeAll(bytes, [input], options))[0],
    memoryBytes: () => holders.reduce((sum, holder) => sum + holder.memoryBytes(), 0),
    peakMemoryBytes: () => Math.max(...holders.map((holder) => holder.peakMemoryBytes())),
  };
}
