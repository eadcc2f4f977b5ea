/**
 * Walks a WebP's RIFF chunks (RFC 9649) and picks out the picture: of an animation the first frame, which libwebp's
 * plain decoder would refuse to find. What the decoder gets is a new, minimal file with that one picture.
 */
import { type Orientation, readOrientation } from '../exif.ts';
import { checkCallWork, checkSides, checkWorkingBytes, corrupt, type Header } from '../header.ts';
import { MAX_WEBP_CHUNKS } from '../limits.ts';
import { startsWith } from '../sniff.ts';
import type { Bitstream, Chunk } from './bitstream.ts';
import { webpWork } from './work.ts';

/** Sides are the canvas's; the frame may be a part of it, the rest is transparent. */
export interface WebpHeader extends Header {
  readonly frame: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** Bytes which, joined, are a WebP file of the frame alone. */
  readonly pieces: readonly Uint8Array[];
  /** What decoding will allocate, checkWorkingBytes has seen it. */
  readonly workingBytes: number;
}

/** A picture and its place on the canvas, pixels. */
interface Frame {
  readonly bitstream: Bitstream;
  readonly x: number;
  readonly y: number;
  readonly isAnimation: boolean;
}

const VP8X_DATA_BYTES = 10;
const ANMF_HEADER_BYTES = 16;
const FLAG_ALPHA = 0x10;
/**
 * Lossy pictures are written as RGBA row by row; lossless ones, and alpha planes, are first held whole. Measured on
 * 3 and 12 megapixels. The codec's memory is also capped while it works, since Huffman tables can add to this.
 */
const LOSSY_BYTES_PER_PIXEL = 4;
const ALPHA_BYTES_PER_PIXEL = 3;
const LOSSLESS_BYTES_PER_PIXEL = 8;
/** @throws image_corrupt when the picture is missing, cut short or contradicts the canvas; image_too_many_pixels beyond the caps. */
export function readWebpHeader(bytes: Uint8Array): WebpHeader {
  checkWhole(bytes);
  let canvas: { width: number; height: number } | undefined;
  let marked: Orientation | undefined;
  let alpha: Chunk | undefined;
  let found: Frame | undefined;
  for (const chunk of chunks(bytes, 12)) {
    if (chunk.type === 'VP8X' && canvas === undefined && found === undefined) canvas = readCanvas(chunk.data);
    else if (chunk.type === 'EXIF') marked ??= readOrientation(chunk.data);
    else if (chunk.type === 'ALPH') alpha ??= chunk;
    else if (found === undefined && chunk.type === 'ANMF') found = readFrame(chunk.data);
    else if (found === undefined && isBitstream(chunk))
      found = { bitstream: readBitstream(chunk, alpha), x: 0, y: 0, isAnimation: false };
    if (found !== undefined && canvas === undefined) break;
  }
  if (found === undefined) throw corrupt('webp', 'it holds no picture, or is cut short before its end');
  const { bitstream, x, y, isAnimation } = found;
  const { width, height } = canvas ?? bitstream;
  const frame = { x, y, width: bitstream.width, height: bitstream.height };
  const fits = isAnimation
    ? x + frame.width <= width && y + frame.height <= height
    : frame.width === width && frame.height === height;
  if (!fits) throw corrupt('webp', 'its picture does not fit its canvas');
  const work = webpWork(bitstream, isAnimation ? width * height : 0);
  const orientation = marked ?? 1;
  const picture = { width, height, orientation, frame, work, pieces: minimalFile(bitstream) };
  const header = { ...picture, workingBytes: workingBytesOf(picture, bitstream) };
  checkWorkingBytes('webp', header, header.workingBytes);
  checkCallWork('webp', header);
  return header;
}

/** The RIFF header says how long the file is; what an app appended after that doesn't matter. */
function checkWhole(bytes: Uint8Array): void {
  const claimed = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  if (claimed <= bytes.length) return;
  throw corrupt('webp', `the file is cut short: ${bytes.length} of ${claimed} bytes are there`);
}

/** Yields whole chunks; a last one that is cut short ends the walk (its picture is then missing). */
function* chunks(bytes: Uint8Array, from: number): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let count = 0;
  for (let at = from; at + 8 <= bytes.length && count < MAX_WEBP_CHUNKS; count++) {
    const length = view.getUint32(at + 4, true);
    if (at + 8 + length > bytes.length) return;
    yield {
      type: String.fromCharCode(...bytes.subarray(at, at + 4)),
      data: bytes.subarray(at + 8, at + 8 + length),
    };
    at += 8 + length + (length & 1);
  }
}

