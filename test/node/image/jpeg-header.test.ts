/** What a JPEG's headers say, on files of headers alone: blocks, scans, work, and what contradicts itself. */
import { describe, expect, it } from 'vitest';
import { isFrame } from '../../../src/image/jpeg/frame.ts';
import { readJpegHeader } from '../../../src/image/jpeg/header.ts';
import { JpegSegments } from '../../../src/image/jpeg/segments.ts';
import { MAX_JPEG_SCANS, MAX_JPEG_SEGMENTS } from '../../../src/image/limits.ts';
import { segment } from './jpeg-maker.ts';
import { concat } from './support.ts';

type Bytes = readonly number[] | Uint8Array;

const BASELINE = 0xc0;
const PROGRESSIVE = 0xc2;
/** One grey component; three that are sampled alike; and colours at half the resolution. */
const GREY = [[1, 0x11]];
const FULL = [1, 2, 3].map((id) => [id, 0x11]);
const HALVED = [
  [1, 0x22],
  [2, 0x11],
  [3, 0x11],
];

function frame(marker: number, width: number, height: number, components: readonly number[][]): number[] {
  const sides = [height >> 8, height & 255, width >> 8, width & 255];
  return segment(marker, [8, ...sides, components.length, ...components.flatMap((each) => [...each, 0])]);
}

/** A scan's header. @param first, last coefficients. @param high, low bits of successive approximation. */
function scan(ids: readonly number[], first = 0, last = 63, high = 0, low = 0): number[] {
  return segment(0xda, [ids.length, ...ids.flatMap((id) => [id, 0]), first, last, (high << 4) | low]);
}

const repeated = (count: number, part: number[]): number[][] => Array.from({ length: count }, () => part);
const jpeg = (...parts: readonly Bytes[]): Uint8Array => concat([0xff, 0xd8], ...parts, [0xff, 0xd9]);
const read = (...parts: readonly Bytes[]) => readJpegHeader(jpeg(...parts));
/** A table with nothing but the end of a block: without coefficients, work is of blocks. */
const END_ONLY = segment(0xc4, [0x10, 1, ...Array<number>(15).fill(0), 0]);
/** Work beside that table and the bytes of data, of which these files have but their markers and lengths. */
const blockWork = (...parts: readonly Bytes[]): number =>
  read(END_ONLY, ...parts).work - (8 + 4 * parts.length) * 11 - 18 * 15;

describe('blocks', () => {
  it.each([
    [16, 8, GREY, 2],
    [17, 8, GREY, 3],
    [16, 9, GREY, 4],
    [16, 8, FULL, 6],
    [16, 16, HALVED, 6],
    [17, 16, HALVED, 12],
    [16, 17, HALVED, 12],
    [
      33,
      8,
      [
        [1, 0x21],
        [2, 0x11],
        [3, 0x11],
      ],
      12,
    ],
    [
      8,
      33,
      [
        [1, 0x12],
        [2, 0x11],
        [3, 0x11],
      ],
      12,
    ],
    [
      8,
      8,
      [
        [1, 0x44],
        [2, 0x11],
        [3, 0x11],
      ],
      18,
    ],
  ])('of %i×%i are whole MCUs: %o', (width, height, components, blocks) => {
    const ids = components.map(([id]) => id);
    const header = read(frame(BASELINE, width, height, components), scan(ids));
    expect(header).toMatchObject({ width, height, components: ids.length, buffered: false, orientation: 1 });
    expect(header.coefficientBytes).toBe(128 * blocks);
    // The two bytes of the end are data of the scan as well, with codes of three bits.
    expect(header.work).toBe(blocks * 90 + 12 * 11 + (16 * 6) / 3);
  });
});

