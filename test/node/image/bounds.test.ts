/** Every bound on pictures, at its last value that is taken and the first that is not. */
import { describe, expect, it } from 'vitest';
import {
  checkCallWork,
  checkFileSize,
  checkSides,
  corrupt,
  fitsWorkingBytes,
} from '../../../src/image/header.ts';
import { checkJpegMemory, checkJpegWork, type JpegHeader } from '../../../src/image/jpeg/header.ts';
import { chooseScale } from '../../../src/image/jpeg/scale.ts';
import {
  CODEC_BASE_BYTES,
  MAX_CALL_WORK_MS,
  MAX_FILE_BYTES,
  MAX_PIXELS,
  MAX_PNG_PIXELS,
  MAX_SIDE,
  MAX_TARGET_SIDE,
  MAX_WORKING_BYTES,
} from '../../../src/image/limits.ts';
import { checkPngSize, pngMemory } from '../../../src/image/png/decode.ts';
import type { PngHeader } from '../../../src/image/png/header.ts';
import { asStored } from '../../../src/image/pixels/raster.ts';
import { resizeMemory } from '../../../src/image/pixels/resize-cost.ts';
import { sniff } from '../../../src/image/sniff.ts';
import { DecodingWork } from '../../../src/image/work.ts';
import { fixture, newDecoder } from './support.ts';

const TOO_MANY: unknown = expect.objectContaining({ code: 'image_too_many_pixels' });
const CORRUPT: unknown = expect.objectContaining({ code: 'image_corrupt' });
const SPARE_BYTES = MAX_WORKING_BYTES - CODEC_BASE_BYTES;
const CALL_NS = MAX_CALL_WORK_MS * 1e6;

const decode = (width: number, height: number) => newDecoder().decode(fixture('bit1.png'), { width, height });

describe('a picture', () => {
  it('may have so many bytes', () => {
    const bytes = new Uint8Array(MAX_FILE_BYTES + 1);
    checkFileSize(bytes.subarray(1));
    expect(() => checkFileSize(bytes)).toThrow(expect.objectContaining({ code: 'image_too_large' }));
  });

  it('has sides, and no longer ones than it may', () => {
    checkSides('jpeg', 1, 1);
    checkSides('jpeg', MAX_SIDE, 1);
    checkSides('jpeg', 1, MAX_SIDE);
    expect(() => checkSides('jpeg', 0, 9)).toThrow(CORRUPT);
    expect(() => checkSides('jpeg', 9, 0)).toThrow(CORRUPT);
    expect(() => checkSides('jpeg', MAX_SIDE + 1, 1)).toThrow(TOO_MANY);
    expect(() => checkSides('jpeg', 1, MAX_SIDE + 1)).toThrow(TOO_MANY);
  });

  it('may have so many pixels', () => {
    checkSides('jpeg', 20_000, MAX_PIXELS / 20_000);
    expect(() => checkSides('jpeg', 20_000, MAX_PIXELS / 20_000 + 1)).toThrow(TOO_MANY);
  });

  it('may take so much memory and so much time in one call', () => {
    expect(fitsWorkingBytes(SPARE_BYTES)).toBe(true);
    expect(fitsWorkingBytes(SPARE_BYTES + 1)).toBe(false);
    const header = { width: 1, height: 1, orientation: 1 } as const;
    checkCallWork('jpeg', { ...header, work: CALL_NS });
    expect(() => checkCallWork('jpeg', { ...header, work: CALL_NS + 1 })).toThrow(
      `up to ${MAX_CALL_WORK_MS + 1} ms without`,
    );
  });

  it('can be made as large as a target may be', async () => {
    expect((await decode(MAX_TARGET_SIDE, 1)).pixels).toHaveLength(3 * MAX_TARGET_SIDE);
    expect((await decode(1, MAX_TARGET_SIDE)).pixels).toHaveLength(3 * MAX_TARGET_SIDE);
    for (const [width, height] of [
      [MAX_TARGET_SIDE + 1, 1],
      [1, MAX_TARGET_SIDE + 1],
      [1, 0],
      [0.5, 1],
    ])
      await expect(decode(width, height)).rejects.toThrow(RangeError);
  });

  it('that is corrupt says why, and from what that is known', () => {
    const cause = new Error('cause');
    expect(corrupt('png', 'it is', cause).cause).toBe(cause);
    expect('cause' in corrupt('png', 'it is')).toBe(false);
  });
});

