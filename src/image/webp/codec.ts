/**
 * libwebp in `@jsquash/webp`'s module, changed by scripts/build/codecs.ts, with a minimal stand-in for its Embind glue: the package's needs a global
 * ImageData, copies the pixels out of WASM memory, and is asynchronous. Only what the one function `decode(std::string)`
 * touches is there. The import names are the minified ones of version 1.5.0, in the order of its `wasmImports`.
 */
import { HeadwaterError } from '../../errors.ts';
import { type CodecPool, exported } from '../memory/codec-pool.ts';
import { corrupt, outOfMemory } from '../header.ts';
import { exportedStack, Library, type LibraryCodec } from '../memory/library.ts';
import type { Raster, RasterConsumer } from '../pixels/raster.ts';
import { coversCanvas, type WebpHeader } from './header.ts';
import type { WorkingMemory } from '../memory/working-memory.ts';

interface WebpCodec extends LibraryCodec {
  readonly memory: WebAssembly.Memory;
  readonly malloc: (...args: number[]) => number;
  /** Takes an Embind std::string (length, then bytes), gives an Embind handle: NULL_HANDLE for a failure. */
  readonly decode: (text: number) => number;
  /** Called during decode with the RGBA pixels, which are valid only then. */
  onPixels: (at: number, length: number) => void;
}

export type WebpDecoder = Library<WebpCodec>;

/** Embind's fixed handle for null, and any other one: handles are opaque to the module. */
const NULL_HANDLE = 2;
const SOME_HANDLE = 5;
/** Name of the bound function, as it stands in the module's memory. */
const DECODE = 'decode\0';

/** @param module build/wasm/webp.wasm, compiled. @param memories to work in. */
export function createWebpDecoder(
  module: WebAssembly.Module,
  memories: CodecPool<WorkingMemory>,
): WebpDecoder {
  return new Library(memories, (working) => instantiate(module, working));
}

const ignore = (): void => undefined;

function fail(): never {
  throw new Error('the decoder aborted');
}

function instantiate(module: WebAssembly.Module, working: WorkingMemory): WebpCodec {
  const { memory } = working;
  let decodeAt = { invoker: 0, target: 0 };
  const registerFunction = (
    ...[name, , , , invoker, target]: [number, number, number, number, number, number]
  ): void => {
    const registered = new TextDecoder('latin1').decode(new Uint8Array(memory.buffer, name, DECODE.length));
    if (registered === DECODE) decodeAt = { invoker, target };
  };
  // `new Uint8ClampedArray(view)` comes first, with one argument: a memory view (length, address); then `new ImageData(…)`.
  const newObject = (_class: number, argumentCount: number, _types: number, args: number): number => {
    if (argumentCount === 1) {
      const [length, at] = new Uint32Array(memory.buffer, args, 2);
      codec.onPixels(at, length);
    }
    return SOME_HANDLE;
  };
  const copy = (to: number, from: number, bytes: number): void => {
    new Uint8Array(memory.buffer).copyWithin(to, from, from + bytes);
  };
  const resizeHeap = (bytes: number): number => (working.growTo(bytes >>> 0) ? 1 : 0);
  const instance = new WebAssembly.Instance(module, {
    a: importsOf(registerFunction, newObject, copy, resizeHeap),
    host: working.imports,
  });
  const codec: WebpCodec = {
    memory,
    working,
    stack: exportedStack(instance),
    malloc: exported(instance, 'u'),
    decode: (text) => call(text),
    onPixels: ignore,
  };
  exported(instance, 't')(); // static constructors, which register the bindings
  const call = bound(instance, decodeAt.invoker, decodeAt.target);
  return codec;
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

/**
 * Decodes to RGBA and hands the result to `consume`.
 *
 * @throws image_corrupt for damaged data, image_too_many_pixels when decoding needs more memory than it may have.
 */
export function decodeWebp<T>(decoder: WebpDecoder, header: WebpHeader, consume: RasterConsumer<T>): T {
  return decoder.use((codec) => {
    let outcome: { readonly result: T } | undefined;
    const { frame } = header;
    codec.onPixels = (at, length) => {
      if (length !== 4 * frame.width * frame.height)
        throw corrupt('webp', 'its headers contradict each other');
      const data = new Uint8Array(codec.memory.buffer, at, length);
      const raster: Raster = { data, width: frame.width, height: frame.height, layout: 'rgba' };
      outcome = { result: consume(coversCanvas(header) ? raster : compose(raster, header)) };
    };
    const text = writeString(codec, header);
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

function refused(codec: WebpCodec, header: WebpHeader, cause?: unknown): HeadwaterError {
  const { width, height } = header;
  if (!codec.working.exhausted)
    return corrupt('webp', `its picture data is damaged or cut short (${width}×${height} pixels)`, cause);
  return outOfMemory('webp', header);
}

/** Puts the joined pieces into the module's memory as an Embind std::string. */
function writeString(codec: WebpCodec, header: WebpHeader): number {
  const { pieces } = header;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const text = codec.malloc(4 + length);
  if (text === 0) throw outOfMemory('webp', header);
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
