/** PNGs made sample by sample, in every form that the format has. */
import { deflateSync } from 'node:zlib';
import { HeadwaterError } from '../../../src/errors.ts';
import type { ImageDecoder } from '../../../src/image/index.ts';
import { concat, pngChunk, type PngShape } from './support.ts';

export const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Of every colour type the depths that it may have. */
export const FORMS: readonly (readonly [colour: number, depth: number])[] = [
  ...[1, 2, 4, 8, 16].map((depth) => [0, depth] as const),
  ...[1, 2, 4, 8].map((depth) => [3, depth] as const),
  ...[2, 4, 6].flatMap((colour) => [[colour, 8] as const, [colour, 16] as const]),
];

const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export interface PngOptions {
  readonly interlaced?: boolean;
  /** Chunks before the data. */
  readonly extra?: Uint8Array;
  /** In the place of compressing once. */
  readonly compress?: (raw: Uint8Array) => Uint8Array;
  /** How the compressed data are cut into chunks. */
  readonly cut?: (data: Uint8Array) => readonly Uint8Array[];
}

export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function headerChunk({ width, height, depth, colour }: PngShape, interlaced = false): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8);
  return pngChunk('IHDR', header);
}

/** @param samples height × width × channels, each below 2^depth. @param filter of each row, by its number from the top. */
export function encodePng(
  shape: PngShape,
  samples: Uint16Array,
  filter: (row: number) => number,
  {
    interlaced = false,
    extra = new Uint8Array(),
    compress = deflateSync,
    cut = (all) => [all],
  }: PngOptions = {},
): Uint8Array {
  const raw = interlaced
    ? PASSES.map((pass) => filtered(shape, samples, filter, pass))
    : [filtered(shape, samples, filter, [0, 0, 1, 1])];
  const data = cut(compress(concatLarge(raw)));
  return concatLarge([
    SIGNATURE,
    headerChunk(shape, interlaced),
    extra,
    ...data.map((piece) => pngChunk('IDAT', piece)),
    pngChunk('IEND', new Uint8Array()),
  ]);
}

export function concatLarge(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function filtered(
  { width, height, depth, colour }: PngShape,
  samples: Uint16Array,
  filter: (row: number) => number,
  [x0, y0, across, down]: readonly [number, number, number, number],
): Uint8Array {
  const channels = CHANNELS[colour];
  const step = Math.max(1, (channels * depth) >> 3);
  const rows: Uint8Array[] = [];
  let above: Uint8Array | undefined;
  if (x0 >= width) return new Uint8Array();
  for (let y = y0; y < height; y += down) {
    const values: number[] = [];
    for (let x = x0; x < width; x += across)
      for (let c = 0; c < channels; c++) values.push(samples[(y * width + x) * channels + c]);
    const row = pack(values, depth);
    const kind = filter(rows.length);
    const before = above ?? new Uint8Array(row.length);
    rows.push(
      concat(
        [kind],
        row.map((v, i) => v - predicted(kind, row, before, i, step)),
      ),
    );
    above = row;
  }
  return concatLarge(rows);
}

function pack(values: readonly number[], depth: number): Uint8Array {
  if (depth === 16) return Uint8Array.from(values.flatMap((v) => [v >> 8, v & 255]));
  const row = new Uint8Array(Math.ceil((values.length * depth) / 8));
  values.forEach((v, i) => (row[(i * depth) >> 3] |= v << (8 - depth - ((i * depth) & 7))));
  return row;
}

function predicted(kind: number, row: Uint8Array, above: Uint8Array, i: number, step: number): number {
  const a = row[i - step] ?? 0;
  const b = above[i];
  const c = above[i - step] ?? 0;
  if (kind < 4) return [0, a, b, (a + b) >> 1][kind];
  const [pa, pb, pc] = [a, b, c].map((v) => Math.abs(a + b - c - v));
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

export const END = pngChunk('IEND', new Uint8Array());

export function chunkAt(bytes: Uint8Array, type: string): number {
  return Buffer.from(bytes).indexOf(type, 0, 'latin1') - 4;
}

export function chunkEnd(bytes: Uint8Array, type: string): number {
  const at = chunkAt(bytes, type);
  return at + 12 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

/** What becomes of a picture: `decoded`, or the error's code and message. */
export async function outcome(decoder: ImageDecoder, bytes: Uint8Array): Promise<string> {
  try {
    await decoder.decode(bytes, { width: 8, height: 8 });
    return 'decoded';
  } catch (error) {
    if (error instanceof HeadwaterError) return `${error.code}: ${error.message}`;
    throw error;
  }
}
