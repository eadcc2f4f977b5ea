import { describe, expect, it } from 'vitest';
import type { Orientation } from '../../../src/image/exif.ts';
import { bytesPerPixel, type Raster, type Size } from '../../../src/image/pixels/raster.ts';
import { triangleTaps } from '../../../src/image/pixels/triangle.ts';
import { resizeInPlainIntegers } from './resize-reference.ts';
import { largestDifference, newResizer, randomIntegers } from './support.ts';

const resizer = newResizer();
const resize = (source: Raster, orientation: Orientation, size: Size): Uint8Array =>
  resizer.resize(source, orientation, [size])[0];
const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8] as const;

function noise(width: number, height: number, layout: Raster['layout'], seed = 1): Raster {
  const random = randomIntegers(seed);
  const data = Uint8Array.from({ length: width * height * (layout === 'rgb' ? 3 : 4) }, () => random(256));
  return { data, width, height, layout };
}

/** Extremes are as frequent as all that lies between, so that sums come close to where they would overflow. */
function stark(width: number, height: number, layout: Raster['layout'], seed: number): Raster {
  const source = noise(width, height, layout, seed);
  const random = randomIntegers(seed + 1);
  return { ...source, data: source.data.map((v) => [0, 255, v, v][random(4)]) };
}

function weights(from: number, to: number, i: number): number[] {
  const radius = Math.max(1, from / to);
  const centre = ((i + 0.5) * from) / to;
  const raw = Array.from({ length: from }, (_, j) => Math.max(0, 1 - Math.abs((j + 0.5 - centre) / radius)));
  const sum = raw.reduce((a, b) => a + b);
  return raw.map((w) => w / sum);
}

/** One grey pixel for each letter. */
function letters(rows: readonly string[]): Uint8Array {
  const text = rows.join('');
  return Uint8Array.from({ length: 3 * text.length }, (_, i) => text.charCodeAt(Math.floor(i / 3)));
}

/** The triangle filter in double precision, straight from its definition, with no intermediate rounding. */
function reference(source: Raster, width: number, height: number): Uint8Array {
  const out = new Uint8Array(3 * width * height);
  const across = Array.from({ length: width }, (_, x) => weights(source.width, width, x));
  for (let y = 0; y < height; y++) {
    const down = weights(source.height, height, y);
    for (let i = 0; i < 3 * width; i++) {
      let sum = 0;
      for (let v = 0; v < source.height; v++) {
        if (down[v] === 0) continue;
        let row = 0;
        across[Math.floor(i / 3)].forEach(
          (w, u) => (row += w * source.data[3 * (v * source.width + u) + (i % 3)]),
        );
        sum += down[v] * row;
      }
      out[3 * width * y + i] = Math.round(sum);
    }
  }
  return out;
}

describe('resize', () => {
  it.each([
    [97, 61, 40, 30],
    [50, 37, 50, 37],
    [13, 7, 40, 21],
    [640, 3, 10, 9],
    [1, 1, 5, 5],
    [2, 90, 7, 1],
  ])('is within one level of the exact filter: %i×%i to %i×%i', (w, h, width, height) => {
    const source = noise(w, h, 'rgb');
    expect(
      largestDifference(resize(source, 1, { width, height }), reference(source, width, height)),
    ).toBeLessThanOrEqual(1);
  });

  it('keeps a picture of the target size as it is', () => {
    const source = noise(31, 17, 'rgb');
    expect(resize(source, 1, { width: 31, height: 17 })).toEqual(source.data);
  });

  it('keeps flat colour exactly, at any ratio', () => {
    for (const [w, h] of [
      [1, 1],
      [3, 1000],
      [2000, 7],
      [333, 777],
    ]) {
      const source: Raster = {
        data: new Uint8Array(3 * w * h).fill(255),
        width: w,
        height: h,
        layout: 'rgb',
      };
      expect(resize(source, 1, { width: 29, height: 31 }).every((v) => v === 255)).toBe(true);
    }
  });

  it('turns every orientation upright', () => {
    // One byte a pixel for the eye; CIPA DC-008 says where row 0 and column 0 of the stored picture belong.
    const upright = ['abc', 'def'];
    const stored: Record<Orientation, string[]> = {
      1: ['abc', 'def'],
      2: ['cba', 'fed'],
      3: ['fed', 'cba'],
      4: ['def', 'abc'],
      5: ['ad', 'be', 'cf'],
      6: ['cf', 'be', 'ad'],
      7: ['fc', 'eb', 'da'],
      8: ['da', 'eb', 'fc'],
    };
    for (const orientation of ORIENTATIONS) {
      const rows = stored[orientation];
      const source: Raster = {
        data: letters(rows),
        width: rows[0].length,
        height: rows.length,
        layout: 'rgb',
      };
      expect(resize(source, orientation, { width: 3, height: 2 }), `orientation ${orientation}`).toEqual(
        letters(upright),
      );
    }
  });

  it('blends transparency over white before it filters', () => {
    const data = Uint8Array.of(0, 0, 0, 0, 200, 100, 0, 255, 0, 0, 0, 128, 10, 20, 30, 51);
    const out = resize({ data, width: 4, height: 1, layout: 'rgba' }, 1, { width: 4, height: 1 });
    expect([...out]).toEqual([255, 255, 255, 200, 100, 0, 127, 127, 127, 206, 208, 210]);
  });

  it('multiplies out inverted CMYK', () => {
    const data = Uint8Array.of(255, 255, 255, 255, 255, 128, 0, 255, 200, 100, 50, 0, 255, 255, 255, 128);
    const out = resize({ data, width: 4, height: 1, layout: 'cmyk-inverted' }, 1, { width: 4, height: 1 });
    expect([...out]).toEqual([255, 255, 255, 255, 128, 0, 0, 0, 0, 128, 128, 128]);
  });
});

