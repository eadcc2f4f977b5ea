/** Heat-maps pixel by pixel: colours, cover and place, from their definition. */
import { describe, expect, it } from 'vitest';
import { drawHeatMap, type Grid } from '../../../src/image/pixels/heat-map.ts';
import type { Size } from '../../../src/image/pixels/raster.ts';

const FOR = [230, 85, 13];
const AGAINST = [33, 113, 181];

/** A picture of one colour under a map. */
function draw(colour: readonly number[], size: Size, grid: Grid): number[][] {
  const pixels = Uint8Array.from({ length: 3 * size.width * size.height }, (_, i) => colour[i % 3]);
  const before = pixels.slice();
  const out = drawHeatMap(pixels, size, grid);
  expect(pixels).toEqual(before);
  return Array.from({ length: size.width * size.height }, (_, i) => [...out.subarray(3 * i, 3 * i + 3)]);
}

/** A pixel of a grey picture, made a quarter paler and covered with as much of a colour as its share says. */
function covered(grey: number, share: number): number[] {
  const pale = grey + (255 - grey) / 4;
  const cover = 0.75 * Math.abs(share);
  return (share > 0 ? FOR : AGAINST).map((c) => Math.round(pale * (1 - cover) + c * cover));
}

const plane = (row: number, column: number): number => (3 * row - 2 * column + 1) / 7;
const within = (at: number, last: number): number => Math.min(Math.max(at, 0), last);
const ONE = { width: 1, height: 1 };

describe('drawHeatMap', () => {
  it('is the picture in pale greys where nothing counts', () => {
    expect(draw([100, 100, 100], ONE, { ...ONE, shares: [0] })).toEqual([[139, 139, 139]]);
    // Luma 84.49, and a quarter of the way to white.
    expect(draw([10, 100, 200], ONE, { ...ONE, shares: [0] })).toEqual([[127, 127, 127]]);
  });

  it('is orange for a label and blue against it, three quarters at the most', () => {
    expect(draw([10, 100, 200], ONE, { ...ONE, shares: [0.02] })).toEqual([[204, 96, 42]]);
    expect(draw([10, 100, 200], ONE, { ...ONE, shares: [-7] })).toEqual([[57, 117, 168]]);
  });

  it('measures all shares by the strongest, whatever its sign', () => {
    const pixels = draw([40, 40, 40], { width: 3, height: 1 }, { width: 3, height: 1, shares: [1, -4, 2] });
    expect(pixels).toEqual([0.25, -1, 0.5].map((share) => covered(40, share)));
  });

  it('goes from cell to cell evenly, and not beyond the outermost centres', () => {
    const size = { width: 9, height: 12 };
    const shares = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => plane(row, column)));
    const pixels = draw([0, 0, 0], size, { width: 3, height: 3, shares });
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < size.width; x++) {
        const share = plane(within((y + 0.5) / 4 - 0.5, 2), within((x + 0.5) / 3 - 0.5, 2));
        expect(pixels[y * size.width + x], `${x}, ${y}`).toEqual(covered(0, share));
      }
  });
});
