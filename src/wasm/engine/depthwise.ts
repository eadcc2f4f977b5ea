/**
 * Depthwise convolution: one filter a channel, any kernel and stride, from a map that lies inside its own padding, so
 * that no pixel is special. 3×3 and 5×5 at strides 1 and 2 have code of their own, which takes seven pixels of four
 * channels at a time with every offset a constant; all others go pixel by pixel.
 */
import { activate, madd } from './activation';
import { DEPTHWISE_TILE, HARD_SWISH, PIXEL_BYTES, RELU, RELU6 } from './codes';
import { Any, Bytes32, Bytes64 } from './distance';

@unmanaged
export class Depthwise {
  op: i32;
  activation: i32;
  /** The first window's first pixel. */
  input: usize;
  inputRow: i32;
  /** Bytes between blocks of channels. */
  inputPlane: i32;
  stride: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  /** f32[blocks][2][kernelHeight][kernelWidth][4] */
  weights: usize;
  bias: usize;
  output: usize;
  outputRow: i32;
  outputPlane: i32;
  height: i32;
  width: i32;
  blocks: i32;
}

@inline
function storeTile(to: usize, kind: i32, a0: v128, a1: v128, a2: v128, a3: v128, a4: v128, a5: v128, a6: v128): void {
  v128.store(to, activate(a0, kind));
  v128.store(to, activate(a1, kind), PIXEL_BYTES);
  v128.store(to, activate(a2, kind), PIXEL_BYTES * 2);
  v128.store(to, activate(a3, kind), PIXEL_BYTES * 3);
  v128.store(to, activate(a4, kind), PIXEL_BYTES * 4);
  v128.store(to, activate(a5, kind), PIXEL_BYTES * 5);
  v128.store(to, activate(a6, kind), PIXEL_BYTES * 6);
}

/** Seven pixels of four channels, for a kernel of `side` × `side`. */
@inline
function tile<Step>(s: Depthwise, x: usize, w: usize, to: usize, bias: v128, side: i32): void {
  let a0 = bias, a1 = bias, a2 = bias, a3 = bias, a4 = bias, a5 = bias, a6 = bias;
  for (let ky = 0; ky < side; ky++) {
    let k = v128.load(w);
    a0 = madd(v128.load(x), k, a0);
    a1 = madd(v128.load(x, offsetof<Step>()), k, a1);
    a2 = madd(v128.load(x, offsetof<Step>() * 2), k, a2);
    a3 = madd(v128.load(x, offsetof<Step>() * 3), k, a3);
    a4 = madd(v128.load(x, offsetof<Step>() * 4), k, a4);
    a5 = madd(v128.load(x, offsetof<Step>() * 5), k, a5);
    a6 = madd(v128.load(x, offsetof<Step>() * 6), k, a6);
    k = v128.load(w, 16);
    a0 = madd(v128.load(x, PIXEL_BYTES), k, a0);
    a1 = madd(v128.load(x, offsetof<Step>() + PIXEL_BYTES), k, a1);
    a2 = madd(v128.load(x, offsetof<Step>() * 2 + PIXEL_BYTES), k, a2);
    a3 = madd(v128.load(x, offsetof<Step>() * 3 + PIXEL_BYTES), k, a3);
    a4 = madd(v128.load(x, offsetof<Step>() * 4 + PIXEL_BYTES), k, a4);
    a5 = madd(v128.load(x, offsetof<Step>() * 5 + PIXEL_BYTES), k, a5);
    a6 = madd(v128.load(x, offsetof<Step>() * 6 + PIXEL_BYTES), k, a6);
    k = v128.load(w, 32);
    a0 = madd(v128.load(x, PIXEL_BYTES * 2), k, a0);
    a1 = madd(v128.load(x, offsetof<Step>() + PIXEL_BYTES * 2), k, a1);
    a2 = madd(v128.load(x, offsetof<Step>() * 2 + PIXEL_BYTES * 2), k, a2);
    a3 = madd(v128.load(x, offsetof<Step>() * 3 + PIXEL_BYTES * 2), k, a3);
    a4 = madd(v128.load(x, offsetof<Step>() * 4 + PIXEL_BYTES * 2), k, a4);
    a5 = madd(v128.load(x, offsetof<Step>() * 5 + PIXEL_BYTES * 2), k, a5);
    a6 = madd(v128.load(x, offsetof<Step>() * 6 + PIXEL_BYTES * 2), k, a6);
    if (side == 5) {
      k = v128.load(w, 48);
      a0 = madd(v128.load(x, PIXEL_BYTES * 3), k, a0);
      a1 = madd(v128.load(x, offsetof<Step>() + PIXEL_BYTES * 3), k, a1);
      a2 = madd(v128.load(x, offsetof<Step>() * 2 + PIXEL_BYTES * 3), k, a2);
      a3 = madd(v128.load(x, offsetof<Step>() * 3 + PIXEL_BYTES * 3), k, a3);
      a4 = madd(v128.load(x, offsetof<Step>() * 4 + PIXEL_BYTES * 3), k, a4);
      a5 = madd(v128.load(x, offsetof<Step>() * 5 + PIXEL_BYTES * 3), k, a5);
      a6 = madd(v128.load(x, offsetof<Step>() * 6 + PIXEL_BYTES * 3), k, a6);
      k = v128.load(w, 64);
      a0 = madd(v128.load(x, PIXEL_BYTES * 4), k, a0);
      a1 = madd(v128.load(x, offsetof<Step>() + PIXEL_BYTES * 4), k, a1);
      a2 = madd(v128.load(x, offsetof<Step>() * 2 + PIXEL_BYTES * 4), k, a2);
      a3 = madd(v128.load(x, offsetof<Step>() * 3 + PIXEL_BYTES * 4), k, a3);
      a4 = madd(v128.load(x, offsetof<Step>() * 4 + PIXEL_BYTES * 4), k, a4);
      a5 = madd(v128.load(x, offsetof<Step>() * 5 + PIXEL_BYTES * 4), k, a5);
      a6 = madd(v128.load(x, offsetof<Step>() * 6 + PIXEL_BYTES * 4), k, a6);
    }
    w += side << 4;
    x += s.inputRow;
  }
  const kind = s.activation;
  if (kind == RELU) storeTile(to, RELU, a0, a1, a2, a3, a4, a5, a6);
  else if (kind == HARD_SWISH) storeTile(to, HARD_SWISH, a0, a1, a2, a3, a4, a5, a6);
  else if (kind == RELU6) storeTile(to, RELU6, a0, a1, a2, a3, a4, a5, a6);
  else storeTile(to, kind, a0, a1, a2, a3, a4, a5, a6);
}

