/**
 * Convolution of 8-bit codes as a register-tiled matrix product: 4 pixels × 8 output channels at a time. A run is the
 * sixteen channels of an input block; words of four of them are spread over a vector. There are three ways to the same
 * integers:
 *
 * - without relaxed SIMD codes and weights are widened and multiplied as pairs of 16-bit integers;
 * - with it, where the host adds the four products of a word in one instruction, that is used;
 * - elsewhere the products are summed in 16 bits over eight channels first. The weights are bounded so that these fit.
 */
import { bytes, highCodes, lowCodes, nearest, otherFactor, rounder, rounderBits, scaled, spread } from '../integer.as';
import { CONV_TILE } from '../sizes';

@unmanaged
export class Conv8 {
  kernel: i32;
  input: usize;
  /** i32[runCount]: bytes from a pixel's first input to the run. */
  runs: usize;
  runCount: i32;
  /** (i32, i32, i32)[pixelCount]: bytes from `input`, from `output` and from `other`. At least a tile; the last may repeat. */
  pixels: usize;
  pixelCount: i32;
  /** i8[octets][channels of all runs / 4][8][4], without relaxed SIMD [octets][channels / 2][8][2]. */
  weights: usize;
  /** i32[octets][8], what sums begin with, and f32[octets][8], what their units are worth in those of the output. */
  tables: usize;
  output: usize;
  /** Bytes from one block of sixteen output channels to the next. */
  plane: i32;
  /** Eights of output channels. */
  octets: i32;
  /** A Rounding. */
  rounding: usize;
  /** A map of 8 bits that is added, or 0. */
  other: usize;
  otherPlane: i32;
}

const PIXEL_WORDS_BYTES = 12;
const RUN_WEIGHTS_BYTES = 128;

const PLAIN = 0;
/** Four products of a word and the sum in one instruction. */
const AT_ONCE = 1;
/** Sums of 16 bits between. */
const IN_PAIRS = 2;

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

@inline
function accumulate(mode: i32, x: v128, w: v128, sum: v128): v128 {
  if (RELAXED && mode == AT_ONCE) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
}

/** The other addend of eight channels, in units of the output. */
@inline
function otherOf(at: usize, factor: v128, upper: bool): v128 {
  const codes = v128.load8x8_u(at);
  return scaled(upper ? i32x4.extend_high_i16x8_s(codes) : i32x4.extend_low_i16x8_s(codes), factor);
}

@inline
function finish(
  s: Conv8, pixel: usize, octet: i32,
  a0: v128, a1: v128, a2: v128, a3: v128, b0: v128, b1: v128, b2: v128, b3: v128,
): void {
  const factors = s.tables + (s.octets << 5) + (octet << 5);
  const half = (octet & 1) << 3;
  const to = s.output + (octet >> 1) * s.plane + half;
  const f0 = v128.load(factors), f1 = v128.load(factors, 16);
  a0 = scaled(a0, f0); a1 = scaled(a1, f0); a2 = scaled(a2, f0); a3 = scaled(a3, f0);
  b0 = scaled(b0, f1); b1 = scaled(b1, f1); b2 = scaled(b2, f1); b3 = scaled(b3, f1);
  if (s.other) {
    const other = s.other + (octet >> 1) * s.otherPlane + half;
    const f = otherFactor(s.rounding);
    let at = other + load<u32>(pixel, 8);
    a0 = f32x4.add(a0, otherOf(at, f, false)); b0 = f32x4.add(b0, otherOf(at, f, true));
    at = other + load<u32>(pixel, 8 + PIXEL_WORDS_BYTES);
    a1 = f32x4.add(a1, otherOf(at, f, false)); b1 = f32x4.add(b1, otherOf(at, f, true));
    at = other + load<u32>(pixel, 8 + PIXEL_WORDS_BYTES * 2);
    a2 = f32x4.add(a2, otherOf(at, f, false)); b2 = f32x4.add(b2, otherOf(at, f, true));
    at = other + load<u32>(pixel, 8 + PIXEL_WORDS_BYTES * 3);
    a3 = f32x4.add(a3, otherOf(at, f, false)); b3 = f32x4.add(b3, otherOf(at, f, true));
  }
  const by = rounder(s.rounding), bits = rounderBits(s.rounding);
  const low = lowCodes(s.rounding), high = highCodes(s.rounding);
  const c0 = i16x8.narrow_i32x4_s(nearest(a0, by, bits), nearest(b0, by, bits));
  const c1 = i16x8.narrow_i32x4_s(nearest(a1, by, bits), nearest(b1, by, bits));
  const first = bytes(c0, c1, low, high);
  v128.store64_lane(to + load<u32>(pixel, 4), first, 0);
  v128.store64_lane(to + load<u32>(pixel, 4 + PIXEL_WORDS_BYTES), first, 1);
  const c2 = i16x8.narrow_i32x4_s(nearest(a2, by, bits), nearest(b2, by, bits));
  const c3 = i16x8.narrow_i32x4_s(nearest(a3, by, bits), nearest(b3, by, bits));
  const second = bytes(c2, c3, low, high);
  v128.store64_lane(to + load<u32>(pixel, 4 + PIXEL_WORDS_BYTES * 2), second, 0);
  v128.store64_lane(to + load<u32>(pixel, 4 + PIXEL_WORDS_BYTES * 3), second, 1);
}

