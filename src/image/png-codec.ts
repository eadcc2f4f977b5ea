/**
 * The Rust `png` decoder in `@jsquash/png`'s module, with glue of our own: the package's copies the pixels out of WASM
 * memory before anyone sees them, needs a global ImageData, and keeps one instance for ever, even after a panic.
 *
 * The decoder expands palettes, greys and transparency to 8-bit RGBA in place and strips 16-bit samples to their high byte.
 */
import { CodecSlot, exported, exportedMemory } from './codec.ts';
import { corrupt } from './header.ts';
import { COLOUR_GREY, COLOUR_RGBA, type PngHeader } from './png-header.ts';
import type { RasterConsumer } from './raster.ts';

interface PngCodec {
  readonly memory: WebAssembly.Memory;
  readonly malloc: (...args: number[]) => number;
  readonly free: (...args: number[]) => number;
  readonly decode: (...args: number[]) => number;
  /** Called by the module with its finished pixels, which lie at `at` and are ours to free. */
  onPixels: (at: number, length: number, width: number, height: number) => void;
}

export type PngDecoder = CodecSlot<PngCodec>;

/** Imports of the module by the stable part of their names; wasm-bindgen appends a hash. */
const NEW_IMAGE_DATA = /^__wbg_newwithownedu8clampedarrayandsh_/;

/** @param module `@jsquash/png/codec/pkg/squoosh_png_bg.wasm`, compiled. */
export function createPngDecoder(module: WebAssembly.Module): PngDecoder {
  return new CodecSlot(() => instantiate(module));
}

function instantiate(module: WebAssembly.Module): PngCodec {
  const imports: Record<string, (...args: number[]) => number> = {};
  for (const { name } of WebAssembly.Module.imports(module)) {
    imports[name] = () => {
      throw new Error(`the decoder called ${name}`);
    };
  }
  const newImageData = Object.keys(imports).find((name) => NEW_IMAGE_DATA.test(name));
  if (newImageData === undefined)
    throw new TypeError('The PNG module does not hand out its pixels as expected');
  imports[newImageData] = (at, length, width, height) => {
    codec.onPixels(at >>> 0, length >>> 0, width >>> 0, height >>> 0);
    return 0;
  };
  const instance = new WebAssembly.Instance(module, { wbg: imports });
  const codec: PngCodec = {
    memory: exportedMemory(instance, 'memory'),
    malloc: exported(instance, '__wbindgen_malloc'),
    free: exported(instance, '__wbindgen_free'),
    decode: exported(instance, 'decode'),
    onPixels: () => undefined,
  };
  return codec;
}

/**
 * @returns bytes that the codec will allocate: the file, its own expansion to 8 bits, then RGBA, with what its allocator
 *   wastes on the way. Measured on 3- and 12-megapixel pictures: 4.6 bytes a pixel for RGBA, 5.6 for grey, 9.5 for RGB
 *   and palettes (grey with alpha is taken as RGB's). 16 bits are stripped row by row.
 */
export function pngCodecBytes({ width, height, colour, transparency, pieces }: PngHeader): number {
  const opaque = transparency.length === 0;
  const bytesPerPixel = colour === COLOUR_RGBA ? 5 : colour === COLOUR_GREY && opaque ? 6 : 10;
  return bytesPerPixel * width * height + pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/**
 * Decodes to RGBA and hands the result to `consume`.
 *
 * @throws image_corrupt for damaged data.
 */
export function decodePng<T>(decoder: PngDecoder, header: PngHeader, consume: RasterConsumer<T>): T {
  return decoder.use((codec) => {
    const length = header.pieces.reduce((sum, piece) => sum + piece.length, 0);
    const pixels = callDecoder(codec, header, length);
    const { width, height } = header;
    if (pixels.length !== 4 * width * height) throw corrupt('png', 'its headers contradict each other');
    const data = new Uint8Array(codec.memory.buffer, pixels.at, pixels.length);
    const result = consume({ data, width, height, layout: 'rgba' });
    codec.free(pixels.at, pixels.length, 1);
    return result;
  });
}

/** The module frees its input itself. Its panics carry no text, only a trap. */
function callDecoder(codec: PngCodec, header: PngHeader, length: number): { at: number; length: number } {
  let pixels: { at: number; length: number } | undefined;
  try {
    const file = codec.malloc(length, 1) >>> 0;
    let at = file;
    for (const piece of header.pieces) {
      new Uint8Array(codec.memory.buffer).set(piece, at);
      at += piece.length;
    }
    codec.onPixels = (at, length) => {
      pixels = { at, length };
    };
    codec.decode(file, length);
  } catch (error) {
    throw corrupt(
      'png',
      `its picture data is damaged (${length} bytes, ${header.width}×${header.height} pixels)`,
      error,
    );
  }
  if (pixels === undefined) throw corrupt('png', 'the decoder gave no pixels');
  return pixels;
}
