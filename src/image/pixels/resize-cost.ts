/**
 * What resizing a picture takes at most, so that several results of one picture can be bounded. The estimates of the formats
 * hold one resize each; what is counted here is what comes on top. Targets are in the picture's stored orientation.
 */
import type { Size } from './raster.ts';

/** A pixel of the picture in the layout that takes longest: 1.4 in RGB, 3 with alpha. Nanoseconds, as all below. */
const PIXEL_NS = 4;
/** A row's pixel at the result's width, squeezed or added to the sums: 3.4 where nothing else counts. */
const SQUEEZED_NS = 5;
/** Rows to which each row of the result comes, besides the picture's: 10 a pixel where one pixel becomes 2048×2048. */
const RESULT_ROWS = 2;

/** @returns nanoseconds. */
export function resizeWork(source: Size, target: Size): number {
  const rows = source.height + RESULT_ROWS * target.height;
  return source.width * source.height * PIXEL_NS + rows * target.width * SQUEEZED_NS;
}

/** Rows pushed at once, fields, and what is lost to alignment and to whole pages of memory. */
const BASE_BYTES = 32_768 + 2_048 + 65_536;
/** A pixel of the picture's width, as it is pushed and converted. */
const ROW_PIXEL_BYTES = 7;
/** A pixel of a row of sums, and of the result, which is also copied. */
const SUM_BYTES = 12;
const RESULT_BYTES = 6;
const WEIGHT_BYTES = 4;

/** @returns bytes: at least what resize-job.ts lays out, and the result. */
export function resizeMemory(source: Size, target: Size): number {
  const across = tapsOf(source.width, target.width);
  const down = tapsOf(source.height, target.height);
  // How many rows of the result are open at once: those that a row of the picture reaches.
  const open = Math.min(target.height, Math.ceil((down * target.height) / source.height) + 1);
  return (
    BASE_BYTES +
    ROW_PIXEL_BYTES * source.width +
    // Weights across are in fours, each in two parts, with a pixel's address.
    target.width * (WEIGHT_BYTES * (across + 4) + WEIGHT_BYTES) +
    target.height * (WEIGHT_BYTES * (down + 3)) +
    (open + 2) * (SUM_BYTES * target.width + 64) +
    RESULT_BYTES * target.width * target.height
  );
}

/** The most samples that one of the result is made of: see triangle.ts. */
function tapsOf(from: number, to: number): number {
  return Math.floor(2 * Math.max(1, from / to)) + 1;
}

/** @returns what several resizes take of which one, the cheapest, is counted already. */
export function beyondOne(costs: readonly number[]): number {
  return costs.reduce((sum, cost) => sum + cost, 0) - Math.min(...costs);
}
