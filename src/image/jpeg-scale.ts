/** The scales at which libjpeg-turbo decodes: n/8 of the size, n from 1 to 8. */
import type { Size } from './raster.ts';

/**
 * The smallest n of libjpeg-turbo's n/8 scales at which the decoded picture still covers the target on both sides.
 *
 * @param columns, rows the target, in the picture's stored orientation.
 */
export function chooseScale({ width, height }: Size, columns: number, rows: number): number {
  for (let n = 1; n < 8; n++) {
    if (scaledSide(width, n) >= columns && scaledSide(height, n) >= rows) return n;
  }
  return 8;
}

/** TurboJPEG's TJSCALED: ceil(side · n / 8). */
export function scaledSide(side: number, n: number): number {
  return Math.ceil((side * n) / 8);
}
