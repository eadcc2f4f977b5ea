/** What a PNG's chunks say, on files of one pixel or of no data: which are read, which are checked, and what decoding costs. */
import { deflateRawSync, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_INTERLACED_PNG_BLOCKS, MAX_PNG_CHUNKS } from '../../../src/image/limits.ts';
import { readPngHeader } from '../../../src/image/png/header.ts';
import { pngWork } from '../../../src/image/png/work.ts';
import { concatLarge, END, headerChunk, outcome, SIGNATURE } from './pngs.ts';
import { concat, makePng, newDecoder, pngChunk } from './support.ts';

const decoder = newDecoder();
const NONE = new Uint8Array();
const SHAPE = { width: 1, height: 1, depth: 8, colour: 0 };
const GREY = headerChunk(SHAPE);
const DATA = pngChunk('IDAT', new Uint8Array(deflateSync(Uint8Array.of(0, 77))));
const file = (...chunks: readonly Uint8Array[]): Uint8Array => concat(SIGNATURE, ...chunks);
const read = (...chunks: readonly Uint8Array[]) => readPngHeader(file(...chunks));
/** The same chunk with a wrong checksum. */
const wrong = (chunk: Uint8Array): Uint8Array => chunk.with(chunk.length - 1, chunk[chunk.length - 1] ^ 1);

const exif = (orientation: number): Uint8Array =>
  pngChunk(
    'eXIf',
    Uint8Array.of(
      ...Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0'),
      orientation,
      0,
      0,
      0,
      0,
      0,
      0,
    ),
  );

const withByte = (at: number, value: number): Uint8Array => {
  const data = GREY.slice(8, 21);
  data[at] = value;
  return pngChunk('IHDR', data);
};

describe('the header chunk', () => {
  it('comes first, whole and with its checksum, and once', () => {
    const whole = file(GREY, DATA, END);
    expect(readPngHeader(whole)).toMatchObject({ ...SHAPE, orientation: 1, interlaced: false });
    for (const bytes of [whole.subarray(0, 32), file(DATA, END), whole.with(11, 14)])
      expect(() => readPngHeader(bytes)).toThrow('header chunk (IHDR) is missing');
    expect(() => readPngHeader(whole.subarray(0, 33))).toThrow('it has no IEND chunk');
    expect(() => read(wrong(GREY), DATA, END)).toThrow('checksum of its "IHDR"');
    expect(() => read(GREY, GREY, DATA, END)).toThrow('two header chunks');
    expect(readPngHeader(concat([1, 2, 3], whole).subarray(3)).width).toBe(1);
  });

  it('has depths that go with its colour type', () => {
    const depths = new Map([
      [0, [1, 2, 4, 8, 16]],
      [2, [8, 16]],
      [3, [1, 2, 4, 8]],
      [4, [8, 16]],
      [6, [8, 16]],
    ]);
    const palette = pngChunk('PLTE', new Uint8Array(3));
    for (let colour = 0; colour < 8; colour++)
      for (let depth = 0; depth <= 32; depth++) {
        const attempt = () => read(headerChunk({ ...SHAPE, depth, colour }), palette, DATA, END);
        if (depths.get(colour)?.includes(depth)) expect(attempt()).toMatchObject({ depth, colour });
        else expect(attempt).toThrow('do not go together');
      }
  });

  it('has known methods: one of compression, one of filters, two of interlacing', () => {
    for (const at of [10, 11]) expect(() => read(withByte(at, 1), DATA, END)).toThrow('unknown compression');
    expect(() => read(withByte(12, 2), DATA, END)).toThrow('or interlacing');
    expect(read(withByte(12, 1), DATA, END).interlaced).toBe(true);
  });
});