/** One pixel of four channels, for any kernel. */
@inline
function pixel(s: Depthwise, x: usize, w: usize, to: usize, bias: v128): void {
  for (let ky = 0; ky < s.kernelHeight; ky++) {
    for (let kx = 0; kx < s.kernelWidth; kx++) {
      bias = madd(v128.load(x + kx * PIXEL_BYTES), v128.load(w), bias);
      w += 16;
    }
    x += s.inputRow;
  }
  v128.store(to, activate(bias, s.activation));
}

/** @param side of the kernel, if it has code of its own and the map is wide enough for tiles; 0 otherwise. */
@inline
function depthwiseAs<Step>(s: Depthwise, side: i32, from: i32, to: i32): void {
  const step = s.stride * PIXEL_BYTES;
  const weightBytes = (s.kernelHeight * s.kernelWidth) << 4;
  for (let half = from * 2; half < to * 2; half++) {
    const w = s.weights + half * weightBytes;
    const bias = v128.load(s.bias + (half << 4));
    let input = s.input + (half >> 1) * s.inputPlane + ((half & 1) << 4);
    let output = s.output + (half >> 1) * s.outputPlane + ((half & 1) << 4);
    for (let y = 0; y < s.height; y++) {
      for (let x = 0; x < s.width; x += side ? DEPTHWISE_TILE : 1) {
        // The last tile reaches back over pixels already done rather than past the end.
        const at = side ? min(x, s.width - DEPTHWISE_TILE) : x;
        if (side) tile<Step>(s, input + at * step, w, output + at * PIXEL_BYTES, bias, side);
        else pixel(s, input + at * step, w, output + at * PIXEL_BYTES, bias);
      }
      input += s.inputRow * s.stride;
      output += s.outputRow;
    }
  }
}

// Functions of their own, because V8 optimises one that holds all of them less well.
function depthwise3<Step>(s: Depthwise, from: i32, to: i32): void { depthwiseAs<Step>(s, 3, from, to); }
function depthwise5<Step>(s: Depthwise, from: i32, to: i32): void { depthwiseAs<Step>(s, 5, from, to); }
function depthwiseOther(s: Depthwise, from: i32, to: i32): void { depthwiseAs<Any>(s, 0, from, to); }

/** Runs the blocks of channels from `from` up to `to`. */
export function depthwise(s: Depthwise, from: i32, to: i32): void {
  const side = s.kernelHeight == s.kernelWidth && s.width >= DEPTHWISE_TILE ? s.kernelHeight : 0;
  if (side == 3 && s.stride == 1) depthwise3<Bytes32>(s, from, to);
  else if (side == 3 && s.stride == 2) depthwise3<Bytes64>(s, from, to);
  else if (side == 5 && s.stride == 1) depthwise5<Bytes32>(s, from, to);
  else if (side == 5 && s.stride == 2) depthwise5<Bytes64>(s, from, to);
  else depthwiseOther(s, from, to);
}
