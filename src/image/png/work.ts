/**
 * What decoding a PNG costs at most, by its header and the lengths of its chunks. Each number is a quarter to three quarters more
 * than was measured at the worst that was found (bench/hostile/png.ts), on flat pictures, noise of 2, 16 and 256 values, every
 * colour type and depth, and Paeth's filter.
 */
import { rowBytesOf, type PngShape } from './shape.ts';

/** A pixel to be expanded and resized, 11 to 16 measured, 26 with a transparent colour in 16 bits. */
const PIXEL_NS = 18;
/** A byte of samples to be copied, added to the checksum and taken out of its filter: 1 to 1.5 measured. */
const SAMPLE_BYTE_NS = 2.5;
/** One that has a prefix code of its own, which is one bit at least: 7 to 8 measured, in noise of 16 values. */
const CODED_BYTE_NS = 9;
/** A row, however short: 1,400 measured. */
const ROW_NS = 2_500;
/** A pixel that is put to its place in an interlaced picture: 2 to 11 measured. Interlaced pictures have nearly twice the rows. */
const INTERLACED_PIXEL_NS = 10;
const INTERLACED_ROWS = 2;
/** A byte of the file beside the picture's data: checksums, the dearest those of many small chunks. */
const BESIDE_BYTE_NS = 6;

/** @param dataBytes compressed ones. @param besideBytes of the file besides them. @returns nanoseconds. */
export function pngWork(shape: PngShape, dataBytes: number, besideBytes: number): number {
  const { width, height, interlaced } = shape;
  const samples = height * (1 + rowBytesOf(shape, width));
  const coded = Math.min(samples, 8 * dataBytes);
  const pixelNs = PIXEL_NS + (interlaced ? INTERLACED_PIXEL_NS : 0);
  const rows = height * (interlaced ? INTERLACED_ROWS : 1);
  return (
    width * height * pixelNs +
    samples * SAMPLE_BYTE_NS +
    coded * CODED_BYTE_NS +
    rows * ROW_NS +
    besideBytes * BESIDE_BYTE_NS
  );
}
