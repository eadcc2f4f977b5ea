/** What a WebP's chunks say, on files of chunks alone: which picture, where, how much memory and work, and what contradicts itself. */
import { describe, expect, it } from 'vitest';
import { CODEC_BASE_BYTES, MAX_CALL_WORK_MS, MAX_WORKING_BYTES } from '../../../src/image/limits.ts';
import { coversCanvas, readWebpHeader } from '../../../src/image/webp/header.ts';
import { concatLarge } from './pngs.ts';
import { fixture, largestDifference, newDecoder } from './support.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const little = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 255);

type Bytes = readonly number[] | Uint8Array;

const concat = (...parts: readonly Bytes[]): Uint8Array =>
  concatLarge(parts.map((part) => Uint8Array.from(part)));

function chunk(type: string, data: Bytes): Uint8Array {
  return concat(latin1(type), little(data.length, 4), data, data.length % 2 === 1 ? [0] : []);
}

function riff(...chunks: readonly Uint8Array[]): Uint8Array {
  const body = concat(latin1('WEBP'), ...chunks);
  return concat(latin1('RIFF'), little(body.length, 4), body);
}

const canvas = (width: number, height: number, flags = 0): Uint8Array =>
  chunk('VP8X', [flags, 0, 0, 0, ...little(width - 1, 3), ...little(height - 1, 3)]);

/** Bitstreams that are headers alone, with so many bytes of data in all. */
function lossless(width: number, height: number, bytes = 6): Uint8Array {
  const data = new Uint8Array(bytes);
  data.set([0x2f, ...little(width - 1 + (height - 1) * 2 ** 14, 4)]);
  return chunk('VP8L', data);
}

function lossy(width: number, height: number, bytes = 10): Uint8Array {
  const data = new Uint8Array(bytes);
  data.set([1, 2, 3, 0x9d, 1, 0x2a, ...little(width, 2), ...little(height, 2)]);
  return chunk('VP8 ', data);
}

const animation = (x: number, y: number, ...chunks: readonly Uint8Array[]): Uint8Array =>
  chunk('ANMF', concat(little(x / 2, 3), little(y / 2, 3), Array<number>(10).fill(0), ...chunks));

const exif = (orientation: number): Uint8Array =>
  chunk('EXIF', [
    ...latin1('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0'),
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
  ]);

const read = (...chunks: readonly Uint8Array[]) => readWebpHeader(riff(...chunks));
const NOT_SIXTEEN = [300, 515] as const;

describe('a still picture', () => {
  it.each([
    ['lossless', lossless(...NOT_SIXTEEN)],
    ['lossy', lossy(...NOT_SIXTEEN)],
  ])('has the sides that its data say, and is handed on by itself: %s', (_, data) => {
    const header = read(chunk('ABCD', [1]), data);
    const [width, height] = NOT_SIXTEEN;
    expect(header).toMatchObject({ width, height, orientation: 1, frame: { x: 0, y: 0, width, height } });
    expect(concat(...header.pieces)).toEqual(riff(data));
    expect(coversCanvas(header)).toBe(true);
  });

  it('has sides of 14 bits', () => {
    expect(read(lossless(1, 9_000))).toMatchObject({ width: 1, height: 9_000 });
    expect(read(lossless(9_000, 1))).toMatchObject({ width: 9_000, height: 1 });
    // The two bits above a side ask for enlarging, which nobody does.
    const data = lossy(0x4000 + 12, 0xc000 + 34);
    expect(read(data)).toMatchObject({ width: 12, height: 34 });
    expect(() => read(lossy(0, 5))).toThrow('0×5');
  });

  it('comes with the first of its alpha planes, where it is lossy', () => {
    const [first, second] = [chunk('ALPH', [1, 2, 3]), chunk('ALPH', [4, 5])];
    const data = lossy(...NOT_SIXTEEN);
    const { pieces } = read(canvas(...NOT_SIXTEEN), first, second, data);
    expect(concat(...pieces)).toEqual(riff(canvas(...NOT_SIXTEEN, 0x10), first, data));
    expect(concat(...read(first, lossless(...NOT_SIXTEEN)).pieces)).toEqual(riff(lossless(...NOT_SIXTEEN)));
  });

  it('is the first, as large as its canvas, which stands before it', () => {
    expect(read(canvas(9, 8), lossless(9, 8), lossless(5, 5))).toMatchObject({ width: 9, height: 8 });
    expect(read(canvas(9, 8), canvas(5, 5), lossless(9, 8))).toMatchObject({ width: 9, height: 8 });
    expect(read(lossless(9, 8), canvas(5, 5))).toMatchObject({ width: 9, height: 8 });
    for (const [width, height] of [
      [8, 8],
      [10, 8],
      [9, 7],
      [9, 9],
    ])
      expect(() => read(canvas(width, height), lossless(9, 8))).toThrow('does not fit its canvas');
  });

  it('is turned by the first orientation beside a canvas', () => {
    expect(read(canvas(9, 8), lossless(9, 8), exif(0), exif(6), exif(3)).orientation).toBe(6);
    expect(read(canvas(9, 8), exif(5), lossless(9, 8)).orientation).toBe(5);
    expect(read(lossless(9, 8), exif(6)).orientation).toBe(1);
  });
});

