/** What headers say that decoding will cost: enough to stop an attack, and not in the way of ordinary pictures. */
import { describe, expect, it } from 'vitest';
import { MAX_CALL_WORK_MS } from '../../../src/image/limits.ts';
import { checkJpegWork, readJpegHeader } from '../../../src/image/jpeg/header.ts';
import { HuffmanBits } from '../../../src/image/jpeg/huffman.ts';
import { DHT } from '../../../src/image/jpeg/segments.ts';
import { readPngHeader } from '../../../src/image/png/header.ts';
import { readWebpHeader } from '../../../src/image/webp/header.ts';
import { withoutSegments } from './jpeg-maker.ts';
import { concatLarge, headerChunk, SIGNATURE, END } from './pngs.ts';
import { concat, fixture, flatJpeg, newDecoder, pngChunk } from './support.ts';

const decoder = newDecoder();
const NS_PER_MS = 1e6;
/** As in worker/limits.ts, which src and its tests don't read. */
const REQUEST_NS = 2_000 * NS_PER_MS;

/** A WebP whose header says so much and whose data are as long. */
function webp(kind: 'VP8 ' | 'VP8L', width: number, height: number, bytes: number): Uint8Array {
  const file = new Uint8Array(20 + bytes + (bytes & 1));
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode('RIFF    WEBP'));
  file.set(new TextEncoder().encode(kind), 12);
  view.setUint32(4, file.length - 8, true);
  view.setUint32(16, bytes, true);
  if (kind === 'VP8L') {
    file[20] = 0x2f;
    view.setUint32(21, (width - 1) | ((height - 1) << 14), true);
  } else {
    file.set([0, 0, 0, 0x9d, 1, 0x2a, width & 255, width >> 8, height & 255, height >> 8], 20);
  }
  return file;
}

/** Of a PNG in RGB, or RGBA, whose data are so long. */
const png = (width: number, height: number, depth: number, dataBytes: number, colour = 2) =>
  readPngHeader(
    concatLarge([
      SIGNATURE,
      headerChunk({ width, height, depth, colour }),
      pngChunk('IDAT', new Uint8Array(dataBytes)),
      END,
    ]),
  ).work;

/** All the work that decoding a file tells of. */
async function told(bytes: Uint8Array): Promise<number> {
  let sum = 0;
  const allow = (workNs: number): void => void (sum += workNs);
  await decoder.decode(bytes, { width: 32, height: 32 }, { allow }).catch(() => undefined);
  return sum;
}

/** Baseline, with the standard Huffman tables and so much data. */
function photo(width: number, height: number, bytes: number): Uint8Array {
  const small = withoutSegments(flatJpeg(width, height), DHT);
  return concatLarge([small.subarray(0, -2), new Uint8Array(bytes), small.subarray(-2)]);
}

/** A Huffman table as a DHT segment has it. */
const table = (id: number, counts: readonly number[], symbols: readonly number[]) =>
  concat([id, ...counts, ...Array<number>(16 - counts.length).fill(0)], symbols);

