/** Depthwise convolution of floats: one filter a channel, any kernel and stride. Tiles have seven pixels of four channels. */
import { activate, madd } from './shared/activation.as';
import { bySide, DepthwiseStep } from './shared/depthwise-sides.as';
import { DEPTHWISE_TILE, HARD_SWISH, PIXEL_BYTES, RELU } from '../sizes';

@unmanaged
export class Depthwise extends DepthwiseStep {
  // weights: f32[octets][2][kernelHeight][kernelWidth][4]
  kernelHeight: i32;
  kernelWidth: i32;
  bias: usize;
  activation: i32;
  /** Rows of padding above the input that the first window takes in, and the input's rows. */
  top: i32;
  inputHeight: i32;

  /** @param side of the kernel, if it has code of its own and the map is wide enough for tiles; 0 otherwise. */
  @inline runAs(side: i32, stride: i32, from: i32, to: i32): void { depthwiseAs(this, side, stride, from, to); }
}

@inline
function storeTile(
  to: usize, kind: i32, a0: v128, a1: v128, a2: v128, a3: v128, a4: v128, a5: v128, a6: v128,
): void {
  v128.store(to, activate(a0, kind), 0 * PIXEL_BYTES);
  v128.store(to, activate(a1, kind), 1 * PIXEL_BYTES);
  v128.store(to, activate(a2, kind), 2 * PIXEL_BYTES);
  v128.store(to, activate(a3, kind), 3 * PIXEL_BYTES);
  v128.store(to, activate(a4, kind), 4 * PIXEL_BYTES);
  v128.store(to, activate(a5, kind), 5 * PIXEL_BYTES);
  v128.store(to, activate(a6, kind), 6 * PIXEL_BYTES);
}

/** sum + x · the weight in column `column` of the kernel's row, if there is such a column. */
@inline
function tap(column: i32, side: i32, x: v128, k0: v128, k1: v128, k2: v128, k3: v128, k4: v128, sum: v128): v128 {
  if (column < 0 || column >= side) return sum;
  return madd(x, column == 0 ? k0 : column == 1 ? k1 : column == 2 ? k2 : column == 3 ? k3 : k4, sum);
}

/**
 * Seven pixels of four channels, for a kernel of `side` × `side`, of whose weights the rows from `w` to `end` are used. A
 * kernel row's weights stay in registers while each input of the row is loaded once and added to all pixels that it
 * belongs to; what is written below is for either side and stride, and what does not apply is folded away.
 */
