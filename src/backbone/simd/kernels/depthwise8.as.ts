/**
 * Depthwise convolution of 8-bit codes, four pixels of eight channels at a time. Sums have 16 bits, in which the weights
 * are bounded to fit, and become codes by one rounding multiplication. With relaxed SIMD two rows of the
 * kernel are multiplied at once, which needs their inputs side by side.
 */
import { bySide, DepthwiseStep } from './shared/depthwise-sides.as';
import { bytes } from './shared/integer.as';

@unmanaged
export class Depthwise8 extends DepthwiseStep {
  // weights: i8[octets][kernelHeight][kernelWidth][8]; with relaxed SIMD [octets][kernelHeight / 2][kernelWidth][8][2]
  kernelHeight: i32;
  kernelWidth: i32;
  /** i16[octets][3][8]: what sums begin with, what they are multiplied by (in 1/32768), and what is added then */
  tables: usize;
  /** The least and the greatest code, in every byte. */
  low: i32;
  high: i32;

  /** @param side of the kernel, if it has code of its own and the map is wide enough for tiles; 0 otherwise. */
  @inline runAs(side: i32, stride: i32, from: i32, to: i32): void { depthwiseAs(this, side, stride, from, to); }
}

const PIXEL_BYTES = 16;
const TILE = 4;
/** Of a kernel's taps in one row, or two with relaxed SIMD. */
const TAP_BYTES = RELAXED ? 16 : 8;
const ROWS_AT_ONCE = RELAXED ? 2 : 1;

/** Eight channels of a pixel, with those of the pixel below where two rows are taken at once. */
@inline
function input(at: usize, row: usize): v128 {
  if (!RELAXED) return v128.load8x8_u(at);
  return i8x16.shuffle(
    v128.load64_zero(at), v128.load64_zero(at + row), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
  );
}

@inline function weights(at: usize): v128 { return RELAXED ? v128.load(at) : v128.load8x8_s(at); }

@inline
function accumulate(x: v128, w: v128, sum: v128): v128 {
  return i16x8.add(sum, RELAXED ? v128.relaxed_dot<i16>(w, x) : i16x8.mul(x, w));
}

@inline
function multiplied(sum: v128, by: v128): v128 {
  return RELAXED ? i16x8.relaxed_q15mulr_s(sum, by) : i16x8.q15mulr_sat_s(sum, by);
}

@inline
function rounded(sum: v128, tables: usize): v128 {
  return i16x8.add_sat_s(multiplied(sum, v128.load(tables, 16)), v128.load(tables, 32));
}

/** sum + x · the weight in column `column` of the kernel's row, if there is such a column. */
@inline
function tap(column: i32, side: i32, x: v128, k0: v128, k1: v128, k2: v128, k3: v128, k4: v128, sum: v128): v128 {
  if (column < 0 || column >= side) return sum;
  return accumulate(x, column == 0 ? k0 : column == 1 ? k1 : column == 2 ? k2 : column == 3 ? k3 : k4, sum);
}

/**
 * Four pixels of eight channels, for a kernel of `side` × `side`. A kernel row's weights stay in registers while each
 * input of the row is loaded once and added to all pixels that it belongs to; what does not apply to the side and stride
 * is folded away.
 */
