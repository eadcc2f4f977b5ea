/** What a map is like: each channel's mean, its standard deviation and its largest magnitude. */
import { PIXEL_BYTES } from '../sizes';

@unmanaged
export class Statistics {
  kernel: i32;
  input: usize;
  row: i32;
  plane: i32;
  height: i32;
  width: i32;
  blocks: i32;
  /** f32[blocks][8]: the mean over space. */
  means: usize;
  /** f32[blocks][8]: the largest magnitude, or 0 where it is not needed. */
  peaks: usize;
  /** f32[blocks][8]: the standard deviation over space, or 0 where it is not needed. */
  deviations: usize;
}

/**
 * Of each block's eight channels and every other pixel there is a sum
 * of its own, or every addition would wait for the one before.
 */
@inline
function statisticsAs(s: Statistics, from: i32, to: i32, withPeaks: bool): void {
  const scale = f32x4.splat(1 / <f32>(s.height * s.width));
  const pairs = (s.width >> 1) * PIXEL_BYTES * 2;
  for (let block = from; block < to; block++) {
    let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, low = a0, high = a0;
    let row = s.input + block * s.plane;
    for (let y = 0; y < s.height; y++) {
      let x = row;
      for (const end = row + pairs; x < end; x += PIXEL_BYTES * 2) {
        const low0 = v128.load(x), high0 = v128.load(x, 16);
        const low1 = v128.load(x, PIXEL_BYTES), high1 = v128.load(x, PIXEL_BYTES + 16);
        a0 = f32x4.add(a0, low0); b0 = f32x4.add(b0, high0);
        a1 = f32x4.add(a1, low1); b1 = f32x4.add(b1, high1);
        if (!withPeaks) continue;
        low = f32x4.pmax(low, f32x4.pmax(f32x4.abs(low0), f32x4.abs(low1)));
        high = f32x4.pmax(high, f32x4.pmax(f32x4.abs(high0), f32x4.abs(high1)));
      }
      if (s.width & 1) {
        const low0 = v128.load(x), high0 = v128.load(x, 16);
        a0 = f32x4.add(a0, low0); b0 = f32x4.add(b0, high0);
        low = f32x4.pmax(low, f32x4.abs(low0)); high = f32x4.pmax(high, f32x4.abs(high0));
      }
      row += s.row;
    }
    const means = s.means + (block << 5), peaks = s.peaks + (block << 5);
    v128.store(means, f32x4.mul(f32x4.add(a0, a1), scale));
    v128.store(means, f32x4.mul(f32x4.add(b0, b1), scale), 16);
    if (!withPeaks) continue;
    v128.store(peaks, low); v128.store(peaks, high, 16);
  }
}

/**
 * Deviations of the blocks whose means are known: of x − mean the squares are summed, and, because a mean is rounded,
 * the differences themselves, whose squared mean is taken off again. A mean far larger than the deviation does no harm.
 */
function deviationsOf(s: Statistics, from: i32, to: i32): void {
  const scale = f32x4.splat(1 / <f32>(s.height * s.width)), zero = f32x4.splat(0);
  for (let half = from * 2; half < to * 2; half++) {
    const mean = v128.load(s.means + (half << 4));
    let sum = zero, squares = zero;
    let row = s.input + (half >> 1) * s.plane + ((half & 1) << 4);
    for (let y = 0; y < s.height; y++) {
      // A row has sums of its own, so that a large map's rounding errors stay those of a small one.
      let rowSum = zero, rowSquares = zero;
      for (let x = row, end = row + s.width * PIXEL_BYTES; x < end; x += PIXEL_BYTES) {
        const difference = f32x4.sub(v128.load(x), mean);
        rowSum = f32x4.add(rowSum, difference);
        rowSquares = f32x4.add(rowSquares, f32x4.mul(difference, difference));
      }
      sum = f32x4.add(sum, rowSum);
      squares = f32x4.add(squares, rowSquares);
      row += s.row;
    }
    const variance = f32x4.mul(f32x4.sub(squares, f32x4.mul(f32x4.mul(sum, sum), scale)), scale);
    v128.store(s.deviations + (half << 4), f32x4.sqrt(f32x4.pmax(zero, variance)));
  }
}

/** Runs the blocks of channels from `from` up to `to`. */
export function statisticsBlocks(s: Statistics, from: i32, to: i32): void {
  if (s.peaks) statisticsAs(s, from, to, true);
  else statisticsAs(s, from, to, false);
  if (s.deviations) deviationsOf(s, from, to);
}

export function statistics(s: Statistics): void { statisticsBlocks(s, 0, s.blocks); }
