/** Resizes a PNG while it is read row by row, for pictures that would not fit in memory as a whole. */
import { HeadwaterError } from '../errors.ts';
import { checkWorkingBytes } from './header.ts';
import { MAX_STREAMED_PNG_PIXELS } from './limits.ts';
import { pngCodecBytes } from './png-codec.ts';
import type { PngHeader } from './png-header.ts';
import { readPngRows } from './png-rows.ts';
import type { Size } from './raster.ts';
import type { Resizer } from './resize.ts';

/**
 * @returns size.height × size.width × 3 bytes, RGB, upright: the same bytes as decoding it whole would give.
 * @throws image_too_many_pixels for an interlaced picture, whose rows come in seven passes, or one that would take too
 *   long; image_corrupt for damaged data.
 */
export function streamPng(header: PngHeader, resizer: Resizer, size: Size): Uint8Array {
  const { width, height, orientation } = header;
  if (header.interlaced) checkWorkingBytes('png', header, pngCodecBytes(header));
  if (width * height > MAX_STREAMED_PNG_PIXELS) {
    throw new HeadwaterError(
      'image_too_many_pixels',
      `The PNG is ${width}×${height} pixels; at most ${MAX_STREAMED_PNG_PIXELS} in all are accepted. Scale it down, or send it as a JPEG.`,
    );
  }
  const source = { width, height, layout: 'rgba' } as const;
  return resizer.resizeRows(source, orientation, size, (push) => readPngRows(header, push));
}