describe('resize, byte for byte the same as in plain integers', () => {
  const layouts = ['rgb', 'rgba', 'cmyk-inverted'] as const;

  it.each([
    [1, 1, 1, 1],
    [1, 1, 224, 224],
    [1, 500, 224, 224],
    [500, 1, 224, 224],
    [2, 3, 61, 64],
    [224, 224, 224, 224],
    [320, 240, 224, 224],
    [500, 375, 224, 224],
    [1001, 77, 16, 17],
    [32767, 2, 224, 5],
    [32767, 2, 1, 1],
    [2, 32767, 5, 224],
    [7, 5, 2048, 3],
  ])('%i×%i to %i×%i', (w, h, width, height) => {
    for (const layout of layouts) {
      const source = stark(w, h, layout, w + h);
      const expected = resizeInPlainIntegers(source, 1, { width, height });
      expect(largestDifference(resize(source, 1, { width, height }), expected), layout).toBe(0);
    }
  });

  it('at random sizes, in every layout and orientation, whole and row by row', async () => {
    const random = randomIntegers(11);
    for (let round = 0; round < 240; round++) {
      const layout = layouts[round % 3];
      const orientation = ORIENTATIONS[round % 8];
      const source = stark(1 + random(round % 5 ? 90 : 700), 1 + random(round % 7 ? 90 : 700), layout, round);
      const size = { width: 1 + random(70), height: 1 + random(70) };
      const what = `${source.width}×${source.height} ${layout} to ${size.width}×${size.height}, orientation ${orientation}`;
      const expected = resizeInPlainIntegers(source, orientation, size);
      expect(largestDifference(resize(source, orientation, size), expected), what).toBe(0);
      const rowBytes = source.width * bytesPerPixel(layout);
      const [streamed] = await resizer.resizeRows(source, orientation, [size], async (push) => {
        for (let at = 0; at < source.data.length; at += rowBytes)
          push(source.data.subarray(at, at + rowBytes));
      });
      expect(largestDifference(streamed, expected), `${what}, by rows`).toBe(0);
    }
  });
});

describe('a raster whose last column and row lie partly beyond the picture', () => {
  const whole = stark(63, 48, 'rgb', 3);
  const source = { ...whole, covered: { width: 62.5, height: 47.125 } };
  const size = { width: 40, height: 31 };

  it('gives the same bytes as plain integers, whatever came before', () => {
    for (const raster of [source, whole, source])
      expect(resize(raster, 1, size)).toEqual(resizeInPlainIntegers(raster, 1, size));
    expect(resize(source, 1, size)).not.toEqual(resize(whole, 1, size));
  });

  it('keeps a ramp where it was', () => {
    const ramp = Uint8Array.from({ length: 3 * 63 }, (_, i) => 4 * Math.floor(i / 3) + 2);
    const raster: Raster = {
      data: ramp,
      width: 63,
      height: 1,
      layout: 'rgb',
      covered: { width: 62.5, height: 1 },
    };
    const out = resize(raster, 1, { width: 25, height: 1 });
    // Each of 25 columns is 2.5 wide; those whose filter is cut off by the sides are left out.
    for (let x = 1; x < 24; x++) expect(Math.abs(out[3 * x] - 4 * 2.5 * (x + 0.5))).toBeLessThanOrEqual(1);
  });
});

describe('resizing row by row', () => {
  const source = { width: 3, height: 2, layout: 'rgb' } as const;
  const feedRows = (...lengths: number[]) =>
    resizer.resizeRows(source, 1, [{ width: 4, height: 4 }], async (push) =>
      lengths.forEach((length) => push(new Uint8Array(length))),
    );

  it('refuses rows of another length, too many and too few', async () => {
    await expect(feedRows(9, 8)).rejects.toThrow(RangeError);
    await expect(feedRows(9, 9, 9)).rejects.toThrow(RangeError);
    await expect(feedRows(9)).rejects.toThrow(RangeError);
    expect(await feedRows(9, 9)).toEqual([new Uint8Array(48)]);
  });

  it('needs memory for the width of the picture, not for its height', async () => {
    const fresh = newResizer();
    const row = new Uint8Array(3 * 1000);
    await fresh.resizeRows(
      { width: 1000, height: 20_000, layout: 'rgb' },
      1,
      [{ width: 224, height: 224 }],
      async (push) => {
        for (let y = 0; y < 20_000; y++) push(row);
      },
    );
    expect(fresh.peakMemoryBytes()).toBeLessThan(500_000);
  });
});

describe('triangleTaps', () => {
  it('gives weights that sum to one and stay inside the source', () => {
    for (const [from, to] of [
      [1, 224],
      [224, 224],
      [375, 224],
      [32767, 224],
      [5, 3],
    ]) {
      const { start, count, offset, weight } = triangleTaps(from, to, 16);
      for (let i = 0; i < to; i++) {
        expect(start[i]).toBeGreaterThanOrEqual(0);
        expect(start[i] + count[i]).toBeLessThanOrEqual(from);
        expect(count[i]).toBeGreaterThan(0);
        expect(weight.subarray(offset[i], offset[i] + count[i]).reduce((a, b) => a + b)).toBe(65536);
      }
    }
  });
});