describe('an animation', () => {
  it('is its first frame at its place', () => {
    const still = lossless(9, 8);
    const header = read(canvas(700, 600), animation(512, 400, still), animation(0, 0, lossless(5, 5)));
    expect(header).toMatchObject({ width: 700, height: 600, frame: { x: 512, y: 400, width: 9, height: 8 } });
    expect(concat(...header.pieces)).toEqual(riff(still));
    expect(coversCanvas(header)).toBe(false);
    expect(coversCanvas(read(canvas(9, 9), animation(0, 0, still)))).toBe(false);
    expect(coversCanvas(read(canvas(10, 8), animation(0, 0, still)))).toBe(false);
    expect(coversCanvas(read(canvas(9, 8), animation(0, 0, still)))).toBe(true);
  });

  it('whose frame has an alpha plane keeps the first of them', () => {
    const [first, second, data] = [chunk('ALPH', [1]), chunk('ALPH', [2]), lossy(9, 8)];
    const { pieces } = read(canvas(9, 8), animation(0, 0, first, second, data));
    expect(concat(...pieces)).toEqual(riff(canvas(9, 8, 0x10), first, data));
  });

  it('has no frame beyond its canvas', () => {
    read(canvas(11, 12), animation(2, 4, lossless(9, 8)));
    expect(() => read(canvas(10, 12), animation(2, 4, lossless(9, 8)))).toThrow('does not fit its canvas');
    expect(() => read(canvas(11, 11), animation(2, 4, lossless(9, 8)))).toThrow('does not fit its canvas');
  });

  it('has a frame that is whole and holds a picture', () => {
    expect(() => read(canvas(9, 8), chunk('ANMF', new Uint8Array(15)))).toThrow('first frame is too short');
    expect(() => read(canvas(9, 8), animation(0, 0))).toThrow('first frame holds no picture');
  });
});

/** So many chunks that no picture needs. */
const others = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => chunk('ABCD', new Uint8Array()));

describe('chunks', () => {
  const still = lossless(9, 8);

  it('are read as far as they are whole', () => {
    const file = riff(still, chunk('EXIF', [1]));
    expect(readWebpHeader(concat(file, [1, 2, 3])).width).toBe(9);
    expect(() => readWebpHeader(file.subarray(0, -1))).toThrow(`${file.length - 1} of ${file.length} bytes`);
    const cut = riff(still);
    cut[16]++;
    expect(() => readWebpHeader(cut)).toThrow('holds no picture, or is cut short');
    expect(readWebpHeader(concat([1, 2, 3, 4], riff(still)).subarray(4)).width).toBe(9);
    expect(readWebpHeader(concat([1, 2, 3, 4], riff(lossy(9, 8))).subarray(4)).width).toBe(9);
  });

  it('of an odd length have a byte behind them', () => {
    expect(read(chunk('ABCD', [1, 2, 3]), still).width).toBe(9);
    expect(read(chunk('ABCD', [1, 2]), still).width).toBe(9);
  });

  it('are so many before the picture at the most', () => {
    expect(read(...others(1_023), still).width).toBe(9);
    expect(() => read(...others(1_024), still)).toThrow('holds no picture');
  });

  it('have what they must', () => {
    expect(() => read(chunk('VP8X', new Uint8Array(9)), still)).toThrow('VP8X chunk is too short');
    expect(() => read(lossless(9, 8, 5).with(8, 0x2e))).toThrow('lossless header is damaged');
    expect(read(lossless(9, 8, 5)).width).toBe(9);
    expect(() => read(chunk('VP8L', [0x2f, 0, 0, 0]))).toThrow('lossless header is damaged');
    expect(() => read(lossy(9, 8).with(11, 0x9e))).toThrow('lossy header is damaged');
    expect(() => read(chunk('VP8 ', lossy(9, 8).subarray(8, 17)))).toThrow('lossy header is damaged');
  });
});