function uint24(data: Uint8Array, at: number): number {
  return data[at] | (data[at + 1] << 8) | (data[at + 2] << 16);
}

function readCanvas(data: Uint8Array): { width: number; height: number } {
  if (data.length < VP8X_DATA_BYTES) throw corrupt('webp', 'its VP8X chunk is too short');
  const canvas = { width: uint24(data, 4) + 1, height: uint24(data, 7) + 1 };
  checkSides('webp', canvas.width, canvas.height);
  return canvas;
}

/** RFC 9649, 2.7.1.1: a frame's place (in units of 2 pixels), size and timing, then its own chunks. */
function readFrame(data: Uint8Array): Frame {
  if (data.length < ANMF_HEADER_BYTES) throw corrupt('webp', 'its first frame is too short');
  let alpha: Chunk | undefined;
  for (const chunk of chunks(data, ANMF_HEADER_BYTES)) {
    if (chunk.type === 'ALPH') alpha ??= chunk;
    if (isBitstream(chunk)) {
      return {
        bitstream: readBitstream(chunk, alpha),
        x: 2 * uint24(data, 0),
        y: 2 * uint24(data, 3),
        isAnimation: true,
      };
    }
  }
  throw corrupt('webp', 'its first frame holds no picture');
}

function isBitstream({ type }: Chunk): boolean {
  return type === 'VP8 ' || type === 'VP8L';
}

/** Sides as the bitstream itself states them: RFC 6386 9.1 for lossy, RFC 9649 3.4 for lossless. */
function readBitstream(chunk: Chunk, alpha: Chunk | undefined): Bitstream {
  const { data } = chunk;
  if (chunk.type === 'VP8L') {
    if (data.length < 5 || data[0] !== 0x2f) throw corrupt('webp', 'its lossless header is damaged');
    const bits = new DataView(data.buffer, data.byteOffset).getUint32(1, true);
    return sized({
      width: (bits & 0x3fff) + 1,
      height: ((bits >>> 14) & 0x3fff) + 1,
      lossless: true,
      chunk,
      alpha: undefined,
    });
  }
  if (data.length < 10 || !startsWith(data, 3, '\x9d\x01\x2a'))
    throw corrupt('webp', 'its lossy header is damaged');
  const width = (data[6] | (data[7] << 8)) & 0x3fff;
  const height = (data[8] | (data[9] << 8)) & 0x3fff;
  return sized({ width, height, lossless: false, chunk, alpha });
}

function sized(bitstream: Bitstream): Bitstream {
  checkSides('webp', bitstream.width, bitstream.height);
  return bitstream;
}

function workingBytesOf(header: Omit<WebpHeader, 'workingBytes'>, { lossless, alpha }: Bitstream): number {
  const { frame, width, height, pieces } = header;
  const perPixel = lossless
    ? LOSSLESS_BYTES_PER_PIXEL
    : LOSSY_BYTES_PER_PIXEL + (alpha === undefined ? 0 : ALPHA_BYTES_PER_PIXEL);
  // The binding copies the file once more inside the module.
  const fileBytes = 2 * pieces.reduce((sum, piece) => sum + piece.length, 0);
  const composed = coversCanvas(header) ? 0 : 4 * width * height;
  return fileBytes + frame.width * frame.height * perPixel + composed;
}

/** @returns whether the frame is the whole canvas, as it is in every still picture and nearly every first frame. */
export function coversCanvas({
  frame,
  width,
  height,
}: Pick<WebpHeader, 'frame' | 'width' | 'height'>): boolean {
  return frame.width === width && frame.height === height;
}

/** RIFF header, VP8X if there is alpha besides a lossy picture, then the picture's own chunks. */
function minimalFile({ chunk, alpha, width, height }: Bitstream): Uint8Array[] {
  const body: Uint8Array[] = [];
  if (alpha !== undefined) {
    const extended = new Uint8Array(VP8X_DATA_BYTES);
    extended[0] = FLAG_ALPHA;
    extended.set(littleEndian(width - 1, 3), 4);
    extended.set(littleEndian(height - 1, 3), 7);
    body.push(...riffChunk({ type: 'VP8X', data: extended }), ...riffChunk(alpha));
  }
  body.push(...riffChunk(chunk));
  const length = body.reduce((sum, piece) => sum + piece.length, 4);
  return [ascii('RIFF'), littleEndian(length, 4), ascii('WEBP'), ...body];
}

function riffChunk({ type, data }: Chunk): Uint8Array[] {
  return [ascii(type), littleEndian(data.length, 4), data, new Uint8Array(data.length & 1)];
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function littleEndian(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 255);
}