describe('work', () => {
  const full = frame(BASELINE, 16, 8, FULL);
  const progressive = frame(PROGRESSIVE, 16, 8, FULL);
  const all = [1, 2, 3];

  it('counts bytes of data and restarts, not what segments hold', () => {
    const once = read(full, scan(all)).work;
    expect(read(full, scan(all), [1, 2, 3, 4, 0xff, 0, 6]).work).toBe(once + 7 * (11 + 16));
    expect(read(full, scan(all), [1, 0xff, 0xd0, 2, 0xff, 0xd7]).work).toBe(once + 6 * (11 + 16) + 2 * 150);
    expect(read(segment(0xfe, Array<number>(99).fill(1)), full, scan(all)).work).toBe(once + 4 * 11);
  });

  it('counts coefficients, as many as there are in the blocks or as the data may hold', () => {
    const short = segment(0xc4, [0x10, 1, 1, ...Array<number>(14).fill(0), 1, 0x23]);
    const bits = Array<number>(80).fill(0);
    const standard = read(full, scan(all), bits).work - read(full, scan(all)).work;
    expect(standard).toBe(80 * (11 + 16));
    expect(read(short, full, scan(all), bits).work - read(short, full, scan(all)).work).toBe(80 * (11 + 24));
    const grey = frame(BASELINE, 8, 8, GREY);
    const cap = 63 * 6 - 32;
    expect(read(grey, scan([1]), bits).work - read(grey, scan([1])).work).toBe(80 * 11 + cap);
    const refining = scan([1], 1, 5, 2, 1);
    const first = [progressive, scan(all, 0, 0, 0, 1), scan([1], 1, 5, 0, 2)];
    expect(read(...first, bits).work - read(...first).work).toBe(80 * 11 + 2 * 5 * 9 - 48);
    expect(read(...first, refining, [1]).work - read(...first, refining).work).toBe(11 + 90 - 64);
  });

  it('of a scan each component, and of more scans than one', () => {
    const each = read(full, scan([1]), scan([2]), scan([3]));
    expect(each.buffered).toBe(true);
    expect(blockWork(full, scan([1]), scan([2]), scan([3]))).toBe(6 * 130 + 6 * 95);
    expect(read(full, scan(all), scan(all)).buffered).toBe(false);
    expect(blockWork(full, scan(all), scan(all))).toBe(6 * 90 + 6 * 95);
    expect(blockWork(full, scan(all), scan([2]))).toBe(6 * 90 + 2 * 95);
  });

  it('of progressive scans, of which those that refine take most', () => {
    const first = scan(all, 0, 0, 0, 1);
    expect(read(progressive, first).buffered).toBe(true);
    expect(blockWork(progressive, first)).toBe(6 * 130 + 6 * 65);
    expect(blockWork(progressive, first, scan([1], 1, 5, 0, 2))).toBe(6 * 130 + 8 * 65);
    expect(blockWork(progressive, first, scan([1], 1, 5, 2, 1))).toBe(
      // With a bit for each coefficient that was there.
      6 * 130 + 6 * 65 + 2 * 210 + 16 * 4,
    );
    expect(blockWork(progressive, first, scan(all, 1, 5, 2, 1))).toBe(6 * 130 + 6 * 65 + 6 * 210 + 16 * 4);
    // The lowest bit of the levels alone is one bit a block.
    expect(blockWork(progressive, first, scan(all, 0, 0, 1, 0))).toBe(6 * 130 + 12 * 65);
    expect(blockWork(full, scan(all, 1, 63, 1, 0))).toBe(6 * 90);
  });
});

describe('scans', () => {
  const full = frame(BASELINE, 8, 8, FULL);
  const progressive = frame(PROGRESSIVE, 8, 8, FULL);
  const rest = scan([3], 1, 5);

  it('are so many at the most', () => {
    read(full, ...repeated(MAX_JPEG_SCANS, scan([1, 2, 3])));
    expect(() => read(full, ...repeated(MAX_JPEG_SCANS + 1, scan([1, 2, 3])))).toThrow(
      `more than ${MAX_JPEG_SCANS} scans`,
    );
  });

  it('hold the first coefficients of every component', () => {
    read(full, scan([1]), scan([2]), scan([3]));
    read(progressive, scan([1, 2]), scan([3]), rest);
    expect(() => read(full, scan([1]), scan([2]), scan([2]))).toThrow('a colour component is missing');
    expect(() => read(progressive, scan([1, 2]), rest)).toThrow('a colour component is missing');
  });

  it('have a header that is whole and speaks of this frame', () => {
    const cut =
      (data: readonly number[]): (() => unknown) =>
      () =>
        read(full, segment(0xda, data));
    for (const data of [
      [],
      [0, 0, 63, 0],
      [1, 1, 0, 0, 63],
      [5, 1, 0, 2, 0, 3, 0, 1, 0, 2, 0, 0, 63, 0],
      [3, 1, 0, 2, 0, 3, 0, 0, 63],
    ])
      expect(cut(data), `${data.length}`).toThrow('a scan header is too short');
    expect(() => read(full, scan([1, 2, 4]))).toThrow('that its frame lacks');
    read(frame(BASELINE, 8, 8, [...FULL, [4, 0x11]]), scan([1, 2, 3, 4]));
  });

  it('come behind the one frame', () => {
    expect(() => read(scan([1, 2, 3]), full)).toThrow('before the frame header');
    expect(() => read(full, full, scan([1, 2, 3]))).toThrow('two frame headers');
    expect(() => read(full)).toThrow('holds no picture');
    expect(() => read()).toThrow('holds no picture');
  });
});

