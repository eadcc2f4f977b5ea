/** Steps on vectors with one number a channel: the mean of a map, and a fully connected layer (for squeeze-and-excite). */
import { activate, madd } from './activation';
import { PIXEL_BYTES } from './codes';

@unmanaged
export class Mean {
  op: i32;
  input: usize;
  row: i32;
  plane: i32;
  height: i32;
  width: i32;
  blocks: i32;
  output: usize;
  /** Bytes from one block of channels of the output to the next. */
  outputPlane: i32;
}

export function mean(s: Mean): void {
  const scale = f32x4.splat(1 / <f32>(s.height * s.width));
  for (let block = 0; block < s.blocks; block++) {
    let a0 = f32x4.splat(0), b0 = a0, a1 = a0, b1 = a0;
    let row = s.input + block * s.plane;
    for (let y = 0; y < s.height; y++) {
      let x = row;
      // Two sums each, or every addition would wait for the one before.
      for (const end = row + (s.width >> 1) * PIXEL_BYTES * 2; x < end; x += PIXEL_BYTES * 2) {
        a0 = f32x4.add(a0, v128.load(x));
        b0 = f32x4.add(b0, v128.load(x, 16));
        a1 = f32x4.add(a1, v128.load(x, 32));
        b1 = f32x4.add(b1, v128.load(x, 48));
      }
      if (s.width & 1) {
        a0 = f32x4.add(a0, v128.load(x));
        b0 = f32x4.add(b0, v128.load(x, 16));
      }
      row += s.row;
    }
    const output = s.output + block * s.outputPlane;
    v128.store(output, f32x4.mul(f32x4.add(a0, a1), scale));
    v128.store(output, f32x4.mul(f32x4.add(b0, b1), scale), 16);
  }
}

@unmanaged
export class Dense {
  op: i32;
  activation: i32;
  input: usize;
  /** A multiple of 8. */
  inputLength: i32;
  /** f32[blocks][inputLength][8] */
  weights: usize;
  bias: usize;
  output: usize;
  blocks: i32;
}

export function dense(s: Dense): void {
  let w = s.weights;
  for (let block = 0; block < s.blocks; block++) {
    let a0 = v128.load(s.bias + (block << 5)), b0 = v128.load(s.bias + (block << 5), 16);
    let a1 = f32x4.splat(0), b1 = a1, a2 = a1, b2 = a1, a3 = a1, b3 = a1;
    for (let x = s.input, end = x + (s.inputLength << 2); x < end; x += 16) {
      let k = v128.load32_splat(x);
      a0 = madd(k, v128.load(w), a0);
      b0 = madd(k, v128.load(w, 16), b0);
      k = v128.load32_splat(x, 4);
      a1 = madd(k, v128.load(w, 32), a1);
      b1 = madd(k, v128.load(w, 48), b1);
      k = v128.load32_splat(x, 8);
      a2 = madd(k, v128.load(w, 64), a2);
      b2 = madd(k, v128.load(w, 80), b2);
      k = v128.load32_splat(x, 12);
      a3 = madd(k, v128.load(w, 96), a3);
      b3 = madd(k, v128.load(w, 112), b3);
      w += 128;
    }
    const output = s.output + (block << 5);
    a0 = f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3));
    b0 = f32x4.add(f32x4.add(b0, b1), f32x4.add(b2, b3));
    v128.store(output, activate(a0, s.activation));
    v128.store(output, activate(b0, s.activation), 16);
  }
}
