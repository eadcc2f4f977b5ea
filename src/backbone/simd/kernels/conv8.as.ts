/**
 * Convolution of 8-bit codes. There are three ways to the same integers:
 *
 * - without relaxed SIMD codes and weights are widened and multiplied as pairs of 16-bit integers;
 * - with it, where the host adds the four products of a word in one instruction, that is used;
 * - elsewhere the products are summed in 16 bits over eight channels first. The weights are bounded so that these fit.
 */
import { bytes, highCodes, lowCodes, nearest, otherFactor, rounder, rounderBits, scaled } from './shared/integer.as';
import { blockBytes, convBlock, IntegerConvStep } from './shared/conv-tiles.as';
import { spread } from './shared/lanes.as';
import { CONV_TILE } from '../sizes';

/** Its blocks of output channels have sixteen. There are no single words, and an entry of `pixels` has bytes from `other`, too. */
@unmanaged
export class Conv8 extends IntegerConvStep {
  // weights: i8[octets][channels of all runs / 4][8][4], without relaxed SIMD [octets][channels / 2][8][2]
  /** A map of 8 bits that is added, or 0. */
  other: usize;
  otherPlane: i32;

  @inline placeBytes(): i32 { return PLACE_BYTES; }
  @inline singleWords(): i32 { return 0; }

  @inline
  finish<Word>(
    output: usize, octet: i32, pixel: usize,
    a0: v128, a1: v128, a2: v128, a3: v128, b0: v128, b1: v128, b2: v128, b3: v128,
  ): void {
    const factors = this.tables + (this.octets << 5) + (octet << 5);
    const half = (octet & 1) << 3;
    const to = output + (octet >> 1) * this.plane + half;
    const f0 = v128.load(factors), f1 = v128.load(factors, 16);
    a0 = scaled(a0, f0); a1 = scaled(a1, f0); a2 = scaled(a2, f0); a3 = scaled(a3, f0);
    b0 = scaled(b0, f1); b1 = scaled(b1, f1); b2 = scaled(b2, f1); b3 = scaled(b3, f1);
    if (this.other) {
      const other = this.other + (octet >> 1) * this.otherPlane + half;
      const f = otherFactor(this.rounding);
      let at = other + load<u32>(pixel, 8);
      a0 = f32x4.add(a0, otherOf(at, f, false)); b0 = f32x4.add(b0, otherOf(at, f, true));
      at = other + load<u32>(pixel, 8 + PLACE_BYTES);
      a1 = f32x4.add(a1, otherOf(at, f, false)); b1 = f32x4.add(b1, otherOf(at, f, true));
      at = other + load<u32>(pixel, 8 + PLACE_BYTES * 2);
      a2 = f32x4.add(a2, otherOf(at, f, false)); b2 = f32x4.add(b2, otherOf(at, f, true));
      at = other + load<u32>(pixel, 8 + PLACE_BYTES * 3);
      a3 = f32x4.add(a3, otherOf(at, f, false)); b3 = f32x4.add(b3, otherOf(at, f, true));
    }
    const by = rounder(this.rounding), bits = rounderBits(this.rounding);
    const low = lowCodes(this.rounding), high = highCodes(this.rounding);
    const c0 = i16x8.narrow_i32x4_s(nearest(a0, by, bits), nearest(b0, by, bits));
    const c1 = i16x8.narrow_i32x4_s(nearest(a1, by, bits), nearest(b1, by, bits));
    const first = bytes(c0, c1, low, high);
    v128.store64_lane(to + load<u32>(pixel, 4), first, 0);
    v128.store64_lane(to + load<u32>(pixel, 4 + PLACE_BYTES), first, 1);
    const c2 = i16x8.narrow_i32x4_s(nearest(a2, by, bits), nearest(b2, by, bits));
    const c3 = i16x8.narrow_i32x4_s(nearest(a3, by, bits), nearest(b3, by, bits));
    const second = bytes(c2, c3, low, high);
    v128.store64_lane(to + load<u32>(pixel, 4 + PLACE_BYTES * 2), second, 0);
    v128.store64_lane(to + load<u32>(pixel, 4 + PLACE_BYTES * 3), second, 1);
  }
}

const PLACE_BYTES = 12;

/**
 * What two 255s and two 127s come to shows how the host computes a relaxed dot product. In range there is no difference
 * but speed: x86 without a fused instruction saturates in 16 bits on the way, and does it in several instructions.
 */
const PROBE = memory.data<u64>([0x7f7f7f7f7f7f7f7f, 0x7f7f7f7f7f7f7f7f, 0xffffffffffffffff, 0xffffffffffffffff]);
const SATURATED = 65_534;

function sumsInPairs(): bool {
  if (!RELAXED) return false;
  const sum = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(PROBE), v128.load(PROBE, 16), i32x4.splat(0));
  return i32x4.extract_lane(sum, 0) == SATURATED;
}

const inPairs = sumsInPairs();

