/**
 * libjpeg-turbo through its TurboJPEG calls (`@cwasm/jpeg-turbo`'s module; its own glue needs `fs`). The picture is
 * scaled down inside the inverse DCT, so that a 12-megapixel photo takes a few MB instead of 37.
 *
 * The module stubs setjmp: a fatal error surfaces as our exception from `longjmp`, after which the instance is unusable.
 * Warnings come back as −1 with all rows written; their text stands in a static buffer that is found once at start.
 */
import { HeadwaterError } from '../errors.ts';
import { type Codec, CodecSlot, exported, exportedMemory } from './codec.ts';
import { corrupt } from './header.ts';
import { type JpegHeader, scaledSide } from './jpeg-header.ts';
import { JPEG_HEAP_BYTES } from './limits.ts';
import type { RasterConsumer } from './raster.ts';

/** turbojpeg.h: enum TJPF. */
const TJPF_RGB = 0;
const TJPF_CMYK = 11;
/** turbojpeg.c: JMSG_LENGTH_MAX, and the text the buffer starts with. */
const ERROR_TEXT_BYTES = 200;
const ERROR_TEXT_INITIAL = 'No error\0';

/**
 * Warnings that leave every pixel as it was encoded; the rest mean lost data. Stray bytes between segments are common
 * in files that cameras and editors wrote.
 */
const HARMLESS = [
  /extraneous bytes before marker/,
  /^Warning: unknown JFIF/,
  /^Unknown Adobe/,
  /ICC marker/,
  /^Invalid SOS parameters/,
];

interface JpegCodec extends Codec {
  readonly errorText: number;
  readonly tj: number;
  readonly malloc: (...args: number[]) => number;
  readonly free: (...args: number[]) => number;
  readonly decompressHeader: (...args: number[]) => number;
  readonly decompress: (...args: number[]) => number;
}

class JpegFatal extends Error {}

export type JpegDecoder = CodecSlot<JpegCodec>;

/** @param module `@cwasm/jpeg-turbo/jpeg-turbo.wasm`, compiled. */
export function createJpegDecoder(module: WebAssembly.Module): JpegDecoder {
  return new CodecSlot(() => instantiate(module), 0);
}

const none = (): number => 0;

function die(): never {
  throw new JpegFatal();
}

function instantiate(module: WebAssembly.Module): JpegCodec {
  const instance = new WebAssembly.Instance(module, {
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
  const memory = exportedMemory(instance, 'memory');
  const errorText = findErrorText(memory);
  const malloc = exported(instance, 'malloc');
  const free = exported(instance, 'free');
  const tj = exported(instance, 'tjInitDecompress')();
  free(malloc(JPEG_HEAP_BYTES));
  return {
    memory,
    usedBytes: () => memory.buffer.byteLength,
    errorText,
    tj,
    malloc,
    free,
    decompressHeader: exported(instance, 'tjDecompressHeader3'),
    decompress: exported(instance, 'tjDecompress2'),
  };
}

/** The buffer is the last "No error" in the fresh data segment (the C library has another one before it). */
function findErrorText(memory: WebAssembly.Memory): number {
  const at = new TextDecoder('latin1').decode(memory.buffer).lastIndexOf(ERROR_TEXT_INITIAL);
  if (at < 0) throw new TypeError('The JPEG module has no error text buffer');
  return at;
}

function readErrorText({ memory, errorText }: JpegCodec): string {
  const text = new Uint8Array(memory.buffer, errorText, ERROR_TEXT_BYTES);
  const end = text.indexOf(0);
  return new TextDecoder('latin1').decode(text.subarray(0, end < 0 ? text.length : end));
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
    const file = allocate(codec, bytes.length);
    new Uint8Array(codec.memory.buffer).set(bytes, file);
    const pixels = allocate(codec, length);
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
    const result = consume({ data, width, height, layout: cmyk ? 'cmyk-inverted' : 'rgb', covered });
    codec.free(pixels);
    codec.free(file);
    return result;
  });
}

function allocate(codec: JpegCodec, bytes: number): number {
  const at = codec.malloc(bytes) >>> 0;
  if (at === 0)
    throw new HeadwaterError(
      'image_too_many_pixels',
      `The JPEG decoder could not get ${bytes} bytes of memory.`,
    );
  return at;
}

/** Runs a TurboJPEG call, turning fatal errors and harmful warnings into image_corrupt with libjpeg's own words. */
function runTurbo(codec: JpegCodec, fileBytes: number, header: JpegHeader, call: () => number): void {
  new Uint8Array(codec.memory.buffer)[codec.errorText] = 0;
  const size = `${fileBytes} bytes, ${header.width}×${header.height} pixels`;
  let status: number;
  try {
    status = call();
  } catch (error) {
    if (error instanceof HeadwaterError) throw error;
    throw corrupt('jpeg', `the decoder stopped with "${readErrorText(codec)}" (${size})`, error);
  }
  if (status === 0) return;
  const text = readErrorText(codec);
  if (HARMLESS.some((pattern) => pattern.test(text))) return;
  throw corrupt('jpeg', `it is damaged or cut short; the decoder says "${text}" (${size})`);
}

/** The memory estimate rests on our reading of the header, so libjpeg must have read the same. */
function checkSameHeader(codec: JpegCodec, file: number, length: number, header: JpegHeader): void {
  const out = allocate(codec, 16);
  codec.decompressHeader(codec.tj, file, length, out, out + 4, out + 8, out + 12);
  const [width, height] = new Int32Array(codec.memory.buffer, out, 2);
  codec.free(out);
  if (width !== header.width || height !== header.height)
    throw corrupt('jpeg', 'its headers contradict each other');
}