describe('a JPEG', () => {
  const header: JpegHeader = {
    width: 1_000,
    height: 800,
    orientation: 1,
    work: 0,
    components: 3,
    buffered: false,
    coefficientBytes: 5_000_000,
  };

  it.each([
    // The result, 64 rows of samples at its width, and 4 at the picture's.
    [{}, 8, 1_000 * 800 * 3 + 1_000 * 3 * 64 + 1_000 * 3 * 4],
    [{}, 3, 375 * 300 * 3 + 375 * 3 * 64 + 1_000 * 3 * 4],
    [{ components: 1 }, 8, 1_000 * 800 * 3 + 1_000 * 64 + 1_000 * 4],
    [{ components: 4 }, 8, 1_000 * 800 * 4 + 1_000 * 4 * 64 + 1_000 * 4 * 4],
    [{ buffered: true }, 8, 1_000 * 800 * 3 + 1_000 * 3 * 64 + 1_000 * 3 * 4 + 5_000_000],
  ])('takes memory for its file, its rows and its coefficients: %o at %i/8', (changed, n, bytes) => {
    checkJpegMemory({ ...header, ...changed }, SPARE_BYTES - bytes, n);
    expect(() => checkJpegMemory({ ...header, ...changed }, SPARE_BYTES - bytes + 1, n)).toThrow(TOO_MANY);
  });

  const sides = (width: number, height: number) => ({ ...header, width, height });

  it('may be as much work as one call, what comes out of it included', () => {
    expect(checkJpegWork(header, 8)).toBe(800 * (1_000 * 3 * 8 + 1_500));
    expect(checkJpegWork(header, 3)).toBe(300 * (375 * 3 * 8 + 1_500));
    expect(checkJpegWork(header, 3, 7)).toBe(checkJpegWork(header, 3) + 7);
    const most = CALL_NS - checkJpegWork(header, 3);
    expect(checkJpegWork({ ...header, work: most }, 3)).toBe(CALL_NS);
    expect(() => checkJpegWork({ ...header, work: most + 1 }, 3)).toThrow(`at most ${MAX_CALL_WORK_MS} ms`);
    expect(() => checkJpegWork({ ...header, work: most }, 3, 1)).toThrow(`at most ${MAX_CALL_WORK_MS} ms`);
  });

  const target = { width: 224, height: 224 };

  it.each([
    [448, 448, 4],
    [447, 448, 4],
    [446, 448, 5],
    [448, 446, 5],
    [1_792, 1_792, 1],
    [1_784, 1_792, 2],
    [255, 255, 7],
    [254, 255, 8],
    [8, 8, 8],
  ])('is decoded at the smallest scale that covers the target on both sides: %i×%i', (width, height, n) => {
    expect(chooseScale(sides(width, height), target, 1)).toBe(n);
  });

  it.each([
    [672, 672, 4],
    [671, 672, 4],
    [670, 672, 5],
    [672, 670, 5],
    [2_688, 2_688, 1],
    [2_680, 2_688, 2],
    [383, 383, 7],
    [382, 383, 8],
    [336, 336, 8],
    [8, 8, 8],
  ])('and at one whose sides are 1.5 times as long by rules 2: %i×%i', (width, height, n) => {
    expect(chooseScale(sides(width, height), target, 2)).toBe(n);
  });

  it('is decoded for the longer of the sides that a target has', () => {
    expect(chooseScale(sides(1_000, 1_000), { width: 250, height: 125 }, 1)).toBe(2);
    expect(chooseScale(sides(1_000, 1_000), { width: 125, height: 250 }, 2)).toBe(3);
  });
});