@inline
function tile(
  from: usize, row: usize, w: usize, to: usize, tables: usize, side: i32, stride: i32, low: v128, high: v128,
): void {
  const columns = (TILE - 1) * stride + side;
  const start = v128.load(tables);
  let a0 = start, a1 = start, a2 = start, a3 = start;
  for (let ky = 0; ky < side; ky += ROWS_AT_ONCE) {
    const k0 = weights(w), k1 = weights(w + TAP_BYTES), k2 = weights(w + TAP_BYTES * 2);
    const k3 = side == 5 ? weights(w + TAP_BYTES * 3) : k0, k4 = side == 5 ? weights(w + TAP_BYTES * 4) : k0;
    let x = start;
    x = input(from, row); a0 = tap(0, side, x, k0, k1, k2, k3, k4, a0);
    x = input(from + 1 * PIXEL_BYTES, row); a0 = tap(1, side, x, k0, k1, k2, k3, k4, a0);
    a1 = tap(1 - stride, side, x, k0, k1, k2, k3, k4, a1);
    x = input(from + 2 * PIXEL_BYTES, row); a0 = tap(2, side, x, k0, k1, k2, k3, k4, a0);
    a1 = tap(2 - stride, side, x, k0, k1, k2, k3, k4, a1); a2 = tap(2 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    x = input(from + 3 * PIXEL_BYTES, row); a0 = tap(3, side, x, k0, k1, k2, k3, k4, a0);
    a1 = tap(3 - stride, side, x, k0, k1, k2, k3, k4, a1); a2 = tap(3 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    a3 = tap(3 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    x = input(from + 4 * PIXEL_BYTES, row); a0 = tap(4, side, x, k0, k1, k2, k3, k4, a0);
    a1 = tap(4 - stride, side, x, k0, k1, k2, k3, k4, a1); a2 = tap(4 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    a3 = tap(4 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    x = input(from + 5 * PIXEL_BYTES, row);
    a1 = tap(5 - stride, side, x, k0, k1, k2, k3, k4, a1); a2 = tap(5 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    a3 = tap(5 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    if (columns > 6) x = input(from + 6 * PIXEL_BYTES, row);
    a1 = tap(6 - stride, side, x, k0, k1, k2, k3, k4, a1); a2 = tap(6 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2);
    a3 = tap(6 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    if (columns > 7) x = input(from + 7 * PIXEL_BYTES, row);
    a2 = tap(7 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2); a3 = tap(7 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    if (columns > 8) x = input(from + 8 * PIXEL_BYTES, row);
    a2 = tap(8 - 2 * stride, side, x, k0, k1, k2, k3, k4, a2); a3 = tap(8 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    if (columns > 9) x = input(from + 9 * PIXEL_BYTES, row); a3 = tap(9 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    if (columns > 10) x = input(from + 10 * PIXEL_BYTES, row); a3 = tap(10 - 3 * stride, side, x, k0, k1, k2, k3, k4, a3);
    from += row * ROWS_AT_ONCE;
    w += side * TAP_BYTES;
  }
  const first = bytes(rounded(a0, tables), rounded(a1, tables), low, high);
  v128.store64_lane(to, first, 0);
  v128.store64_lane(to, first, 1, PIXEL_BYTES);
  const second = bytes(rounded(a2, tables), rounded(a3, tables), low, high);
  v128.store64_lane(to, second, 0, PIXEL_BYTES * 2);
  v128.store64_lane(to, second, 1, PIXEL_BYTES * 3);
}

/** One pixel of eight channels, for any kernel. */
@inline
function pixel(s: Depthwise8, x: usize, w: usize, to: usize, tables: usize, low: v128, high: v128): void {
  let sum = v128.load(tables);
  for (let ky = 0; ky < s.kernelHeight; ky += ROWS_AT_ONCE) {
    for (let kx = 0; kx < s.kernelWidth; kx++) {
      sum = accumulate(input(x + kx * PIXEL_BYTES, s.inputRow), weights(w), sum);
      w += TAP_BYTES;
    }
    x += s.inputRow * ROWS_AT_ONCE;
  }
  const codes = rounded(sum, tables);
  v128.store64_lane(to, bytes(codes, codes, low, high), 0);
}

/** @param side of the kernel, if it has code of its own and the map is wide enough for tiles; 0 otherwise. */
@inline
function depthwiseAs(s: Depthwise8, side: i32, stride: i32, from: i32, to: i32): void {
  const row = s.inputRow, last = s.width - TILE;
  const low = i32x4.splat(s.low), high = i32x4.splat(s.high);
  const step = (side ? stride : s.stride) * PIXEL_BYTES;
  const weightBytes = ((s.kernelHeight + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE) * s.kernelWidth * TAP_BYTES;
  for (let octet = from; octet < to; octet++) {
    const w = s.weights + octet * weightBytes;
    const tables = s.tables + octet * 48;
    let input = s.input + (octet >> 1) * s.inputPlane + ((octet & 1) << 3);
    let output = s.output + (octet >> 1) * s.outputPlane + ((octet & 1) << 3);
    for (let y = 0; y < s.height; y++) {
      for (let x = 0; x < s.width; x += side ? TILE : 1) {
        // The last tile reaches back over pixels already done rather than past the end.
        const at = side ? min(x, last) : x;
        if (side) tile(input + at * step, row, w, output + at * PIXEL_BYTES, tables, side, stride, low, high);
        else pixel(s, input + at * step, w, output + at * PIXEL_BYTES, tables, low, high);
      }
      input += row * s.stride;
      output += s.outputRow;
    }
  }
}

/** Runs the eights of channels from `from` up to `to`. */
export function depthwise8Octets(s: Depthwise8, from: i32, to: i32): void { bySide<Depthwise8>(s, TILE, from, to); }

export function depthwise8(s: Depthwise8): void { depthwise8Octets(s, 0, s.octets); }
