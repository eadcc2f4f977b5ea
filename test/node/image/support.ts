/** Parts for the tests on pictures: the real codecs, the fixtures, and makers of files that no encoder would write. */
import { readFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';
import { CodecPool } from '../../../src/image/memory/codec-pool.ts';
import { createImageDecoder, type ImageDecoder } from '../../../src/image/index.ts';
import { createResizer, type Resizer } from '../../../src/image/pixels/resize.ts';
import { WorkingMemory } from '../../../src/image/memory/working-memory.ts';

function built(name: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL(`../../../build/wasm/${name}.wasm`, import.meta.url)));
}

export const modules = {
  jpeg: built('jpeg'),
  png: built('png'),
  webp: built('webp'),
  resize: built('resize'),
};

export function newDecoder(): ImageDecoder {
  return createImageDecoder(modules);
}

/** What a JPEG or WebP decoder alone works in. */
export function newMemories(): CodecPool<WorkingMemory> {
  return new CodecPool(() => new WorkingMemory(), 0);
}

export function newResizer(): Resizer {
  return createResizer(modules.resize);
}

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../fixtures/images/${name}`, import.meta.url)));
}

export const FIXTURES: readonly string[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `exif-${n}.jpg`),
  'subsampled.jpg',
  'progressive.jpg',
  'grey.jpg',
  'cmyk.jpg',
  'rgb.png',
  'alpha.png',
  'interlaced.png',
  'rgb16.png',
  'grey16.png',
  'grey-alpha.png',
  'bit1.png',
  'palette-alpha.png',
  'exif-6.png',
  'apng.png',
  'lossy.webp',
  'lossless.webp',
  'alpha.webp',
  'exif-6.webp',
  'animated.webp',
];

export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function segment(marker: number, data: readonly number[]): number[] {
  const length = data.length + 2;
  return [0xff, marker, length >> 8, length & 255, ...data];
}

/** The same JPEG without its last columns and rows, up to 7 of each: as many blocks, which the header says less of. */
export function cropJpeg(file: Uint8Array, width: number, height: number): Uint8Array {
  const cropped = file.slice();
  const frame = cropped.findIndex((v, i) => v === 0xff && [0xc0, 0xc2].includes(cropped[i + 1]));
  cropped.set([...big16(height), ...big16(width)], frame + 5);
  return cropped;
}

const big16 = (value: number): number[] => [value >> 8, value & 255];

/**
 * A flat mid-grey YCbCr JPEG (4:2:0) of any size in few bytes: with one-bit codes for "no difference" and "end of
 * block", its entropy-coded data are all zero bits.
 */
export function flatJpeg(
  width: number,
  height: number,
  kind: 'baseline' | 'progressive' = 'baseline',
): Uint8Array {
  const progressive = kind === 'progressive';
  const oneBitTable = (id: number): number[] => segment(0xc4, [id, 1, ...Array<number>(15).fill(0), 0]);
  const sampling = [1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0];
  const head = [
    0xff,
    0xd8,
    ...segment(0xdb, [0, ...Array<number>(64).fill(1)]),
    ...segment(progressive ? 0xc2 : 0xc0, [8, ...big16(height), ...big16(width), 3, ...sampling]),
    ...oneBitTable(0x00),
    ...oneBitTable(0x10),
    ...segment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, progressive ? 0 : 63, 0]),
  ];
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16) * 6;
  const file = new Uint8Array(head.length + Math.ceil((blocks * (progressive ? 1 : 2)) / 8) + 2);
  file.set(head);
  file.set([0xff, 0xd9], file.length - 2);
  return file;
}

export function pngChunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

export interface PngShape {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
}

/** A PNG whose header claims `shape` and whose data hold `raw`, whatever that is; `extra` chunks come between them. */
export function makePng(
  { width, height, depth, colour }: PngShape,
  raw: Uint8Array,
  extra = new Uint8Array(),
): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = depth;
  header[9] = colour;
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    pngChunk('IHDR', header),
    extra,
    pngChunk('IDAT', deflateSync(raw)),
    pngChunk('IEND', new Uint8Array()),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

/** The same, in 8-bit grey. */
export function greyPng(
  width: number,
  height: number,
  raw: Uint8Array,
  extra?: Uint8Array<ArrayBuffer>,
): Uint8Array {
  return makePng({ width, height, depth: 8, colour: 0 }, raw, extra);
}

/** Mulberry32: a seeded stream of whole numbers in [0, below). */
export function randomIntegers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Largest difference between two equally long rows of bytes. */
export function largestDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
}