describe('frames', () => {
  it('are SOF0 to SOF15 but for tables', () => {
    const markers = Array.from({ length: 256 }, (_, marker) => marker).filter(isFrame);
    expect(markers).toEqual([0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15].map((n) => 0xc0 + n));
  });

  it.each([0xc0, 0xc1, 0xc2])('that are decoded: %i', (marker) => {
    expect(read(frame(marker, 8, 8, GREY), scan([1])).buffered).toBe(marker === PROGRESSIVE);
  });

  it.each([0xc3, 0xc9, 0xca])('that are not: %i', (marker) => {
    expect(() => read(frame(marker, 8, 8, GREY), scan([1]))).toThrow('not supported');
  });

  it('have 8 bits, 1, 3 or 4 components, and sampling factors from 1 to 4', () => {
    const grey = frame(BASELINE, 8, 8, GREY);
    expect(() => read(grey.with(4, 12), scan([1]))).toThrow('12 bits per sample');
    expect(() => read(frame(BASELINE, 8, 8, FULL.slice(1)), scan([2]))).toThrow('claims 2 colour components');
    expect(() => read(segment(BASELINE, [8, 0, 8, 0, 8]), scan([1]))).toThrow('too short');
    expect(() => read(segment(BASELINE, [8, 0, 8, 0, 8, 1, 1, 0x11]), scan([1]))).toThrow('claims 1');
    expect(() => read(segment(BASELINE, [8, 0, 8, 0, 8, 0]), scan([1]))).toThrow('claims 0');
    const two = [1, 0x11, 0, 2, 0x11, 0];
    expect(() => read(segment(BASELINE, [8, 0, 8, 0, 8, 3, ...two]), scan([1]))).toThrow('claims 3');
    for (const sampling of [0x01, 0x10, 0x51, 0x15])
      expect(() => read(frame(BASELINE, 8, 8, [[1, sampling]]), scan([1]))).toThrow('sampling factors');
    for (const sampling of [0x11, 0x41, 0x14]) read(frame(BASELINE, 8, 8, [[1, sampling]]), scan([1]));
  });

  it('have sides of two bytes', () => {
    const header = read(frame(BASELINE, 0x0203, 0x0405, GREY), scan([1]));
    expect(header).toMatchObject({ width: 0x0203, height: 0x0405 });
  });
});

/** Of all that a file has. */
function all(...parts: readonly Bytes[]): JpegSegments {
  const segments = new JpegSegments(jpeg(...parts));
  while (segments.next() !== undefined);
  return segments;
}

describe('orientation', () => {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
  const prefix = [0x45, 0x78, 0x69, 0x66, 0, 0];

  it.each([
    ['Exif in APP1', 0xe1, [...prefix, ...tiff], 6],
    ['Exif elsewhere', 0xe2, [...prefix, ...tiff], 1],
    ['something else in APP1', 0xe1, tiff, 1],
  ])('comes from Exif in APP1: %s', (_, marker, data, orientation) => {
    const file = [segment(marker, data), frame(BASELINE, 8, 8, GREY), scan([1])];
    expect(read(...file).orientation).toBe(orientation);
  });
});

describe('segments', () => {
  it('are told by markers behind any filling, and their lengths', () => {
    const segments = new JpegSegments(jpeg([0xff, 0xff], segment(0xe5, [7, 8]), segment(0xfe, [])));
    expect(segments.next()).toEqual({ marker: 0xe5, payload: Uint8Array.of(7, 8) });
    expect(segments.next()).toEqual({ marker: 0xfe, payload: new Uint8Array() });
    expect(segments.next()).toBeUndefined();
    expect(segments.dataBytes).toBe(14);
  });

  it('have lengths that are right', () => {
    expect(() => all([0xff, 0xe5, 0, 1])).toThrow('a segment at byte 2 has a wrong length');
    expect(() => all([0xff, 0xe5, 0, 4])).toThrow('no end-of-image marker');
    expect(() => all([0xff, 0xe5, 0, 5])).toThrow('a segment at byte 2 has a wrong length');
    expect(() => all([0xff, 0xe5, 1, 2])).toThrow('a segment at byte 2 has a wrong length');
    expect(all(segment(0xe5, Array<number>(0x102).fill(1))).dataBytes).toBe(8);
  });

  it('are so many at the most', () => {
    const comment = segment(0xfe, []);
    all(...repeated(MAX_JPEG_SEGMENTS, comment));
    expect(() => all(...repeated(MAX_JPEG_SEGMENTS + 1, comment))).toThrow(
      `more than ${MAX_JPEG_SEGMENTS} segments`,
    );
  });

  it('have no markers between them but restarts and TEM, which are data', () => {
    expect(all([0xff, 0x01, 0xff, 0, 5, 0xff, 0xd0, 0xff, 0xd7]).restarts).toBe(2);
    expect(() => all([0xff, 0x02])).toThrow('unknown marker 0x2');
    expect(() => all([0xff, 0xbf])).toThrow('unknown marker 0xbf');
    expect(() => new JpegSegments(Uint8Array.of(0xff, 0xd8, 0xff, 0xd8, 0, 2)).next()).not.toThrow();
  });

  it('end with an end of image', () => {
    for (const end of [[], [0xff], [0xff, 0xff], [1, 2], [0xff, 0], [0xff, 0xd0]])
      expect(() => new JpegSegments(concat([0xff, 0xd8], end)).next(), end.join(' ')).toThrow('cut short');
    expect(new JpegSegments(Uint8Array.of(0xff, 0xd8, 3, 0xff, 0xd9)).next()).toBeUndefined();
  });
});
