/**
 * Depthwise convolution of 16-bit codes, any kernel and stride, two of the kernel's taps and four pixels of eight channels
 * at a time. No sum overflows: the weights are bounded.
 */
import { DepthwiseStep } from './shared/depthwise-sides.as';
import { bytes, highCodes, lowCodes, nearest, rounder, rounderBits, scaled } from './shared/integer.as';
import { interleaved } from './shared/lanes.as';

@unmanaged
export class Depthwise16 extends DepthwiseStep {
  // weights: i16[octets][pairs][8][2]
  /** As in conv16. */
  tables: usize;
  /** (i32, i32)[pairs]: bytes from a window's first pixel to the two taps of a pair. */
  offsets: usize;
  pairs: i32;
  rounding: usize;
  /** Whether the output has 16 bits. */
  wide: i32;
}

const PIXEL_BYTES = 16;
const TILE = 4;

@inline
function accumulate(x: v128, w: v128, sum: v128): v128 { return i32x4.add(sum, i32x4.dot_i16x8_s(x, w)); }

@inline
function finish(s: Depthwise16, to: usize, factors: usize, a: v128, b: v128): void {
  const by = rounder(s.rounding), bits = rounderBits(s.rounding);
  const low = lowCodes(s.rounding), high = highCodes(s.rounding);
  a = nearest(scaled(a, v128.load(factors)), by, bits);
  b = nearest(scaled(b, v128.load(factors, 16)), by, bits);
  const codes = i16x8.narrow_i32x4_s(a, b);
  if (s.wide) v128.store(to, i16x8.min_s(i16x8.max_s(codes, low), high));
  else v128.store64_lane(to, bytes(codes, codes, low, high), 0);
}

/** Four pixels from `x` on, which lie `step` bytes apart. */
@inline
function tile(s: Depthwise16, x: usize, step: usize, octet: i32, to: usize): void {
  const tables = s.tables + (octet << 5), factors = tables + (s.octets << 5);
  let a0 = v128.load(tables), a1 = a0, a2 = a0, a3 = a0;
  let b0 = v128.load(tables, 16), b1 = b0, b2 = b0, b3 = b0;
  let w = s.weights + ((octet * s.pairs) << 5);
  for (let pair = s.offsets, end = pair + (s.pairs << 3); pair < end; pair += 8) {
    const low = v128.load(w), high = v128.load(w, 16); w += 32;
    let first = x + load<i32>(pair), second = x + load<i32>(pair, 4);
    let p = v128.load(first), q = v128.load(second); first += step; second += step;
    a0 = accumulate(interleaved(p, q, false), low, a0); b0 = accumulate(interleaved(p, q, true), high, b0);
    p = v128.load(first); q = v128.load(second); first += step; second += step;
    a1 = accumulate(interleaved(p, q, false), low, a1); b1 = accumulate(interleaved(p, q, true), high, b1);
    p = v128.load(first); q = v128.load(second); first += step; second += step;
    a2 = accumulate(interleaved(p, q, false), low, a2); b2 = accumulate(interleaved(p, q, true), high, b2);
    p = v128.load(first); q = v128.load(second);
    a3 = accumulate(interleaved(p, q, false), low, a3); b3 = accumulate(interleaved(p, q, true), high, b3);
  }
  finish(s, to, factors, a0, b0);
  finish(s, to + PIXEL_BYTES, factors, a1, b1);
  finish(s, to + PIXEL_BYTES * 2, factors, a2, b2);
  finish(s, to + PIXEL_BYTES * 3, factors, a3, b3);
}

@inline
function pixel(s: Depthwise16, x: usize, octet: i32, to: usize): void {
  const tables = s.tables + (octet << 5), factors = tables + (s.octets << 5);
  let a = v128.load(tables), b = v128.load(tables, 16);
  let w = s.weights + ((octet * s.pairs) << 5);
  for (let pair = s.offsets, end = pair + (s.pairs << 3); pair < end; pair += 8) {
    const p = v128.load(x + load<i32>(pair)), q = v128.load(x + load<i32>(pair, 4));
    a = accumulate(interleaved(p, q, false), v128.load(w), a);
    b = accumulate(interleaved(p, q, true), v128.load(w, 16), b);
    w += 32;
  }
  finish(s, to, factors, a, b);
}

/** Runs the eights of channels from `from` up to `to`. */
export function depthwise16Octets(s: Depthwise16, from: i32, to: i32): void {
  const step = s.stride * PIXEL_BYTES, last = s.width - TILE;
  for (let octet = from; octet < to; octet++) {
    let input = s.input + octet * s.inputPlane;
    let output = s.output + (s.wide ? octet * s.outputPlane : (octet >> 1) * s.outputPlane + ((octet & 1) << 3));
    for (let y = 0; y < s.height; y++) {
      if (last < 0) {
        for (let x = 0; x < s.width; x++) pixel(s, input + x * step, octet, output + x * PIXEL_BYTES);
      } else {
        for (let x = 0; x < s.width; x += TILE) {
          // The last tile reaches back over pixels already done rather than past the end.
          const at = min(x, last);
          tile(s, input + at * step, step, octet, output + at * PIXEL_BYTES);
        }
      }
      input += s.inputRow * s.stride;
      output += s.outputRow;
    }
  }
}

export function depthwise16(s: Depthwise16): void { depthwise16Octets(s, 0, s.octets); }