@inline
function convAs(s: Conv8, mode: i32, from: i32, to: i32): void {
  const endOfRuns = s.runs + (s.runCount << 2);
  for (let octet = from; octet < to; octet++) {
    const start0 = v128.load(s.tables + (octet << 5)), start1 = v128.load(s.tables + (octet << 5), 16);
    const weights = s.weights + octet * s.runCount * RUN_WEIGHTS_BYTES;
    for (let i = 0; i < s.pixelCount; i += CONV_TILE) {
      // The last tile reaches back over pixels already done rather than past the end.
      const pixel = s.pixels + min(i, s.pixelCount - CONV_TILE) * PIXEL_WORDS_BYTES;
      const in0 = s.input + load<u32>(pixel), in1 = s.input + load<u32>(pixel, PIXEL_WORDS_BYTES);
      const in2 = s.input + load<u32>(pixel, PIXEL_WORDS_BYTES * 2), in3 = s.input + load<u32>(pixel, PIXEL_WORDS_BYTES * 3);
      let a0 = start0, a1 = start0, a2 = start0, a3 = start0;
      let b0 = start1, b1 = start1, b2 = start1, b3 = start1;
      let w = weights;
      for (let run = s.runs; run < endOfRuns; run += 4) {
        const offset = load<u32>(run);
        const at0 = in0 + offset, at1 = in1 + offset, at2 = in2 + offset, at3 = in3 + offset;
        if (mode == IN_PAIRS) {
          let low0 = v128.load(w), high0 = v128.load(w, 16), low1 = v128.load(w, 32), high1 = v128.load(w, 48);
          let x = v128.load(at0), x0 = spread(x, 0), x1 = spread(x, 1);
          a0 = sumOfTwo(x0, x1, low0, low1, a0); b0 = sumOfTwo(x0, x1, high0, high1, b0);
          x = v128.load(at1); x0 = spread(x, 0); x1 = spread(x, 1);
          a1 = sumOfTwo(x0, x1, low0, low1, a1); b1 = sumOfTwo(x0, x1, high0, high1, b1);
          x = v128.load(at2); x0 = spread(x, 0); x1 = spread(x, 1);
          a2 = sumOfTwo(x0, x1, low0, low1, a2); b2 = sumOfTwo(x0, x1, high0, high1, b2);
          x = v128.load(at3); x0 = spread(x, 0); x1 = spread(x, 1);
          a3 = sumOfTwo(x0, x1, low0, low1, a3); b3 = sumOfTwo(x0, x1, high0, high1, b3);
          low0 = v128.load(w, 64); high0 = v128.load(w, 80); low1 = v128.load(w, 96); high1 = v128.load(w, 112);
          x = v128.load(at0); x0 = spread(x, 2); x1 = spread(x, 3);
          a0 = sumOfTwo(x0, x1, low0, low1, a0); b0 = sumOfTwo(x0, x1, high0, high1, b0);
          x = v128.load(at1); x0 = spread(x, 2); x1 = spread(x, 3);
          a1 = sumOfTwo(x0, x1, low0, low1, a1); b1 = sumOfTwo(x0, x1, high0, high1, b1);
          x = v128.load(at2); x0 = spread(x, 2); x1 = spread(x, 3);
          a2 = sumOfTwo(x0, x1, low0, low1, a2); b2 = sumOfTwo(x0, x1, high0, high1, b2);
          x = v128.load(at3); x0 = spread(x, 2); x1 = spread(x, 3);
          a3 = sumOfTwo(x0, x1, low0, low1, a3); b3 = sumOfTwo(x0, x1, high0, high1, b3);
          w += RUN_WEIGHTS_BYTES;
          continue;
        }
        const plain = mode == PLAIN;
        let x0 = plain ? v128.load8x8_u(at0) : v128.load(at0), x1 = plain ? v128.load8x8_u(at1) : v128.load(at1);
        let x2 = plain ? v128.load8x8_u(at2) : v128.load(at2), x3 = plain ? v128.load8x8_u(at3) : v128.load(at3);
        let low = plain ? v128.load8x8_s(w) : v128.load(w), high = plain ? v128.load8x8_s(w, 8) : v128.load(w, 16);
        let x = spread(x0, 0); a0 = accumulate(mode, x, low, a0); b0 = accumulate(mode, x, high, b0);
        x = spread(x1, 0); a1 = accumulate(mode, x, low, a1); b1 = accumulate(mode, x, high, b1);
        x = spread(x2, 0); a2 = accumulate(mode, x, low, a2); b2 = accumulate(mode, x, high, b2);
        x = spread(x3, 0); a3 = accumulate(mode, x, low, a3); b3 = accumulate(mode, x, high, b3);
        low = plain ? v128.load8x8_s(w, 16) : v128.load(w, 32); high = plain ? v128.load8x8_s(w, 24) : v128.load(w, 48);
        x = spread(x0, 1); a0 = accumulate(mode, x, low, a0); b0 = accumulate(mode, x, high, b0);
        x = spread(x1, 1); a1 = accumulate(mode, x, low, a1); b1 = accumulate(mode, x, high, b1);
        x = spread(x2, 1); a2 = accumulate(mode, x, low, a2); b2 = accumulate(mode, x, high, b2);
        x = spread(x3, 1); a3 = accumulate(mode, x, low, a3); b3 = accumulate(mode, x, high, b3);
        low = plain ? v128.load8x8_s(w, 32) : v128.load(w, 64); high = plain ? v128.load8x8_s(w, 40) : v128.load(w, 80);
        x = spread(x0, 2); a0 = accumulate(mode, x, low, a0); b0 = accumulate(mode, x, high, b0);
        x = spread(x1, 2); a1 = accumulate(mode, x, low, a1); b1 = accumulate(mode, x, high, b1);
        x = spread(x2, 2); a2 = accumulate(mode, x, low, a2); b2 = accumulate(mode, x, high, b2);
        x = spread(x3, 2); a3 = accumulate(mode, x, low, a3); b3 = accumulate(mode, x, high, b3);
        low = plain ? v128.load8x8_s(w, 48) : v128.load(w, 96); high = plain ? v128.load8x8_s(w, 56) : v128.load(w, 112);
        x = spread(x0, 3); a0 = accumulate(mode, x, low, a0); b0 = accumulate(mode, x, high, b0);
        x = spread(x1, 3); a1 = accumulate(mode, x, low, a1); b1 = accumulate(mode, x, high, b1);
        x = spread(x2, 3); a2 = accumulate(mode, x, low, a2); b2 = accumulate(mode, x, high, b2);
        x = spread(x3, 3); a3 = accumulate(mode, x, low, a3); b3 = accumulate(mode, x, high, b3);
        w += RUN_WEIGHTS_BYTES;
        if (!plain) continue;
        x0 = v128.load8x8_u(at0, 8); x1 = v128.load8x8_u(at1, 8); x2 = v128.load8x8_u(at2, 8); x3 = v128.load8x8_u(at3, 8);
        low = v128.load8x8_s(w - 64); high = v128.load8x8_s(w - 56);
        x = spread(x0, 0); a0 = accumulate(mode, x, low, a0); b0 = accumulate(mode, x, high, b0);
        x = spread(x1, 0); a1 = accumulate(mode, x, low, a1); b1 = accumulate(mode, x, high, b1);
        x = spread(x2, 0); a2 = accumulate(mode, x, low, a2); b2 = accumulate(mode, x, high, b2);
        x = spread(x3, 0); a3 = accumulate(mode, x, low, a3); b3 = accumulate(mode, x, high, b3);
        low = v128.load8x8_s(w - 48); high = v128.load8x8_s(w - 40);
        x = spread(x0, 1); a0 = accumulate(mode, x, low, a0); b0 = accumulate(mode, x, high, b0);
        x = spread(x1, 1); a1 = accumulate(mode, x, low, a1); b1 = accumulate(mode, x, high, b1);
        x = spread(x2, 1); a2 = accumulate(mode, x, low, a2); b2 = accumulate(mode, x, high, b2);
        x = spread(x3, 1); a3 = accumulate(mode, x, low, a3); b3 = accumulate(mode, x, high, b3);
        low = v128.load8x8_s(w - 32); high = v128.load8x8_s(w - 24);
        x = spread(x0, 2); a0 = accumulate(mode, x, low, a0); b0 = accumulate(mode, x, high, b0);
        x = spread(x1, 2); a1 = accumulate(mode, x, low, a1); b1 = accumulate(mode, x, high, b1);
        x = spread(x2, 2); a2 = accumulate(mode, x, low, a2); b2 = accumulate(mode, x, high, b2);
        x = spread(x3, 2); a3 = accumulate(mode, x, low, a3); b3 = accumulate(mode, x, high, b3);
        low = v128.load8x8_s(w - 16); high = v128.load8x8_s(w - 8);
        x = spread(x0, 3); a0 = accumulate(mode, x, low, a0); b0 = accumulate(mode, x, high, b0);
        x = spread(x1, 3); a1 = accumulate(mode, x, low, a1); b1 = accumulate(mode, x, high, b1);
        x = spread(x2, 3); a2 = accumulate(mode, x, low, a2); b2 = accumulate(mode, x, high, b2);
        x = spread(x3, 3); a3 = accumulate(mode, x, low, a3); b3 = accumulate(mode, x, high, b3);
      }
      finish(s, pixel, octet, a0, a1, a2, a3, b0, b1, b2, b3);
    }
  }
}

// Functions of their own, because V8 optimises one that holds all of them less well.
function convPlain(s: Conv8, from: i32, to: i32): void { if (!RELAXED) convAs(s, PLAIN, from, to); }
function convAtOnce(s: Conv8, from: i32, to: i32): void { if (RELAXED) convAs(s, AT_ONCE, from, to); }
function convInPairs(s: Conv8, from: i32, to: i32): void { if (RELAXED) convAs(s, IN_PAIRS, from, to); }

/** Runs the eights of output channels from `from` up to `to`. */
export function conv8Octets(s: Conv8, from: i32, to: i32): void {
  if (!RELAXED) convPlain(s, from, to);
  else if (inPairs) convInPairs(s, from, to);
  else convAtOnce(s, from, to);
}

export function conv8(s: Conv8): void { conv8Octets(s, 0, s.octets); }