describe('chunks', () => {
  it('that a decoder must know are checked, others are not there where they are damaged', () => {
    const other = (type: string): Uint8Array => wrong(pngChunk(type, Uint8Array.of(1, 2)));
    for (const type of ['PLTE', 'ZZZZ']) expect(() => read(GREY, other(type), DATA, END)).toThrow('checksum');
    for (const type of ['aaaa', 'zTXt']) read(GREY, other(type), DATA, END);
    expect(read(GREY, wrong(exif(6)), exif(3), DATA, END).orientation).toBe(3);
    expect(read(GREY, other('tRNS'), DATA, END).transparency).toEqual(NONE);
    expect(() => read(GREY, DATA, wrong(END))).toThrow('checksum of its "IEND"');
  });

  it('are whole, up to the end', () => {
    const whole = file(GREY, DATA, END);
    expect(readPngHeader(concat(whole, [1, 2])).data).toHaveLength(1);
    for (const length of [whole.length - 1, whole.length - 12, whole.length - 13])
      expect(() => readPngHeader(whole.subarray(0, length))).toThrow('cut short');
    const longer = whole.with(36, whole[36] + 13);
    expect(() => readPngHeader(longer)).toThrow(`its chunk at byte 33 goes on to byte ${whole.length + 1}`);
    expect(() => read(GREY, END)).toThrow('no picture data');
  });

  it('of the picture are kept as they are, with their checksums', () => {
    const [a, b] = [pngChunk('IDAT', Uint8Array.of(1)), pngChunk('IDAT', Uint8Array.of(2, 3))];
    const { data } = read(GREY, a, b, END);
    expect(data.map(({ bytes }) => [...bytes])).toEqual([[1], [2, 3]]);
    expect(data.map(({ checksum }) => checksum)).toEqual(
      [a, b].map((chunk) => new DataView(chunk.buffer).getUint32(chunk.length - 4)),
    );
  });

  it('are so many at the most', () => {
    const empty = pngChunk('aaaa', NONE);
    const others = (count: number): Uint8Array =>
      concatLarge([SIGNATURE, GREY, DATA, ...Array.from({ length: count }, () => empty), END]);
    expect(readPngHeader(others(MAX_PNG_CHUNKS - 3)).width).toBe(1);
    expect(() => readPngHeader(others(MAX_PNG_CHUNKS - 2))).toThrow(`more than ${MAX_PNG_CHUNKS} chunks`);
  });
});

/** The only pixel of a picture of one row. */
async function pixelOf(depth: number, colour: number, row: readonly number[], ...extra: Uint8Array[]) {
  const bytes = makePng({ ...SHAPE, depth, colour }, Uint8Array.of(0, ...row), concat(...extra));
  return [...(await decoder.decode(bytes, { width: 1, height: 1 })).pixels];
}

const key = (...bytes: number[]): Uint8Array => pngChunk('tRNS', Uint8Array.from(bytes));

describe('transparency', () => {
  const white = [255, 255, 255];

  it('is of the colour that all samples agree with, in as many bits as they have', async () => {
    expect(await pixelOf(8, 0, [7], key(9, 7))).toEqual(white);
    expect(await pixelOf(8, 0, [7], key(0, 8))).toEqual([7, 7, 7]);
    expect(await pixelOf(16, 0, [1, 7], key(1, 7))).toEqual(white);
    expect(await pixelOf(16, 0, [1, 7], key(2, 7))).toEqual([1, 1, 1]);
    expect(await pixelOf(8, 2, [7, 8, 9], key(0, 7, 0, 8, 0, 9))).toEqual(white);
    for (const [at, other] of [
      [1, key(0, 6, 0, 8, 0, 9)],
      [2, key(0, 7, 0, 6, 0, 9)],
      [3, key(0, 7, 0, 8, 0, 6)],
    ] as const)
      expect(await pixelOf(8, 2, [7, 8, 9], other), `${at}`).toEqual([7, 8, 9]);
  });

  it('has two bytes a sample, and is of grey and RGB alone', async () => {
    expect(await pixelOf(8, 0, [7], key(0, 7, 0, 7, 0, 7))).toEqual([7, 7, 7]);
    expect(await pixelOf(8, 2, [7, 7, 7], key(0, 7))).toEqual([7, 7, 7]);
    expect(await pixelOf(8, 4, [7, 255], key(0, 7))).toEqual([7, 7, 7]);
    expect(await pixelOf(8, 4, [7, 255], key(0, 7, 0, 7, 0, 7))).toEqual([7, 7, 7]);
    expect(await pixelOf(8, 6, [7, 7, 7, 255], key(0, 7, 0, 7, 0, 7))).toEqual([7, 7, 7]);
  });

  it('is by entry in a palette, whose missing ones are opaque and black', async () => {
    const palette = pngChunk('PLTE', Uint8Array.of(1, 2, 3, 4, 5, 6));
    expect(await pixelOf(8, 3, [1], palette)).toEqual([4, 5, 6]);
    expect(await pixelOf(8, 3, [1], palette, key(0))).toEqual([4, 5, 6]);
    expect(await pixelOf(8, 3, [0], palette, key(0))).toEqual(white);
    expect(await pixelOf(8, 3, [2], palette)).toEqual([0, 0, 0]);
  });
});