describe('work', () => {
  it('is of pixels and of bytes, by kind of data', () => {
    expect(read(lossless(100, 50, 1_000)).work).toBe(5_000 * 65 + 1_000 * 17);
    // Up to half a byte a pixel a byte takes more than beyond.
    expect(read(lossy(100, 50, 1_000)).work).toBe(5_000 * 50 + 1_000 * 75);
    expect(read(lossy(100, 50, 3_000)).work).toBe(5_000 * 50 + 2_500 * 75 + 500 * 42);
    const alpha = chunk('ALPH', new Uint8Array(300));
    expect(read(canvas(100, 50), alpha, lossy(100, 50, 1_000)).work).toBe(
      5_000 * 50 + 1_000 * 75 + 5_000 * 30 + 300 * 17,
    );
    expect(read(canvas(200, 90), animation(0, 0, lossless(100, 50, 1_000))).work).toBe(
      5_000 * 65 + 1_000 * 17 + 200 * 90 * 4,
    );
  });

  it('is bounded', () => {
    expect(() => read(lossy(4_000, 3_000, 4_000_000))).toThrow(`at most ${MAX_CALL_WORK_MS} ms`);
  });
});

describe('memory', () => {
  const spare = MAX_WORKING_BYTES - CODEC_BASE_BYTES;
  const HEIGHT = 2_000;
  const refused = 'MB of memory';
  /** There is memory for it, but it takes too long in one call. */
  const TOO_LONG = 'ms without a pause';

  /** As many columns as there is memory for, beside twice the bytes of the file. */
  const most = (perPixel: number, fileBytes: number): number =>
    Math.floor((spare - 2 * fileBytes) / (perPixel * HEIGHT));

  it.each([
    ['lossless', 8, 26, (width: number) => [lossless(width, HEIGHT)]],
    ['lossy', 4, 30, (width: number) => [lossy(width, HEIGHT)]],
    ['lossy with alpha', 7, 58, (width: number) => [chunk('ALPH', [1, 2]), lossy(width, HEIGHT)]],
  ])('is of pixels, by kind of data: %s', (_, perPixel, fileBytes, chunksOf) => {
    const width = most(perPixel, fileBytes);
    expect(() => read(...chunksOf(width))).toThrow(TOO_LONG);
    expect(() => read(...chunksOf(width + 1))).toThrow(refused);
  });

  it('is of the file twice, as the module copies it', () => {
    const width = most(8, 2_000_020);
    expect(() => read(lossless(width, HEIGHT, 2_000_000))).toThrow(TOO_LONG);
    expect(() => read(lossless(width + 1, HEIGHT, 2_000_000))).toThrow(refused);
  });

  it('is of the canvas, too, where the frame is a part of it', () => {
    const frame = animation(0, 0, lossless(10, HEIGHT));
    const width = Math.floor((spare - 2 * 26 - 10 * HEIGHT * 8) / (4 * HEIGHT));
    expect(read(canvas(width, HEIGHT), frame).width).toBe(width);
    expect(() => read(canvas(width + 1, HEIGHT), frame)).toThrow(refused);
  });
});

it.each([
  ['larger on all sides', 110, 75],
  ['larger on two sides', 102, 68],
])('a frame is put at its place on a canvas that is %s', async (_, width, height) => {
  const still = fixture('lossless.webp');
  const decoder = newDecoder();
  const { pixels } = await decoder.decode(still, { width: 96, height: 64 });
  const size = { width, height };
  const moved = riff(canvas(width, height), animation(6, 4, still.subarray(12)));
  const expected = new Uint8Array(3 * width * height).fill(255);
  for (let y = 0; y < 64; y++)
    expected.set(pixels.subarray(3 * 96 * y, 3 * 96 * (y + 1)), 3 * ((y + 4) * width + 6));
  const decoded = await decoder.decode(moved, size);
  expect(decoded).toMatchObject({ ...size, format: 'webp' });
  expect(largestDifference(decoded.pixels, expected)).toBe(0);
});
