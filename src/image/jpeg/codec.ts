/**
 * libjpeg-turbo through its TurboJPEG calls (`@cwasm/jpeg-turbo`'s module, changed by scripts/build/codecs.ts). The picture is
 * scaled down inside the inverse DCT, so that a 12-megapixel photo takes a few MB instead of 37.
 *
 * The module stubs setjmp: a fatal error surfaces as our exception from `longjmp`.
 * Warnings come back as −1 with all rows written. libjpeg writes only the first one's text, into a static buffer: the level
 * of its log is set so that it writes all, over each other, and its table of texts changed so that a harmless one is empty.
 */
import { HeadwaterError } from '../../errors.ts';
import { type CodecPool, exported } from '../memory/codec-pool.ts';
import { corrupt, outOfMemory } from '../header.ts';
import type { JpegHeader } from './header.ts';
import { scaledSide } from './scale.ts';
import { exportedStack, Library, type LibraryCodec } from '../memory/library.ts';
import type { RasterConsumer } from '../pixels/raster.ts';
import { PAGE_BYTES, STATIC_PAGES, type WorkingMemory } from '../memory/working-memory.ts';

/** turbojpeg.h: enum TJPF. */
const TJPF_RGB = 0;
const TJPF_CMYK = 11;
/** turbojpeg.c: JMSG_LENGTH_MAX, and the text the buffer starts with. */
const ERROR_TEXT_BYTES = 200;
const ERROR_TEXT_INITIAL = 'No error\0';
/**
 * jpeglib.h: the handle's pointer to its error manager (after tjinstance's compressor), and that one's log level, table
 * of texts and last message, bytes. At this level libjpeg formats every message.
 */
const ERROR_MANAGER_AT = 376;
const LOG_LEVEL_AT = 104;
const TEXTS_AT = 112;
const LAST_MESSAGE_AT = 116;
const LOG_ALL = 3;
/** jerror.h of libjpeg 6b with libjpeg-turbo's additions: errors come first, then notices, then warnings. */
const MESSAGES = 126;
const FIRST_NOTE = 75;
const FIRST_WARNING = 114;

/**
 * Warnings that leave every pixel as it was encoded; the rest mean lost data. Stray bytes between segments are common
 * in files that cameras and editors wrote.
 */
const HARMLESS = [
  /extraneous bytes before marker/,
  /^Warning: unknown JFIF/,
  /^Unknown Adobe/,
  /bad ICC marker/,
  /^Invalid SOS parameters/,
];

interface JpegCodec extends LibraryCodec {
  readonly memory: WebAssembly.Memory;
  readonly errorText: number;
  readonly tj: number;
  readonly malloc: (...args: number[]) => number;
  readonly decompressHeader: (...args: number[]) => number;
  readonly decompress: (...args: number[]) => number;
}

class JpegFatal extends Error {}

export type JpegDecoder = Library<JpegCodec>;

/** @param module build/wasm/jpeg.wasm, compiled. @param memories to work in. */
export function createJpegDecoder(
  module: WebAssembly.Module,
  memories: CodecPool<WorkingMemory>,
): JpegDecoder {
  return new Library(memories, (working) => instantiate(module, working));
}

const none = (): number => 0;

function die(): never {
  throw new JpegFatal();
}

function instantiate(module: WebAssembly.Module, working: WorkingMemory): JpegCodec {
  const instance = new WebAssembly.Instance(module, {
    host: working.imports,
    env: { setjmp: none, longjmp: die },
    wasi_snapshot_preview1: {
      environ_sizes_get: none,
      environ_get: none,
      proc_exit: die,
      fd_close: die,
      fd_seek: die,
      fd_write: die,
    },
  });
  const { memory } = working;
  const errorText = findErrorText(memory);
  const malloc = exported(instance, 'malloc');
  const tj = exported(instance, 'tjInitDecompress')();
  hearAllWarnings(memory, tj, malloc);
  return {
    memory,
    working,
    stack: exportedStack(instance),
    errorText,
    tj,
    malloc,
    decompressHeader: exported(instance, 'tjDecompressHeader3'),
    decompress: exported(instance, 'tjDecompress2'),
  };
}

/** The buffer is the last "No error" in the fresh data segment (the C library has another one before it). */
function findErrorText(memory: WebAssembly.Memory): number {
  const fixed = new Uint8Array(memory.buffer, 0, STATIC_PAGES * PAGE_BYTES);
  const at = new TextDecoder('latin1').decode(fixed).lastIndexOf(ERROR_TEXT_INITIAL);
  if (at === -1) throw new TypeError('The JPEG module has no error text buffer');
  return at;
}

/**
 * Empty texts end the buffer at its start and leave the rest of it; the others begin with a space, so that one which
 * an empty one follows is still whole from its second character on.
 */
