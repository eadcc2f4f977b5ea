/** A decoded picture as a codec leaves it in memory. */

/** How the samples of one pixel lie in memory. JPEG's CMYK is stored inverted (255 means no ink), as Adobe does it. */
export type PixelLayout = 'rgb' | 'rgba' | 'cmyk-inverted';

/** Sides in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** `data` holds height × width × (3 or 4) bytes, rows from the top, no padding. It may lie in a codec's WASM memory. */
export interface Raster extends Size {
  readonly data: Uint8Array;
  readonly layout: PixelLayout;
}

/** Takes a picture that is only valid during the call (it lies in a codec's memory). */
export type RasterConsumer<T> = (raster: Raster) => T;

/** @returns bytes in one pixel of the layout. */
export function bytesPerPixel(layout: PixelLayout): number {
  return layout === 'rgb' ? 3 : 4;
}
