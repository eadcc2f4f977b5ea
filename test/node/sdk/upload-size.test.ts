import { describe, expect, it } from 'vitest';
import { uploadSize } from '../../../sdk/upload-size.ts';

describe('what a browser sends of a picture', () => {
  it.each([
    [4000, 3000, 640, 480],
    [3000, 4000, 480, 640],
    [1920, 1080, 853, 480],
    [2000, 2000, 480, 480],
    [640, 480, 640, 480],
    [500, 375, 500, 375],
    [3000, 480, 3000, 480],
    [1, 1, 1, 1],
    [20_000, 1_000, 4_096, 205],
    [1, 30_000, 1, 4_096],
  ])('of %i×%i is %i×%i', (width, height, ...sent) => {
    expect(Object.values(uploadSize({ width, height }))).toEqual(sent);
  });

  it('is at least 1.5 times the largest input, where the picture is', () => {
    for (let long = 432; long <= 4_096; long += 61)
      for (let short = 432; short <= long; short += 37) {
        const { width, height } = uploadSize({ width: long, height: short });
        expect(Math.min(width, height)).toBeGreaterThanOrEqual(long > (4_096 / 432) * short ? 0 : 1.5 * 288);
      }
  });
});
