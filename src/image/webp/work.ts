/**
 * What decoding a WebP costs at most, by its sides and the lengths of its chunks. Nanoseconds, each at least what was measured at
 * the worst that was found (photos, flat and soft pictures, noise), at the first picture of an isolate: V8 has not optimised the
 * decoder then, and later ones take 0.5 to 0.9 of that.
 */
import type { Bitstream } from './bitstream.ts';

/**
 * A lossy pixel: 20 to 25 in photos, 27 where all is soft, most of it the filter that smooths blocks' edges. In an isolate that has not
 * decoded a WebP before, soft pictures of 6 to 12 megapixels took 36 to 63, by how soon V8 has optimised the decoder.
 */
const LOSSY_PIXEL_NS = 50;
/** A byte of its data, up to half a byte a pixel (many small coefficients), and beyond. */
const LOSSY_SPARSE_BYTE_NS = 75;
const LOSSY_DENSE_BYTE_NS = 42;
/** A lossless pixel, 30 to 45 in a photo, 50 where all is soft, of which each is predicted from its neighbours; and a byte. */
const LOSSLESS_PIXEL_NS = 65;
const LOSSLESS_BYTE_NS = 17;
/** A pixel of an alpha plane, which is lossless and has one value. */
const ALPHA_PIXEL_NS = 30;
/** A pixel of the canvas that an animation's first frame is put on. */
const CANVAS_PIXEL_NS = 4;

/** @param canvasPixels where the frame is put on a canvas, else 0. */
export function webpWork({ width, height, lossless, chunk, alpha }: Bitstream, canvasPixels: number): number {
  const pixels = width * height;
  const bytes = chunk.data.length;
  const canvas = canvasPixels * CANVAS_PIXEL_NS;
  if (lossless) return canvas + pixels * LOSSLESS_PIXEL_NS + bytes * LOSSLESS_BYTE_NS;
  const sparse = Math.min(bytes, pixels / 2);
  const lossy =
    pixels * LOSSY_PIXEL_NS + sparse * LOSSY_SPARSE_BYTE_NS + (bytes - sparse) * LOSSY_DENSE_BYTE_NS;
  if (alpha === undefined) return canvas + lossy;
  return canvas + lossy + pixels * ALPHA_PIXEL_NS + alpha.data.length * LOSSLESS_BYTE_NS;
}
