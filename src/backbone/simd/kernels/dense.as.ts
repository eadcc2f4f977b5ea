/** A fully connected layer between vectors with one number a channel. */
import { activate, madd } from './shared/activation.as';
import { accumulate } from './shared/conv-tiles.as';

@unmanaged
export class Dense {
  kernel: i32;
  activation: i32;
  input: usize;
  /** In 32-bit words, a multiple of 4. */
  inputLength: i32;
  /** f32[blocks][inputLength][8], or i16[blocks][inputLength][8][2] */
  weights: usize;
  bias: usize;
  output: usize;
  blocks: i32;
  /** With 16-bit words: what units are worth, as in a convolution. With floats 0. */
  weightUnits: usize;
  inputUnit: usize;
}

@inline
function denseAs<Word>(s: Dense): void {
  let w = s.weights;
  for (let block: usize = 0; block < <usize>s.blocks << 5; block += 32) {
    const zero = f32x4.splat(0);
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero;
    for (let x = s.input, end = x + (s.inputLength << 2); x < end; x += 16) {
      let k = v128.load32_splat(x);
      a0 = accumulate<Word>(k, v128.load(w), a0); b0 = accumulate<Word>(k, v128.load(w, 16), b0);
      k = v128.load32_splat(x, 4);
      a1 = accumulate<Word>(k, v128.load(w, 32), a1); b1 = accumulate<Word>(k, v128.load(w, 48), b1);
      k = v128.load32_splat(x, 8);
      a2 = accumulate<Word>(k, v128.load(w, 64), a2); b2 = accumulate<Word>(k, v128.load(w, 80), b2);
      k = v128.load32_splat(x, 12);
      a3 = accumulate<Word>(k, v128.load(w, 96), a3); b3 = accumulate<Word>(k, v128.load(w, 112), b3);
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

export function dense(s: Dense): void {
  if (s.weightUnits) denseAs<i16>(s);
  else denseAs<f32>(s);
}
