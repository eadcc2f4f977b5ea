/**
 * libwebp in `@jsquash/webp`'s module, with a minimal stand-in for its Embind glue: the package's needs a global
 * ImageData, copies the pixels out of WASM memory, and is asynchronous. Only what the one function `decode(std::string)`
 * touches is there. The import names are the minified ones of version 1.5.0, in the order of its `wasmImports`.
 */
import { HeadwaterError } from '../errors.ts';
import { type Codec, CodecSlot, exported, exportedMemory } from './codec.ts';
import { corrupt } from './header.ts';
import { MAX_IDLE_GROWTH_BYTES, MAX_WORKING_BYTES } from './limits.ts';
import type { Raster, RasterConsumer } from './raster.ts';
import { coversCanvas, type WebpHeader } from './webp-header.ts';

interface WebpCodec extends Codec {
  readonly malloc: (...args: number[]) => number;
  /** Takes an Embind std::string (length, then bytes), gives an Embind handle: NULL_HANDLE for a failure. */
  readonly decode: (text: number) => number;
  /** Called during decode with the RGBA pixels, which are valid only then. */
  onPixels: (at: number, length: number) => void;
  /** Whether the module asked for more memory than it may have. */
  exhausted: boolean;
}

export type WebpDecoder = CodecSlot<WebpCodec>;

/** Embind's fixed handle for null, and any other one: handles are opaque to the module. */
const NULL_HANDLE = 2;
const SOME_HANDLE = 5;
/** Name of the bound function, as it stands in the module's memory. */
const DECODE = 'decode\0';
const WASM_PAGE_BYTES = 65_536;
/** Static data and stack lie below the first, a block of the second size above what was allocated so far. */
const STATIC_BYTES = 131_072;
const PROBE_BYTES = 262_144;

/** @param module `@jsquash/webp/codec/dec/webp_dec.wasm`, compiled. */
export function createWebpDecoder(module: WebAssembly.Module): WebpDecoder {
  return new CodecSlot(() => instantiate(module), MAX_IDLE_GROWTH_BYTES);
}

const ignore = (): void => undefined;

function fail(): never {
  throw new Error('the decoder aborted');
}

function instantiate(module: WebAssembly.Module): WebpCodec {
  let decodeAt = { invoker: 0, target: 0 };
  const registerFunction = (
    ...[name, , , , invoker, target]: [number, number, number, number, number, number]
  ): void => {
    const registered = new TextDecoder('latin1').decode(
      new Uint8Array(codec.memory.buffer, name, DECODE.length),
    );
    if (registered === DECODE) decodeAt = { invoker, target };
  };
  // `new Uint8ClampedArray(view)` comes first, with one argument: a memory view (length, address); then `new ImageData(…)`.
  const newObject = (_class: number, argumentCount: number, _types: number, args: number): number => {
    if (argumentCount === 1) {
      const [length, at] = new Uint32Array(codec.memory.buffer, args, 2);
      codec.onPixels(at, length);
    }
    return SOME_HANDLE;
  };
  const copy = (to: number, from: number, bytes: number): void => {
    new Uint8Array(codec.memory.buffer).copyWithin(to, from, from + bytes);
  };
  const resizeHeap = (bytes: number): number => (growTo(codec, bytes >>> 0) ? 1 : 0);
  const instance = new WebAssembly.Instance(module, {
    a: importsOf(registerFunction, newObject, copy, resizeHeap),
  });
  const memory = exportedMemory(instance, 's');
  const codec: WebpCodec = {
    memory,
    usedBytes: () => used(),
    malloc: exported(instance, 'u'),
    decode: (text) => call(text),
    onPixels: ignore,
    exhausted: false,
  };
  exported(instance, 't')(); // static constructors, which register the bindings
  const call = bound(instance, decodeAt.invoker, decodeAt.target);
  const used = findUsedBytes(codec, exported(instance, 'v'));
  return codec;
}

/**
 * The module starts with 16 MiB, most of which no picture touches: 1.2 ms to clear. Its `sbrk` keeps the end of all that it
 * has ever given out in a static word: of the words that a large block moves, the one with the largest value.
 *
 * @returns a function that reads it.
 */
function findUsedBytes({ memory, malloc }: WebpCodec, free: (at: number) => number): () => number {
  const words = new Uint32Array(memory.buffer, 0, STATIC_BYTES / 4);
  const before = words.slice();
  const block = malloc(PROBE_BYTES);
  let found = 0;
  for (let i = 0; i < words.length; i++)
    if (before[i] > 0 && words[i] > before[i] && words[i] > words[found]) found = i;
  if (words[found] < block + PROBE_BYTES || words[found] > block + 2 * PROBE_BYTES)
    throw new TypeError('The WebP module does not allocate its memory as expected');
  free(block);
  return () => new Uint32Array(memory.buffer)[found];
}

