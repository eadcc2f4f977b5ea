/**
 * A heat-map over a picture: what speaks for a label in orange, what speaks against it in blue, each the stronger the
 * larger its share; the picture itself paler and without colours, so that the two can't be taken for it.
 */
import type { Size } from './raster.ts';

/** RGB; told apart by people of every kind of colour vision. */
const FOR = [230, 85, 13];
const AGAINST = [33, 113, 181];
/** How much of the picture stays visible under the largest share. */
const MOST_COVER = 0.75;
/** How far the picture's greys move towards white. */
const PALENESS = 0.25;
/** Rec. 601 luma. */
const LUMA = [0.299, 0.587, 0.114];

/** height × width numbers, row by row. */
export interface Grid extends Size {
  readonly shares: ArrayLike<number>;
}

/**
 * @param pixels size.height × size.width × 3 bytes, RGB; left untouched.
 * @returns as many bytes.
 */
export function drawHeatMap(pixels: Uint8Array, size: Size, grid: Grid): Uint8Array {
  let strongest = 0;
  for (let i = 0; i < grid.shares.length; i++) strongest = Math.max(strongest, Math.abs(grid.shares[i]));
  const out = new Uint8Array(pixels.length);
  for (let y = 0; y < size.height; y++) {
    const row = ((y + 0.5) * grid.height) / size.height - 0.5;
    for (let x = 0; x < size.width; x++) {
      const column = ((x + 0.5) * grid.width) / size.width - 0.5;
      const at = (y * size.width + x) * 3;
      const grey = LUMA[0] * pixels[at] + LUMA[1] * pixels[at + 1] + LUMA[2] * pixels[at + 2];
      const share = strongest === 0 ? 0 : interpolate(grid, row, column) / strongest;
      const cover = Math.abs(share) * MOST_COVER;
      const colour = share > 0 ? FOR : AGAINST;
      for (let c = 0; c < 3; c++) {
        const pale = grey + (255 - grey) * PALENESS;
        out[at + c] = Math.round(pale * (1 - cover) + colour[c] * cover);
      }
    }
  }
  return out;
}

/** Bilinear; beyond the outermost centres the outermost value. */
function interpolate({ shares, height, width }: Grid, row: number, column: number): number {
  const [y, x] = [clamp(row, height), clamp(column, width)];
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [bottom, right] = [Math.min(top + 1, height - 1), Math.min(left + 1, width - 1)];
  const [down, across] = [y - top, x - left];
  const upper = shares[top * width + left] * (1 - across) + shares[top * width + right] * across;
  const lower = shares[bottom * width + left] * (1 - across) + shares[bottom * width + right] * across;
  return upper * (1 - down) + lower * down;
}

function clamp(at: number, cells: number): number {
  return Math.min(Math.max(at, 0), cells - 1);
}
