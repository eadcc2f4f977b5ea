/** A decoded picture as a codec leaves it in memory. */
import type { Orientation } from '../exif.ts';

/** How the samples of one pixel lie in memory. JPEG's CMYK is stored inverted (255 means no ink), as Adobe does it. */
export type PixelLayout = 'rgb' | 'rgba' | 'cmyk-inverted';

/** Sides in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a raster is, without its samples. */
export interface RasterShape extends Size {
  readonly layout: PixelLayout;
  /**
   * How many columns and rows the picture covers, where the last ones lie partly beyond it: at 5/8, 500 pixels cover
   * 312.5 columns of 313. Taking them for 313 would shift what lies at the far side by a third of a pixel.
   */
  readonly covered?: Size;
}

/** `data` holds height × width × (3 or 4) bytes, rows from the top, no padding. It may lie in a codec's WASM memory. */
export interface Raster extends RasterShape {
  readonly data: Uint8Array;
}

/** Takes a picture that is only valid during the call (it lies in a codec's memory). */
export type RasterConsumer<T> = (raster: Raster) => T;

/** @returns a size of the upright picture as one of the stored picture, whose sides orientations from 5 on swap. */
export function asStored({ width, height }: Size, orientation: Orientation): Size {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

/** @returns bytes in one pixel of the layout. */
export function bytesPerPixel(layout: PixelLayout): number {
  return layout === 'rgb' ? 3 : 4;
}
