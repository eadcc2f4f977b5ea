/** The scales at which libjpeg-turbo decodes: n/8 of the size, n from 1 to 8. */
import type { PixelRules } from '../input.ts';
import type { Size } from '../pixels/raster.ts';

/** How many times the target's sides a decoded picture has at least, by the pixel rules. */
const MARGIN: Readonly<Record<PixelRules, number>> = { 1: 1, 2: 1.5 };

/**
 * @param target in the picture's stored orientation.
 * @returns the smallest n of libjpeg-turbo's n/8 scales at which both sides of the decoded picture are so large as the
 *   rules want them; 8 where none is.
 */
export function chooseScale({ width, height }: Size, target: Size, rules: PixelRules): number {
  const [columns, rows] = [MARGIN[rules] * target.width, MARGIN[rules] * target.height];
  for (let n = 1; n < 8; n++) {
    if (scaledSide(width, n) >= columns && scaledSide(height, n) >= rows) return n;
  }
  return 8;
}

/** TurboJPEG's TJSCALED: ceil(side · n / 8). */
export function scaledSide(side: number, n: number): number {
  return Math.ceil((side * n) / 8);
}
