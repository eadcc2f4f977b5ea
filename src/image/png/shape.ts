/** What a PNG's header chunk (IHDR) says of its samples, and how much room they take. */

/** IHDR's colour types. */
export const COLOUR_GREY = 0;
export const COLOUR_RGB = 2;
export const COLOUR_PALETTE = 3;
export const COLOUR_GREY_ALPHA = 4;
export const COLOUR_RGBA = 6;

/** The bit depths that each colour type may have. */
export const DEPTHS: ReadonlyMap<number, readonly number[]> = new Map([
  [COLOUR_GREY, [1, 2, 4, 8, 16]],
  [COLOUR_RGB, [8, 16]],
  [COLOUR_PALETTE, [1, 2, 4, 8]],
  [COLOUR_GREY_ALPHA, [8, 16]],
  [COLOUR_RGBA, [8, 16]],
]);

/** Samples of a pixel. */
export const CHANNELS: Readonly<Record<number, number>> = {
  [COLOUR_GREY]: 1,
  [COLOUR_RGB]: 3,
  [COLOUR_PALETTE]: 1,
  [COLOUR_GREY_ALPHA]: 2,
  [COLOUR_RGBA]: 4,
};

/** What IHDR says. */
export interface PngShape {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly interlaced: boolean;
}

/** @returns bits of one pixel in the file. */
export function bitsPerPixel({ colour, depth }: Pick<PngShape, 'colour' | 'depth'>): number {
  return CHANNELS[colour] * depth;
}

/** @returns bytes of so many pixels, without the filter's. */
export function rowBytesOf(header: Pick<PngShape, 'colour' | 'depth'>, pixels: number): number {
  return Math.ceil((pixels * bitsPerPixel(header)) / 8);
}
