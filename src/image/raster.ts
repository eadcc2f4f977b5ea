/** A decoded picture as a codec leaves it in memory, and how to read one row of it as plain RGB. */

/** How the samples of one pixel lie in memory. JPEG's CMYK is stored inverted (255 means no ink), as Adobe does it. */
export type PixelLayout = 'rgb' | 'rgba' | 'cmyk-inverted';

/** `data` holds height × width × (3 or 4) bytes, rows from the top, no padding. It may lie in a codec's WASM memory. */
export interface Raster {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly layout: PixelLayout;
}

/** Takes a picture that is only valid during the call (it lies in a codec's memory). */
export type RasterConsumer<T> = (raster: Raster) => T;

/** @returns bytes in one pixel of the layout. */
export function bytesPerPixel(layout: PixelLayout): number {
  return layout === 'rgb' ? 3 : 4;
}

/** round(v / 255) for 0 ≤ v ≤ 255², exactly, in integers. */
function divideBy255(v: number): number {
  return ((v + 128) * 257) >>> 16;
}

/**
 * Writes row `y` as RGB into `row` (length ≥ 3·width): transparency is blended over white, CMYK multiplied out
 * (R = C·K / 255 on inverted inks, the common conversion without a colour profile).
 */
export function readRowAsRgb(raster: Raster, y: number, row: Uint8Array): void {
  const { data, width, layout } = raster;
  let at = y * width * bytesPerPixel(layout);
  if (layout === 'rgb') {
    row.set(data.subarray(at, at + 3 * width));
    return;
  }
  for (let to = 0; to < 3 * width; to += 3, at += 4) {
    const last = data[at + 3];
    const veil = layout === 'rgba' ? 255 * (255 - last) : 0;
    if (last === 255) {
      row[to] = data[at];
      row[to + 1] = data[at + 1];
      row[to + 2] = data[at + 2];
    } else {
      row[to] = divideBy255(data[at] * last + veil);
      row[to + 1] = divideBy255(data[at + 1] * last + veil);
      row[to + 2] = divideBy255(data[at + 2] * last + veil);
    }
  }
}