@inline
function tile(
  from: usize, row: usize, w: usize, end: usize, to: usize, bias: v128, side: i32, stride: i32, kind: i32,
): void {
  const columns = 6 * stride + side;
  let a0 = bias, a1 = bias, a2 = bias, a3 = bias, a4 = bias, a5 = bias, a6 = bias;
  for (; w < end; w += side << 4) {
    const k0 = v128.load(w), k1 = v128.load(w, 16), k2 = v128.load(w, 32);
    const k3 = side == 5 ? v128.load(w, 48) : k0, k4 = side == 5 ? v128.load(w, 64) : k0;
    let x = bias;
    x = v128.load(from + 0 * PIXEL_BYTES); a0 = tap(0 - 0 * stride, side, x, k0, k1, k2, k3, k4, a0);
    x = v128.load(from + 1 * PIXEL_BYTES); a0 = tap(1 - 0 * stride, side, x, k0, k1, k2, k3, k4, a0);
    a1 = tap(1 - 1 * stride, side, x, k0, k1, k2, k3, k4, a1);
    x = v128.load(from + 2 * PIXEL_BYTES); a0 = tap(2 - 0 * stride, side, x, k0, k1, k2, k3, k4, a0);
    a1 = tap(2 - 1 * stride, side, x, k0, k1, k2, k3, k4, a1); a2 = tap(2 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    x = v128.load(from + 3 * PIXEL_BYTES); a0 = tap(3 - 0 * stride, side, x, k0, k1, k2, k3, k4, a0);
    a1 = tap(3 - 1 * stride, side, x, k0, k1, k2, k3, k4, a1); a2 = tap(3 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    a3 = tap(3 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    x = v128.load(from + 4 * PIXEL_BYTES); a0 = tap(4 - 0 * stride, side, x, k0, k1, k2, k3, k4, a0);
    a1 = tap(4 - 1 * stride, side, x, k0, k1, k2, k3, k4, a1); a2 = tap(4 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    a3 = tap(4 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3); a4 = tap(4 - 4 * stride, side, x, k0, k1, k2, k3, k4, a4);
    x = v128.load(from + 5 * PIXEL_BYTES); a1 = tap(5 - 1 * stride, side, x, k0, k1, k2, k3, k4, a1);
    a2 = tap(5 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2); a3 = tap(5 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    a4 = tap(5 - 4 * stride, side, x, k0, k1, k2, k3, k4, a4); a5 = tap(5 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5);
    x = v128.load(from + 6 * PIXEL_BYTES); a1 = tap(6 - 1 * stride, side, x, k0, k1, k2, k3, k4, a1);
    a2 = tap(6 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2); a3 = tap(6 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    a4 = tap(6 - 4 * stride, side, x, k0, k1, k2, k3, k4, a4); a5 = tap(6 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5);
    a6 = tap(6 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    x = v128.load(from + 7 * PIXEL_BYTES); a2 = tap(7 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    a3 = tap(7 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3); a4 = tap(7 - 4 * stride, side, x, k0, k1, k2, k3, k4, a4);
    a5 = tap(7 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5); a6 = tap(7 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    x = v128.load(from + 8 * PIXEL_BYTES); a2 = tap(8 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    a3 = tap(8 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3); a4 = tap(8 - 4 * stride, side, x, k0, k1, k2, k3, k4, a4);
    a5 = tap(8 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5); a6 = tap(8 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    if (columns > 9) x = v128.load(from + 9 * PIXEL_BYTES); a3 = tap(9 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    a4 = tap(9 - 4 * stride, side, x, k0, k1, k2, k3, k4, a4); a5 = tap(9 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5);
    a6 = tap(9 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    if (columns > 10) x = v128.load(from + 10 * PIXEL_BYTES); a3 = tap(10 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    a4 = tap(10 - 4 * stride, side, x, k0, k1, k2, k3, k4, a4); a5 = tap(10 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5);
    a6 = tap(10 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    if (columns > 11) x = v128.load(from + 11 * PIXEL_BYTES); a4 = tap(11 - 4 * stride, side, x, k0, k1, k2, k3, k4, a4);
    a5 = tap(11 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5);
    if (columns > 12) x = v128.load(from + 12 * PIXEL_BYTES); a4 = tap(12 - 4 * stride, side, x, k0, k1, k2, k3, k4, a4);
    a5 = tap(12 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5); a6 = tap(12 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    if (columns > 13) x = v128.load(from + 13 * PIXEL_BYTES); a5 = tap(13 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5);
    a6 = tap(13 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    if (columns > 14) x = v128.load(from + 14 * PIXEL_BYTES); a5 = tap(14 - 5 * stride, side, x, k0, k1, k2, k3, k4, a5);
    a6 = tap(14 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    if (columns > 15) x = v128.load(from + 15 * PIXEL_BYTES); a6 = tap(15 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    if (columns > 16) x = v128.load(from + 16 * PIXEL_BYTES); a6 = tap(16 - 6 * stride, side, x, k0, k1, k2, k3, k4, a6);
    from += row;
  }
  if (kind == HARD_SWISH) storeTile(to, HARD_SWISH, a0, a1, a2, a3, a4, a5, a6);
  else if (kind == RELU) storeTile(to, RELU, a0, a1, a2, a3, a4, a5, a6);
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
function depthwiseAs(s: Depthwise, side: i32, stride: i32, from: i32, to: i32): void {
  const kind = s.activation, row = s.inputRow, last = s.width - DEPTHWISE_TILE;
  const step = (side ? stride : s.stride) * PIXEL_BYTES;
  const weightBytes = (s.kernelHeight * s.kernelWidth) << 4;
  for (let half = from * 2; half < to * 2; half++) {
    const w = s.weights + half * weightBytes;
    const bias = v128.load(s.bias + (half << 4));
    let input = s.input + (half >> 1) * s.inputPlane + ((half & 1) << 4);
    let output = s.output + (half >> 1) * s.outputPlane + ((half & 1) << 4);
    for (let y = 0, above = s.top; y < s.height; y++, above -= s.stride) {
      // Rows of the kernel that lie in the padding add nothing.
      const first = max(above, 0), end = min(above + s.inputHeight, side);
      const skipped = side ? first * row : 0;
      for (let x = 0; x < s.width; x += side ? DEPTHWISE_TILE : 1) {
        // The last tile reaches back over pixels already done rather than past the end.
        const at = side ? min(x, last) : x;
        if (side) {
          const from = input + at * step + skipped, rows = w + (first * side << 4);
          tile(from, row, rows, w + (end * side << 4), output + at * PIXEL_BYTES, bias, side, stride, kind);
        } else pixel(s, input + at * step, w, output + at * PIXEL_BYTES, bias);
      }
      input += row * s.stride;
      output += s.outputRow;
    }
  }
}

/** Runs the eights of channels from `from` up to `to`. */
export function depthwiseBlocks(s: Depthwise, from: i32, to: i32): void { bySide<Depthwise>(s, DEPTHWISE_TILE, from, to); }

export function depthwise(s: Depthwise): void { depthwiseBlocks(s, 0, s.octets); }
