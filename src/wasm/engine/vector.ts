/** Steps on vectors with one number a channel: what they say of a map, and a fully connected layer between them. */
import { accumulate, activate, madd } from './activation';
import { PIXEL_BYTES } from './codes';

@unmanaged
export class Statistics {
  op: i32;
  input: usize;
  row: i32;
  plane: i32;
  height: i32;
  width: i32;
  blocks: i32;
  /** f32[blocks][8]: the mean over space. */
  means: usize;
  /** f32[blocks][8]: the largest magnitude, or 0 where nobody asks. */
  peaks: usize;
}

/**
 * Runs the blocks of channels from `from` up to `to`. Of each block's eight channels and every other pixel there is a sum
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

export function statistics(s: Statistics, from: i32, to: i32): void {
  if (s.peaks) statisticsAs(s, from, to, true);
  else statisticsAs(s, from, to, false);
}

@unmanaged
export class Dense {
  op: i32;
  activation: i32;
  input: usize;
  /** In 32-bit words, a multiple of 4. */
  inputLength: i32;
  /** f32[blocks][inputLength][8], or i16[blocks][inputLength][8][2] */
  weights: usize;
  bias: usize;
  output: usize;
  blocks: i32;
  /** With 16-bit words: what units are worth, as in a convolution. */
  weightUnits: usize;
  inputUnit: usize;
}

export function dense<Word>(s: Dense): void {
  let w = s.weights;
  for (let block: usize = 0; block < <usize>s.blocks << 5; block += 32) {
    const zero = f32x4.splat(0);
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero;
    for (let x = s.input, end = x + (s.inputLength << 2); x < end; x += 16) {
      let k = v128.load32_splat(x);
      a0 = accumulate<Word>(k, v128.load(w), a0);
      b0 = accumulate<Word>(k, v128.load(w, 16), b0);
      k = v128.load32_splat(x, 4);
      a1 = accumulate<Word>(k, v128.load(w, 32), a1);
      b1 = accumulate<Word>(k, v128.load(w, 48), b1);
      k = v128.load32_splat(x, 8);
      a2 = accumulate<Word>(k, v128.load(w, 64), a2);
      b2 = accumulate<Word>(k, v128.load(w, 80), b2);
      k = v128.load32_splat(x, 12);
      a3 = accumulate<Word>(k, v128.load(w, 96), a3);
      b3 = accumulate<Word>(k, v128.load(w, 112), b3);
      w += 128;
    }
    a0 = finishSum<Word>(a0, a1, a2, a3, s.bias + block, s.weightUnits + block, s.inputUnit);
    b0 = finishSum<Word>(b0, b1, b2, b3, s.bias + block + 16, s.weightUnits + block + 16, s.inputUnit);
    v128.store(s.output + block, activate(a0, s.activation));
    v128.store(s.output + block, activate(b0, s.activation), 16);
  }
}

/** The four sums' sum as floats, with the bias. */
@inline
function finishSum<Word>(a: v128, b: v128, c: v128, d: v128, bias: usize, weightUnits: usize, inputUnit: usize): v128 {
  if (isFloat<Word>()) return f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), v128.load(bias));
  const sum = f32x4.convert_i32x4_s(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
  return madd(sum, f32x4.mul(v128.load(weightUnits), v128.load32_splat(inputUnit)), v128.load(bias));
}
