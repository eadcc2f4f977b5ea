/** What pictures are made into: their size, and the rules by which bytes become pixels. */
import { MAX_TARGET_SIDE } from './limits.ts';
import type { Size } from './pixels/raster.ts';

/**
 * The numbered rules by which a picture's bytes become pixels: how it is decoded, scaled, turned and coloured. They
 * differ in JPEGs alone, which are decoded at a fraction of their size (jpeg/scale.ts). 1: at the smallest that covers
 * the input, which may be its very size. 2: at the smallest of which both sides are at least 1.5 times the input's, so
 * that the resizer's filter always has its part, and the same picture gives nearly the same pixels in every format.
 */
export const PIXEL_RULES = [1, 2] as const;
export type PixelRules = (typeof PIXEL_RULES)[number];

export interface ImageInput extends Size {
  /** 1 where absent. */
  readonly rules?: PixelRules;
}

/** So many pixels in all the results of one picture: as many as the largest alone has. */
const MAX_RESULT_PIXELS = MAX_TARGET_SIDE * MAX_TARGET_SIDE;

/** @throws RangeError for an impossible input, for none, and for more pixels in all than one may have. */
export function checkInputs(inputs: readonly ImageInput[]): void {
  let pixels = 0;
  for (const { width, height, rules = 1 } of inputs) {
    for (const side of [width, height]) {
      if (!Number.isInteger(side) || side < 1 || side > MAX_TARGET_SIDE) {
        throw new RangeError(
          `A picture can be resized to whole sides of 1…${MAX_TARGET_SIDE} pixels, not ${width}×${height}`,
        );
      }
    }
    if (!PIXEL_RULES.includes(rules)) throw new RangeError(`There are pixel rules 1 and 2, and no ${rules}`);
    pixels += width * height;
  }
  if (pixels === 0) throw new RangeError('A picture is decoded for at least one input');
  if (pixels > MAX_RESULT_PIXELS) {
    throw new RangeError(
      `A picture can be made into ${MAX_RESULT_PIXELS} pixels in all, not ${pixels} of ${inputs.length} inputs`,
    );
  }
}