function hearAllWarnings(memory: WebAssembly.Memory, tj: number, malloc: JpegCodec['malloc']): void {
  const manager = new DataView(memory.buffer).getUint32(tj + ERROR_MANAGER_AT, true);
  const last = new DataView(memory.buffer).getUint32(manager + LAST_MESSAGE_AT, true);
  if (last !== MESSAGES - 1) throw new TypeError('The JPEG module has other messages than expected');
  const oldTable = new DataView(memory.buffer).getUint32(manager + TEXTS_AT, true);
  const table = malloc(4 * MESSAGES);
  for (let code = 0; code < MESSAGES; code++) {
    const old = new DataView(memory.buffer).getUint32(oldTable + 4 * code, true);
    const text = readText(memory, old);
    const isNote = code >= FIRST_NOTE && code < FIRST_WARNING;
    const isSilent = isNote || HARMLESS.some((pattern) => pattern.test(text));
    const copy = Uint8Array.from(isSilent ? '\0' : ` ${text}\0`, (character) => character.charCodeAt(0));
    const at = malloc(copy.length);
    new Uint8Array(memory.buffer).set(copy, at);
    new DataView(memory.buffer).setUint32(table + 4 * code, at, true);
  }
  new DataView(memory.buffer).setUint32(manager + TEXTS_AT, table, true);
  new DataView(memory.buffer).setUint32(manager + LOG_LEVEL_AT, LOG_ALL, true);
}

/** @returns the C string at an address. */
function readText(memory: WebAssembly.Memory, at: number): string {
  const text = new Uint8Array(memory.buffer, at, ERROR_TEXT_BYTES);
  return new TextDecoder('latin1').decode(text.subarray(0, text.indexOf(0)));
}

/** @returns the last error or warning that isn't harmless, if any. */
function readErrorText({ memory, errorText }: JpegCodec): string {
  const overwritten = new Uint8Array(memory.buffer)[errorText] === 0;
  return readText(memory, errorText + (overwritten ? 1 : 0)).trim();
}

/**
 * Decodes at n/8 of the size and hands the result to `consume`.
 *
 * @param header of the same bytes, already checked against the caps.
 * @throws image_corrupt for damaged or truncated data.
 */
export function decodeJpeg<T>(
  decoder: JpegDecoder,
  bytes: Uint8Array,
  header: JpegHeader,
  n: number,
  consume: RasterConsumer<T>,
): T {
  return decoder.use((codec) => {
    const width = scaledSide(header.width, n);
    const height = scaledSide(header.height, n);
    const cmyk = header.components === 4;
    const length = width * height * (cmyk ? 4 : 3);
    const file = allocate(codec, bytes.length, header);
    new Uint8Array(codec.memory.buffer).set(bytes, file);
    const pixels = allocate(codec, length, header);
    runTurbo(codec, bytes.length, header, () => {
      checkSameHeader(codec, file, bytes.length, header);
      return codec.decompress(
        codec.tj,
        file,
        bytes.length,
        pixels,
        width,
        0,
        height,
        cmyk ? TJPF_CMYK : TJPF_RGB,
        0,
      );
    });
    const data = new Uint8Array(codec.memory.buffer, pixels, length);
    const covered = { width: (header.width * n) / 8, height: (header.height * n) / 8 };
    return consume({ data, width, height, layout: cmyk ? 'cmyk-inverted' : 'rgb', covered });
  });
}

function allocate(codec: JpegCodec, bytes: number, header: JpegHeader): number {
  const at = codec.malloc(bytes);
  if (at === 0) throw outOfMemory('jpeg', header);
  return at;
}

/** Runs a TurboJPEG call, turning fatal errors and harmful warnings into image_corrupt with libjpeg's own words. */
function runTurbo(codec: JpegCodec, fileBytes: number, header: JpegHeader, call: () => number): void {
  new Uint8Array(codec.memory.buffer, codec.errorText, ERROR_TEXT_BYTES).fill(0);
  const size = `${fileBytes} bytes, ${header.width}×${header.height} pixels`;
  let status: number;
  try {
    status = call();
  } catch (error) {
    if (error instanceof HeadwaterError) throw error;
    if (codec.working.exhausted) throw outOfMemory('jpeg', header);
    throw corrupt('jpeg', `the decoder stopped with "${readErrorText(codec)}" (${size})`, error);
  }
  if (status === 0) return;
  const text = readErrorText(codec);
  if (text === '') return;
  throw corrupt('jpeg', `it is damaged or cut short; the decoder says "${text}" (${size})`);
}

/** The memory estimate rests on our reading of the header, so libjpeg must have read the same. */
function checkSameHeader(codec: JpegCodec, file: number, length: number, header: JpegHeader): void {
  const out = allocate(codec, 12, header);
  const unused = out + 8;
  codec.decompressHeader(codec.tj, file, length, out, out + 4, unused, unused);
  const [width, height] = new Int32Array(codec.memory.buffer, out, 2);
  if (width !== header.width || height !== header.height)
    throw corrupt('jpeg', 'its headers contradict each other');
}