/** The minified names, with what each stands for in the package's own glue. */
function importsOf(
  registerFunction: (...args: [number, number, number, number, number, number]) => void,
  newObject: (...args: [number, number, number, number]) => number,
  copy: (to: number, from: number, bytes: number) => void,
  resizeHeap: (bytes: number) => number,
): Record<string, WebAssembly.ImportValue> {
  return {
    a: ignore, // _embind_register_memory_view
    b: ignore, // _embind_register_integer
    c: registerFunction, // _embind_register_function
    d: ignore, // _emval_decref
    e: () => SOME_HANDLE, // _emval_get_global
    f: ignore, // _embind_register_std_wstring
    g: ignore, // _embind_register_std_string
    h: newObject, // _emval_new
    i: ignore, // _emval_incref
    j: fail, // abort
    k: ignore, // _embind_register_float
    l: ignore, // _embind_register_bool
    m: ignore, // _embind_register_void
    n: fail, // __cxa_throw
    o: ignore, // _embind_register_bigint
    p: resizeHeap, // emscripten_resize_heap
    q: copy, // emscripten_memcpy_big
    r: ignore, // _embind_register_emval
  };
}

/** Embind calls a C++ function through an invoker that takes the function's own index first. */
function bound(instance: WebAssembly.Instance, invoker: number, target: number): (text: number) => number {
  const table = instance.exports['y'];
  const call: unknown = table instanceof WebAssembly.Table ? table.get(invoker) : undefined;
  if (!isInvoker(call))
    throw new TypeError('The WebP module does not register its decode function as expected');
  return (text) => call(target, text);
}

function isInvoker(value: unknown): value is (target: number, text: number) => number {
  return typeof value === 'function';
}

/** Grows by just what is asked for, within the cap: lossless files can make libwebp ask for any amount of Huffman tables. */
function growTo(codec: WebpCodec, bytes: number): boolean {
  const now = codec.memory.buffer.byteLength;
  if (bytes > MAX_WORKING_BYTES) {
    codec.exhausted = true;
    return false;
  }
  if (bytes > now) codec.memory.grow(Math.ceil((bytes - now) / WASM_PAGE_BYTES));
  return true;
}

/**
 * Decodes to RGBA and hands the result to `consume`.
 *
 * @throws image_corrupt for damaged data, image_too_many_pixels when decoding needs more memory than it may have.
 */
export function decodeWebp<T>(decoder: WebpDecoder, header: WebpHeader, consume: RasterConsumer<T>): T {
  return decoder.use((codec) => {
    let outcome: { readonly result: T } | undefined;
    const { frame } = header;
    codec.exhausted = false;
    codec.onPixels = (at, length) => {
      if (length !== 4 * frame.width * frame.height)
        throw corrupt('webp', 'its headers contradict each other');
      const data = new Uint8Array(codec.memory.buffer, at, length);
      const raster: Raster = { data, width: frame.width, height: frame.height, layout: 'rgba' };
      outcome = { result: consume(coversCanvas(header) ? raster : compose(raster, header)) };
    };
    const text = writeString(codec, header.pieces);
    const handle = run(codec, text, header);
    if (outcome === undefined || handle === NULL_HANDLE) throw refused(codec, header);
    return outcome.result;
  });
}

function run(codec: WebpCodec, text: number, header: WebpHeader): number {
  try {
    return codec.decode(text);
  } catch (error) {
    if (error instanceof HeadwaterError) throw error;
    throw refused(codec, header, error);
  }
}

function refused(codec: WebpCodec, { width, height }: WebpHeader, cause?: unknown): HeadwaterError {
  if (!codec.exhausted)
    return corrupt('webp', `its picture data is damaged or cut short (${width}×${height} pixels)`, cause);
  const limit = Math.floor(MAX_WORKING_BYTES / 1e6);
  return new HeadwaterError(
    'image_too_many_pixels',
    `Decoding this WEBP of ${width}×${height} pixels needs more than ${limit} MB of memory. Scale it down.`,
  );
}

/** Puts the joined pieces into the module's memory as an Embind std::string. */
function writeString(codec: WebpCodec, pieces: readonly Uint8Array[]): number {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const text = codec.malloc(4 + length);
  if (text === 0)
    throw new HeadwaterError('image_too_large', `The WebP decoder could not get ${length} bytes of memory.`);
  new DataView(codec.memory.buffer).setUint32(text, length, true);
  const memory = new Uint8Array(codec.memory.buffer);
  let at = text + 4;
  for (const piece of pieces) {
    memory.set(piece, at);
    at += piece.length;
  }
  return text;
}

/** Puts an animation's first frame on its transparent canvas. */
function compose(raster: Raster, { frame, width, height }: WebpHeader): Raster {
  const data = new Uint8Array(4 * width * height);
  for (let y = 0; y < frame.height; y++) {
    const row = raster.data.subarray(4 * y * frame.width, 4 * (y + 1) * frame.width);
    data.set(row, 4 * ((y + frame.y) * width + frame.x));
  }
  return { data, width, height, layout: 'rgba' };
}