describe('work that a header tells', () => {
  it('lets 32 photos of 12 megapixels through that fill a form', () => {
    const photo = new Uint8Array(786_000);
    photo.set(flatJpeg(4000, 3000));
    photo.set([0xff, 0xd9], photo.length - 2);
    expect(32 * readJpegHeader(photo).work).toBeLessThan(REQUEST_NS);
  });

  it.each([
    [4000, 3000, 6_000_000],
    [6000, 4000, 11_000_000],
    [8160, 6120, 9_000_000],
  ])('lets an ordinary photo through: %i×%i, %i bytes', (width, height, bytes) => {
    const header = readJpegHeader(photo(width, height, bytes));
    // All its blocks, and all that its data may hold.
    expect(header.work).toBeGreaterThan((1.5 * width * height * 60) / 64 + bytes * 20);
    expect(checkJpegWork(header, 1)).toBeLessThan(MAX_CALL_WORK_MS * NS_PER_MS);
  });

  it('refuses a JPEG of which each bit may be work', () => {
    expect(() => readJpegHeader(photo(8160, 6120, 19_000_000))).toThrow(`at most ${MAX_CALL_WORK_MS} ms`);
  });

  it('knows the shortest code with its coefficient of each Huffman table', () => {
    const codes = new HuffmanBits();
    expect([0, 1, 2, 3].map((id) => codes.leastOf([id]))).toEqual([3, 3, 3, 3]);
    codes.define(concat(table(0x11, [1], [0]), table(0x10, [1, 1], [0x03, 0x01]), table(0x01, [1], [1])));
    codes.define(table(0x12, [0, 0, 2], [0xf0, 0x12]));
    expect([0, 1, 2, 3].map((id) => codes.leastOf([id]))).toEqual([3, Infinity, 3, 3]);
    codes.define(table(0x13, [1, 1], [0, 0x21]));
    codes.define(table(0x10, [1], [0x01]).subarray(0, 17));
    expect(codes.leastOf([3])).toBe(3);
    expect(codes.leastOf([1, 2])).toBe(3);
    expect(codes.leastOf([0])).toBe(1);
  });

  it('counts what comes out of a JPEG decoder at its scale', () => {
    const header = readJpegHeader(flatJpeg(32_767, 255));
    expect(checkJpegWork(header, 8) - header.work).toBeGreaterThan(32_767 * 255 * 18);
    expect(checkJpegWork(header, 1) - header.work).toBeLessThan(32_767 * 255);
  });

  it('counts each scan of a JPEG', () => {
    const once = readJpegHeader(flatJpeg(1600, 1200, 'progressive')).work;
    const file = flatJpeg(1600, 1200, 'progressive');
    const scan = file.subarray(file.findLastIndex((v, i) => v === 0xda && file[i - 1] === 0xff) - 1, -2);
    const twice = readJpegHeader(concatLarge([file.subarray(0, -2), scan, file.subarray(-2)])).work;
    expect(twice - once).toBeGreaterThan((1600 * 1200 * 1.5 * 50) / 64);
  });

  it('lets 100 PNGs of 500×375 through, and not the dearest ones', () => {
    expect(100 * png(500, 375, 8, 300_000)).toBeLessThan(REQUEST_NS);
    expect(png(4000, 3000, 8, 18_000_000)).toBeLessThan(REQUEST_NS / 2);
    expect(png(7000, 7000, 16, 2_500_000, 6)).toBeGreaterThan(REQUEST_NS);
    expect(png(6000, 6000, 8, 19_000_000)).toBeGreaterThan(0.9 * REQUEST_NS);
  });

  it('is more for a PNG the more of its bytes have a code of their own', () => {
    const side = 1_000;
    const [flat, dense, stored] = [1, side * side, 3 * side * side].map((bytes) => png(side, side, 8, bytes));
    expect(dense - flat).toBeGreaterThan(7 * 3 * side * side);
    expect(stored - dense).toBe(0);
  });

  it.each([
    ['VP8 ', 4000, 3000, 8_000_000],
    ['VP8 ', 4000, 3000, 10_000],
    ['VP8 ', 3000, 2333, 700_000],
    ['VP8L', 2800, 2600, 500_000],
    ['VP8 ', 1900, 1500, 7_500_000],
  ] as const)(
    'refuses a WebP that could take too long in one call: %s %i×%i, %i bytes',
    (kind, width, height, bytes) => {
      expect(() => readWebpHeader(webp(kind, width, height, bytes))).toThrow(
        `at most ${MAX_CALL_WORK_MS} ms`,
      );
    },
  );

  it.each([
    ['VP8 ', 3000, 2333, 600_000],
    ['VP8 ', 2310, 1732, 3_100_000],
    ['VP8 ', 2310, 1732, 1_200_000],
    ['VP8 ', 1920, 1080, 1_500_000],
    ['VP8L', 2310, 1732, 4_000_000],
  ] as const)('lets an ordinary WebP through: %s %i×%i, %i bytes', (kind, width, height, bytes) => {
    const { work } = readWebpHeader(webp(kind, width, height, bytes));
    expect(work).toBeGreaterThan(width * height * 10);
    expect(work).toBeLessThanOrEqual(MAX_CALL_WORK_MS * NS_PER_MS);
  });
});

describe('work that a header tells is told before anything is done', () => {
  it.each([
    ['exif-1.jpg', (bytes: Uint8Array) => ({ work: checkJpegWork(readJpegHeader(bytes), 1) })],
    ['rgb.png', readPngHeader],
    ['lossy.webp', readWebpHeader],
  ])('%s', async (name, read) => {
    const bytes = fixture(name);
    const charged: number[] = [];
    const allow = (workNs: number): void => {
      charged.push(workNs);
      throw new RangeError('too much');
    };
    await expect(decoder.decode(bytes, { width: 8, height: 8 }, { allow })).rejects.toThrow('too much');
    expect(charged).toEqual([read(bytes).work]);
  });
});

describe('work on the files themselves', () => {
  const BYTES = 1_000_000;

  it.each(['exif-1.jpg', 'rgb.png', 'lossy.webp'])(
    'is told where nothing comes to be decoded: %s',
    async (name) => {
      const bytes = new Uint8Array(BYTES);
      bytes.set(fixture(name).subarray(0, 16));
      for (let at = 16; at < BYTES; at += 4) bytes[at] = 0xff;
      expect(await told(bytes)).toBeGreaterThanOrEqual(BYTES * 9);
    },
  );

  it('is told of what stands beside the picture in a PNG', async () => {
    const png = fixture('rgb.png');
    const beside = pngChunk('eXIf', new Uint8Array(BYTES));
    const longer = concat(png.subarray(0, 33), beside, png.subarray(33));
    expect((await told(longer)) - (await told(png))).toBeGreaterThanOrEqual(BYTES * 6);
  });
});