describe('a PNG', () => {
  const header = { width: 10_000, height: 5_000, depth: 8, colour: 2, interlaced: false, work: CALL_NS + 1 };
  const png = (changed: Partial<PngHeader>): PngHeader => ({
    ...header,
    orientation: 1,
    data: [],
    palette: new Uint8Array(),
    transparency: new Uint8Array(),
    ...changed,
  });

  it('may have so many pixels, and be as much work as the request allows', () => {
    expect(header.width * header.height).toBe(MAX_PNG_PIXELS);
    checkPngSize(png({}));
    expect(() => checkPngSize(png({ height: 5_001 }))).toThrow(TOO_MANY);
  });

  it('that is interlaced may be as much work as one call', () => {
    checkPngSize(png({ interlaced: true, work: CALL_NS }));
    expect(() => checkPngSize(png({ interlaced: true }))).toThrow(`at most ${MAX_CALL_WORK_MS} ms`);
  });

  it('takes memory for two rows, for each pixel of one, and for each result', () => {
    const [small, wide] = [
      { width: 30, height: 20 },
      { width: 90, height: 10 },
    ];
    const fixed = 262_144 + 2 * 303 + 8 * 101;
    const results = (header: PngHeader) =>
      [small, wide].map((size) => resizeMemory(header, asStored(size, header.orientation)));
    const upright = png({ width: 101 });
    expect(pngMemory(upright, [small])).toBe(fixed + results(upright)[0]);
    expect(pngMemory(upright, [small, wide])).toBe(fixed + results(upright)[0] + results(upright)[1]);
    const turned = { ...upright, orientation: 6 } as const;
    expect(results(turned)).not.toEqual(results(upright));
    expect(pngMemory(turned, [wide])).toBe(fixed + results(turned)[1]);
    const bits = png({ width: 101, depth: 1, colour: 0 });
    expect(pngMemory(bits, [small])).toBe(262_144 + 2 * 13 + 8 * 101 + results(bits)[0]);
  });
});

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const behind = (blanks: number, text: string) => () => sniff(latin1(' '.repeat(blanks) + text));

describe('sniffing', () => {
  it('needs no more than the magic bytes, and all of them', () => {
    for (const [magic, format] of [
      ['\xff\xd8\xff', 'jpeg'],
      ['\x89PNG\r\n\x1a\n', 'png'],
      ['RIFF\0\0\0\0WEBP', 'webp'],
    ]) {
      const bytes = latin1(magic);
      expect(sniff(bytes)).toBe(format);
      expect(() => sniff(bytes.subarray(0, -1))).toThrow('not a picture');
      expect(() => sniff(bytes.with(1, 0x5a))).toThrow('not a picture');
      expect(() => sniff(bytes.with(bytes.length - 1, 0x5a))).toThrow('not a picture');
    }
  });

  it('looks for the root of an SVG or a page within the first kilobyte', () => {
    expect(behind(1_020, '<SVG')).toThrow('an SVG');
    expect(behind(1_021, '<svg')).toThrow('not a picture');
    expect(behind(3, '<html>')).toThrow('an HTML');
    expect(behind(3, '<!DOCTYPE html>')).toThrow('an HTML');
  });
});

describe('work', () => {
  it('is due for a pause after 5 ms, and then begins anew', async () => {
    let pauses = 0;
    const work = new DecodingWork({ pause: async () => void pauses++ });
    expect(work.due(3e6)).toBe(false);
    expect(work.due(2e6 - 1)).toBe(false);
    expect(work.due(1)).toBe(true);
    await work.rest();
    expect(pauses).toBe(1);
    expect(work.due(5e6 - 1)).toBe(false);
    expect(work.due(2)).toBe(true);
  });

  it('goes on where there is nothing to pause, to hold or to check', async () => {
    const work = new DecodingWork();
    work.allow(1e12);
    expect(work.due(1e12)).toBe(false);
    await work.rest();
    expect(await work.hold(1e12, async () => 7)).toBe(7);
  });
});