/** sum + the products of two words of input and of weights. */
@inline
function sumOfTwo(x0: v128, x1: v128, w0: v128, w1: v128, sum: v128): v128 {
  if (!RELAXED) return sum;
  const products = i16x8.add(v128.relaxed_dot<i16>(w0, x0), v128.relaxed_dot<i16>(w1, x1));
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(products));
}

/** The other addend of eight channels, in units of the output. */
@inline
function otherOf(at: usize, factor: v128, upper: bool): v128 {
  const codes = v128.load8x8_u(at);
  return scaled(upper ? i32x4.extend_high_i16x8_s(codes) : i32x4.extend_low_i16x8_s(codes), factor);
}

/** A block as `convBlock` computes it, with sums of 16 bits between. */
@inline
function blockInPairs(s: Conv8, octet: i32): void {
  const endOfRuns = s.runs + (s.runCount << 2);
  const start0 = s.start<u8>(octet, 0), start1 = s.start<u8>(octet, 1);
  const first = s.weights + octet * blockBytes<Conv8, u8>(s);
  for (let i = 0; i < s.pixelCount; i += CONV_TILE) {
    const pixel = s.pixels + min(i, s.pixelCount - CONV_TILE) * PLACE_BYTES;
    const in0 = s.input + load<u32>(pixel), in1 = s.input + load<u32>(pixel, PLACE_BYTES);
    const in2 = s.input + load<u32>(pixel, PLACE_BYTES * 2), in3 = s.input + load<u32>(pixel, PLACE_BYTES * 3);
    let a0 = start0, a1 = start0, a2 = start0, a3 = start0;
    let b0 = start1, b1 = start1, b2 = start1, b3 = start1;
    let w = first;
    for (let run = s.runs; run < endOfRuns; run += 4) {
      const offset = load<u32>(run);
      const at0 = in0 + offset, at1 = in1 + offset, at2 = in2 + offset, at3 = in3 + offset;
      let low0 = v128.load(w), high0 = v128.load(w, 16), low1 = v128.load(w, 32), high1 = v128.load(w, 48);
      let x = v128.load(at0), x0 = spread(x, 0), x1 = spread(x, 1);
      a0 = sumOfTwo(x0, x1, low0, low1, a0); b0 = sumOfTwo(x0, x1, high0, high1, b0);
      x = v128.load(at1); x0 = spread(x, 0); x1 = spread(x, 1);
      a1 = sumOfTwo(x0, x1, low0, low1, a1); b1 = sumOfTwo(x0, x1, high0, high1, b1);
      x = v128.load(at2); x0 = spread(x, 0); x1 = spread(x, 1);
      a2 = sumOfTwo(x0, x1, low0, low1, a2); b2 = sumOfTwo(x0, x1, high0, high1, b2);
      x = v128.load(at3); x0 = spread(x, 0); x1 = spread(x, 1);
      a3 = sumOfTwo(x0, x1, low0, low1, a3); b3 = sumOfTwo(x0, x1, high0, high1, b3);
      // Not a loop of two rounds: that took 5 % longer.
      low0 = v128.load(w, 64); high0 = v128.load(w, 80); low1 = v128.load(w, 96); high1 = v128.load(w, 112);
      x = v128.load(at0); x0 = spread(x, 2); x1 = spread(x, 3);
      a0 = sumOfTwo(x0, x1, low0, low1, a0); b0 = sumOfTwo(x0, x1, high0, high1, b0);
      x = v128.load(at1); x0 = spread(x, 2); x1 = spread(x, 3);
      a1 = sumOfTwo(x0, x1, low0, low1, a1); b1 = sumOfTwo(x0, x1, high0, high1, b1);
      x = v128.load(at2); x0 = spread(x, 2); x1 = spread(x, 3);
      a2 = sumOfTwo(x0, x1, low0, low1, a2); b2 = sumOfTwo(x0, x1, high0, high1, b2);
      x = v128.load(at3); x0 = spread(x, 2); x1 = spread(x, 3);
      a3 = sumOfTwo(x0, x1, low0, low1, a3); b3 = sumOfTwo(x0, x1, high0, high1, b3);
      w += 128;
    }
    s.finish<u8>(s.output, octet, pixel, a0, a1, a2, a3, b0, b1, b2, b3);
  }
}

// Functions of their own, because V8 optimises one that holds both less well.
function convInPairs(s: Conv8, from: i32, to: i32): void {
  for (let octet = from; octet < to; octet++) blockInPairs(s, octet);
}
function convWords(s: Conv8, from: i32, to: i32): void {
  for (let octet = from; octet < to; octet++) convBlock<Conv8, u8>(s, s.output, octet, s.pixelCount);
}

/** Runs the eights of output channels from `from` up to `to`. */
export function conv8Octets(s: Conv8, from: i32, to: i32): void {
  if (RELAXED && inPairs) convInPairs(s, from, to);
  else convWords(s, from, to);
}

export function conv8(s: Conv8): void { conv8Octets(s, 0, s.octets); }
