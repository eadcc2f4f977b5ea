import { describe, expect, it } from 'vitest';
import { HeadwaterError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { MAX_FILE_BYTES, MAX_WORKING_BYTES } from '../../../src/image/limits.ts';
import { headerChunk, SIGNATURE } from './pngs.ts';
import {
  concat,
  FIXTURES,
  fixture,
  flatJpeg,
  greyPng,
  newDecoder,
  pngChunk,
  randomIntegers,
} from './support.ts';

const decoder = newDecoder();
const size = { width: 32, height: 32 };
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

async function codeOf(bytes: Uint8Array): Promise<ErrorCode | 'decoded'> {
  try {
    await decoder.decode(bytes, size);
    return 'decoded';
  } catch (error) {
    if (error instanceof HeadwaterError) return error.code;
    throw error;
  }
}

/** Position of the frame header's height in a JPEG. */
function frameHeightAt(bytes: Uint8Array): number {
  return bytes.findIndex((v, i) => v === 0xff && [0xc0, 0xc2].includes(bytes[i + 1])) + 5;
}

function withSides(bytes: Uint8Array, width: number, height: number): Uint8Array {
  const changed = bytes.slice();
  changed.set([height >> 8, height & 255, width >> 8, width & 255], frameHeightAt(bytes));
  return changed;
}

describe('files that are not supported pictures', () => {
  it.each([
    ['a GIF', 'GIF89a\x01\0\x01\0'],
    ['a BMP', 'BM\x46\0\0\0'],
    ['a TIFF', 'II*\0\x08\0\0\0'],
    ['a TIFF', 'MM\0*\0\0\0\x08'],
    ['a HEIC', '\0\0\0\x18ftypheic\0\0\0\0'],
    ['an AVIF', '\0\0\0\x1cftypavif\0\0\0\0'],
    ['an SVG', '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['a PDF', '%PDF-1.7\n'],
    ['an HTML', '<!DOCTYPE html><p>Not found'],
  ])('names %s', async (name, start) => {
    const failure = decoder.decode(latin1(start), size);
    await expect(failure).rejects.toMatchObject({ code: 'image_format_unknown' });
    await expect(failure).rejects.toThrow(name);
    await expect(failure).rejects.toThrow('JPEG, PNG and WebP');
  });

  it('tells empty, unknown and too long apart', async () => {
    expect(await codeOf(new Uint8Array())).toBe('image_empty');
    expect(await codeOf(latin1('hello, world'))).toBe('image_format_unknown');
    expect(await codeOf(Uint8Array.of(0xff))).toBe('image_format_unknown');
    expect(await codeOf(new Uint8Array(MAX_FILE_BYTES + 1))).toBe('image_too_large');
  });
});

describe('headers that claim too much are refused before decoding', () => {
  it('JPEG', async () => {
    expect(await codeOf(withSides(fixture('exif-1.jpg'), 30000, 30000))).toBe('image_too_many_pixels');
    expect(await codeOf(withSides(fixture('exif-1.jpg'), 65535, 10))).toBe('image_too_many_pixels');
    expect(await codeOf(flatJpeg(9000, 6000, 'progressive'))).toBe('image_too_many_pixels');
    expect(await codeOf(withSides(fixture('exif-1.jpg'), 0, 64))).toBe('image_corrupt');
    expect(await codeOf(withSides(fixture('exif-1.jpg'), 96, 0))).toBe('image_corrupt');
  });

  it('PNG', async () => {
    expect(await codeOf(greyPng(30000, 30000, new Uint8Array(100)))).toBe('image_too_many_pixels');
    expect(await codeOf(greyPng(8000, 8000, new Uint8Array(100)))).toBe('image_too_many_pixels');
    const header = headerChunk({ width: 7000, height: 7000, depth: 8, colour: 0 }, true);
    const interlaced = concat(SIGNATURE, header, greyPng(1, 1, new Uint8Array(2)).subarray(33));
    expect(await codeOf(interlaced)).toBe('image_too_many_pixels');
    expect(await codeOf(greyPng(0, 5, new Uint8Array(5)))).toBe('image_corrupt');
    expect(await codeOf(greyPng(0xffffffff, 0xffffffff, new Uint8Array(5)))).toBe('image_too_many_pixels');
  });

  it('WebP', async () => {
    const still = fixture('lossless.webp');
    new DataView(still.buffer).setUint32(21, 16383 | (16383 << 14), true);
    expect(await codeOf(still)).toBe('image_too_many_pixels');
    const animated = fixture('animated.webp');
    animated.fill(0xff, 24, 30);
    expect(await codeOf(animated)).toBe('image_too_many_pixels');
  });
});

describe('files that lie or are damaged', () => {
  it('a JPEG with less data than its frame header claims', async () => {
    expect(await codeOf(withSides(fixture('exif-1.jpg'), 96, 2000))).toBe('image_corrupt');
    expect(await codeOf(withSides(fixture('progressive.jpg'), 960, 640))).toBe('image_corrupt');
  });

  it('a JPEG with two frame headers, or none', async () => {
    const bytes = fixture('exif-1.jpg');
    const at = frameHeightAt(bytes) - 5;
    const frame = bytes.subarray(at, at + 19);
    expect(await codeOf(concat(bytes.subarray(0, at), frame, bytes.subarray(at)))).toBe('image_corrupt');
    expect(await codeOf(concat(bytes.subarray(0, at), bytes.subarray(at + 19)))).toBe('image_corrupt');
  });

  it('a progressive JPEG with hundreds of scans', async () => {
    const bytes = flatJpeg(64, 64, 'progressive');
    const at = bytes.lastIndexOf(0xda) - 1;
    const scans = Array.from({ length: 300 }, () => bytes.subarray(at, -2));
    expect(await codeOf(concat(bytes.subarray(0, at), ...scans, [0xff, 0xd9]))).toBe('image_corrupt');
  });

  it('tells that a truncated JPEG is cut short', async () => {
    await expect(decoder.decode(fixture('exif-1.jpg').subarray(0, 1500), size)).rejects.toThrow('cut short');
  });

  it('a JPEG cut in the middle whose end marker was put back', async () => {
    expect(await codeOf(concat(fixture('exif-1.jpg').subarray(0, 1500), [0xff, 0xd9]))).toBe('image_corrupt');
  });

  it('a PNG whose data inflate to far more or less than its header says', async () => {
    const before = decoder.peakMemoryBytes();
    expect(['decoded', 'image_corrupt']).toContain(
      await codeOf(greyPng(10, 10, new Uint8Array(100_000_000))),
    );
    expect(decoder.peakMemoryBytes()).toBeLessThan(before + 4_000_000);
    expect(await codeOf(greyPng(1000, 1000, new Uint8Array(500)))).toBe('image_corrupt');
  });

  it('the same for a large one', async () => {
    const before = decoder.peakMemoryBytes();
    expect(await codeOf(greyPng(6000, 5000, new Uint8Array(6001 * 5000 + 100_000_000)))).toBe('decoded');
    expect(await codeOf(greyPng(6000, 5000, new Uint8Array(500)))).toBe('image_corrupt');
    const damaged = greyPng(6000, 5000, new Uint8Array(6001 * 5000));
    damaged[60] ^= 1;
    expect(await codeOf(damaged)).toBe('image_corrupt');
    expect(decoder.peakMemoryBytes()).toBeLessThan(before + 500_000);
  });

  it('a PNG with a compressed bomb in its text, which is never unpacked', async () => {
    const bomb = pngChunk('iTXt', greyPng(1, 1, new Uint8Array(50_000_000)));
    expect(await codeOf(greyPng(4, 4, new Uint8Array(20), bomb))).toBe('decoded');
  });

  it('a still WebP that is smaller than its canvas', async () => {
    const bytes = fixture('alpha.webp');
    bytes[24] += 1;
    expect(await codeOf(bytes)).toBe('image_corrupt');
  });

  it('tolerates stray bytes before a JPEG marker, as cameras write them', async () => {
    const bytes = fixture('exif-1.jpg');
    const at = frameHeightAt(bytes) - 5;
    const stray = concat(bytes.subarray(0, at), [0, 1, 2], bytes.subarray(at));
    expect(await codeOf(stray)).toBe('decoded');
  });

  it('an animated WebP whose frame does not fit its canvas', async () => {
    const bytes = fixture('animated.webp');
    bytes.set([3, 0, 0, 3, 0, 0], 24);
    expect(await codeOf(bytes)).toBe('image_corrupt');
  });
});

describe('fuzzing', () => {
  it.each(FIXTURES)('%s: truncations and flipped bytes give a HeadwaterError or a picture', async (name) => {
    const bytes = fixture(name);
    const whole = await decoder.decode(bytes, size);
    const random = randomIntegers(bytes.length);
    const step = Math.max(1, Math.floor(bytes.length / 40));
    for (let length = 0; length < bytes.length; length += step) {
      expect(await codeOf(bytes.subarray(0, length)), `first ${length} bytes`).not.toBe('decoded');
    }
    for (let round = 0; round < 60; round++) {
      const damaged = bytes.slice();
      for (let flips = 1 + random(4); flips > 0; flips--) damaged[random(damaged.length)] = random(256);
      await codeOf(damaged);
    }
    expect(decoder.peakMemoryBytes()).toBeLessThanOrEqual(MAX_WORKING_BYTES);
    expect((await decoder.decode(bytes, size)).pixels).toEqual(whole.pixels);
  });
});
