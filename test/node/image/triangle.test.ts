/** Weights of the triangle filter against their definition, and tables that are kept between pictures of other sizes. */
import { describe, expect, it } from 'vitest';
import { triangleTaps } from '../../../src/image/pixels/triangle.ts';
import { largestDifference, newResizer, randomIntegers } from './support.ts';

const BITS = 16;

/** By target, the weight of every source sample in units of 2^-BITS, not rounded. */
function exactWeights(from: number, to: number, covered: number): number[][] {
  const ratio = covered / to;
  const radius = Math.max(1, ratio);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * ratio;
    const raw = Array.from({ length: from }, (_each, j) =>
      Math.max(0, 1 - Math.abs(j + 0.5 - centre) / radius),
    );
    const sum = raw.reduce((a, b) => a + b);
    return raw.map((w) => (w / sum) * 2 ** BITS);
  });
}

describe('triangleTaps', () => {
  it.each([
    [10, 3, 10],
    [3, 10, 3],
    [7, 7, 7],
    [1, 4, 1],
    [9, 1, 9],
    [13, 5, 12.5],
    [64, 64, 63.125],
    [100, 7, 99.25],
  ])('%i samples to %i, of which %f are covered', (from, to, covered) => {
    const { start, count, offset, weight } = triangleTaps(from, to, BITS, covered);
    let end = 0;
    for (const [i, exact] of exactWeights(from, to, covered).entries()) {
      expect(offset[i]).toBe(end);
      // No tap is spent on a sample that does not count, and none is left out.
      expect(exact[start[i]]).toBeGreaterThan(0);
      expect(exact[start[i] - 1] ?? 0).toBe(0);
      expect(exact[start[i] + count[i]] ?? 0).toBe(0);
      end += count[i];
      const rounded = exact.map(Math.round);
      const largest = exact.indexOf(Math.max(...exact));
      rounded[largest] += 2 ** BITS - rounded.reduce((a, b) => a + b);
      const got = exact.map((_, j) =>
        j >= start[i] && j < start[i] + count[i] ? weight[offset[i] + j - start[i]] : 0,
      );
      // Equal weights may be told apart by rounding alone, so that another of them takes what is left.
      expect(
        got.toSorted((a, b) => a - b),
        `${i}`,
      ).toEqual(rounded.toSorted((a, b) => a - b));
      expect(
        largestDifference(
          Uint8Array.from(got.map((w) => w >> 9)),
          Uint8Array.from(rounded.map((w) => w >> 9)),
        ),
      ).toBeLessThanOrEqual(1);
    }
    expect(weight).toHaveLength(end);
  });
});

describe('a resizer', () => {
  it('has other tables for a picture that differs in one size alone', () => {
    const resizer = newResizer();
    const random = randomIntegers(5);
    const data = Uint8Array.from({ length: 3 * 40 * 40 }, () => random(256));
    const sizes = { width: 40, height: 40, covered: { width: 40, height: 40 }, to: { width: 9, height: 9 } };
    const resize = ({ to, ...source }: typeof sizes, by = resizer): Uint8Array =>
      by.resize({ ...source, data: data.subarray(0, 3 * source.width * source.height), layout: 'rgb' }, 1, [
        to,
      ])[0];
    for (const changed of [
      { width: 39 },
      { height: 39 },
      { covered: { width: 39.5, height: 40 } },
      { covered: { width: 40, height: 39.5 } },
      { to: { width: 8, height: 9 } },
      { to: { width: 9, height: 8 } },
    ]) {
      resize(sizes);
      const other = { ...sizes, ...changed };
      expect(resize(other), JSON.stringify(changed)).toEqual(resize(other, newResizer()));
    }
  });
});