/** One pixel, behind so many blocks of nothing. */
function blocks(count: number, interlaced: boolean): Uint8Array {
  const raw = Uint8Array.of(0, 77);
  const empty = Uint8Array.of(0, 0, 0, 255, 255);
  const data = concatLarge([
    Uint8Array.of(0x78, 1),
    ...Array.from({ length: count }, () => empty),
    new Uint8Array(deflateRawSync(raw)),
    new Uint8Array(deflateSync(raw)).subarray(-4),
  ]);
  return concatLarge([SIGNATURE, headerChunk(SHAPE, interlaced), pngChunk('IDAT', data), END]);
}

describe('work', () => {
  const shape = { width: 101, height: 7, depth: 8, colour: 2, interlaced: false };

  it('is of pixels, samples, codes, rows and what stands beside', () => {
    const flat = 707 * 18 + 2_128 * 2.5 + 7 * 2_500;
    expect(pngWork(shape, 100, 50)).toBe(flat + 800 * 9 + 50 * 6);
    expect(pngWork(shape, 266, 0)).toBe(flat + 2_128 * 9);
    expect(pngWork(shape, 1_000, 0)).toBe(flat + 2_128 * 9);
    expect(pngWork({ ...shape, interlaced: true }, 100, 50)).toBe(
      flat + 707 * 10 + 7 * 2_500 + 800 * 9 + 50 * 6,
    );
    const bits = { ...shape, depth: 1, colour: 0 };
    expect(pngWork(bits, 1_000, 0)).toBe(707 * 18 + 7 * 14 * 11.5 + 7 * 2_500);
  });

  it('is told by the lengths of the chunks', () => {
    const bytes = file(
      headerChunk(shape),
      pngChunk('IDAT', new Uint8Array(60)),
      pngChunk('IDAT', new Uint8Array(40)),
      END,
    );
    expect(readPngHeader(bytes).work).toBe(pngWork(shape, 100, bytes.length - 100));
  });

  it('of blocks is told as they come, 4 µs each', async () => {
    for (const interlaced of [false, true]) {
      const bytes = blocks(1_000, interlaced);
      let told = 0;
      await decoder.decode(bytes, { width: 1, height: 1 }, { allow: (ns) => (told += ns) });
      const counted = (told - readPngHeader(bytes).work) / 4_000;
      // The last ones come with the last row.
      expect(counted).toBeGreaterThan(980);
      expect(counted).toBeLessThanOrEqual(1_001);
      expect(counted % 1).toBe(0);
    }
  });

  it('of blocks is bounded where there is no pause', async () => {
    expect(await outcome(decoder, blocks(MAX_INTERLACED_PNG_BLOCKS - 1, true))).toBe('decoded');
    expect(await outcome(decoder, blocks(MAX_INTERLACED_PNG_BLOCKS + 100, true))).toContain('blocks');
    expect(await outcome(decoder, blocks(MAX_INTERLACED_PNG_BLOCKS + 100, false))).toBe('decoded');
  });

  it('is paused for every 5 ms of it', async () => {
    const rows = { width: 800, height: 600, depth: 8, colour: 2 };
    const bytes = makePng(rows, new Uint8Array(600 * 2_401));
    const rowsBetween = Math.ceil(5e6 / (readPngHeader(bytes).work / 600));
    let pauses = 0;
    await decoder.decode(bytes, { width: 8, height: 8 }, { pause: async () => void pauses++ });
    expect(pauses).toBe(Math.floor(600 / rowsBetween));
  });
});
