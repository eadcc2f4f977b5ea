/**
 * Convolution of 16-bit codes, 4 pixels × 8 output channels at a time: words of two channels are spread over a vector and
 * multiplied by pairs of weights. It lies in memory like `conv`, which says more. No sum overflows: the
 * weights are bounded.
 */
import { bytes, highCodes, lowCodes, nearest, rounder, rounderBits, scaled, spread } from '../integer.as';
import { CONV_TILE } from '../sizes';

@unmanaged
export class Conv16 {
  kernel: i32;
  input: usize;
  /** i32[runCount + wordCount]: bytes from a pixel's first input to a run of eight channels, or to two channels. */
  runs: usize;
  runCount: i32;
  /** Pairs of channels that fill no vector. */
  wordCount: i32;
  /** (i32, i32)[pixelCount]: bytes from `input`, bytes from `output`. At least a tile; the last may repeat. */
  pixels: usize;
  pixelCount: i32;
  /** i16[octets][words of all runs][8][2] */
  weights: usize;
  /** i32[octets][8], what sums begin with, and f32[octets][8], what their units are worth in those of the output. */
  tables: usize;
  output: usize;
  /** Bytes from one block of output channels to the next: eight of 16 bits, sixteen of 8 bits. */
  plane: i32;
  octets: i32;
  /** A Rounding. */
  rounding: usize;
  /** Whether the output has 16 bits. */
  wide: i32;
}

@inline
function accumulate(x: v128, w: v128, sum: v128): v128 { return i32x4.add(sum, i32x4.dot_i16x8_s(x, w)); }

/** Codes of eight channels, as i16. */
@inline
function codes(a: v128, b: v128, f0: v128, f1: v128, by: v128, bits: v128): v128 {
  return i16x8.narrow_i32x4_s(nearest(scaled(a, f0), by, bits), nearest(scaled(b, f1), by, bits));
}

@inline
function finish(
  s: Conv16, output: usize, pixel: usize, octet: i32,
  a0: v128, a1: v128, a2: v128, a3: v128, b0: v128, b1: v128, b2: v128, b3: v128,
): void {
  const factors = s.tables + (s.octets << 5) + (octet << 5);
  const f0 = v128.load(factors), f1 = v128.load(factors, 16);
  const by = rounder(s.rounding), bits = rounderBits(s.rounding);
  const low = lowCodes(s.rounding), high = highCodes(s.rounding);
  const c0 = codes(a0, b0, f0, f1, by, bits), c1 = codes(a1, b1, f0, f1, by, bits);
  const c2 = codes(a2, b2, f0, f1, by, bits), c3 = codes(a3, b3, f0, f1, by, bits);
  if (s.wide) {
    const to = output + octet * s.plane;
    v128.store(to + load<u32>(pixel, 4), i16x8.min_s(i16x8.max_s(c0, low), high));
    v128.store(to + load<u32>(pixel, 12), i16x8.min_s(i16x8.max_s(c1, low), high));
    v128.store(to + load<u32>(pixel, 20), i16x8.min_s(i16x8.max_s(c2, low), high));
    v128.store(to + load<u32>(pixel, 28), i16x8.min_s(i16x8.max_s(c3, low), high));
    return;
  }
  const to = output + (octet >> 1) * s.plane + ((octet & 1) << 3);
  const first = bytes(c0, c1, low, high), second = bytes(c2, c3, low, high);
  v128.store64_lane(to + load<u32>(pixel, 4), first, 0);
  v128.store64_lane(to + load<u32>(pixel, 12), first, 1);
  v128.store64_lane(to + load<u32>(pixel, 20), second, 0);
  v128.store64_lane(to + load<u32>(pixel, 28), second, 1);
}

/** Runs the eights of output channels from `from` up to `to`, into `output`. */
export function conv16Octets(s: Conv16, output: usize, from: i32, to: i32): void {
  const endOfRuns = s.runs + (s.runCount << 2), endOfWords = endOfRuns + (s.wordCount << 2);
  for (let octet = from; octet < to; octet++) {
    const start0 = v128.load(s.tables + (octet << 5)), start1 = v128.load(s.tables + (octet << 5), 16);
    const weights = s.weights + octet * (((s.runCount << 2) + s.wordCount) << 5);
    for (let i = 0; i < s.pixelCount; i += CONV_TILE) {
      // The last tile reaches back over pixels already done rather than past the end.
      const pixel = s.pixels + (min(i, s.pixelCount - CONV_TILE) << 3);
      const in0 = s.input + load<u32>(pixel), in1 = s.input + load<u32>(pixel, 8);
      const in2 = s.input + load<u32>(pixel, 16), in3 = s.input + load<u32>(pixel, 24);
      let a0 = start0, a1 = start0, a2 = start0, a3 = start0;
      let b0 = start1, b1 = start1, b2 = start1, b3 = start1;
      let w = weights, run = s.runs;
      for (; run < endOfRuns; run += 4) {
        const offset = load<u32>(run);
        const x0 = v128.load(in0 + offset), x1 = v128.load(in1 + offset);
        const x2 = v128.load(in2 + offset), x3 = v128.load(in3 + offset);
        let low = v128.load(w), high = v128.load(w, 16);
        let x = spread(x0, 0); a0 = accumulate(x, low, a0); b0 = accumulate(x, high, b0);
        x = spread(x1, 0); a1 = accumulate(x, low, a1); b1 = accumulate(x, high, b1);
        x = spread(x2, 0); a2 = accumulate(x, low, a2); b2 = accumulate(x, high, b2);
        x = spread(x3, 0); a3 = accumulate(x, low, a3); b3 = accumulate(x, high, b3);
        low = v128.load(w, 32); high = v128.load(w, 48);
        x = spread(x0, 1); a0 = accumulate(x, low, a0); b0 = accumulate(x, high, b0);
        x = spread(x1, 1); a1 = accumulate(x, low, a1); b1 = accumulate(x, high, b1);
        x = spread(x2, 1); a2 = accumulate(x, low, a2); b2 = accumulate(x, high, b2);
        x = spread(x3, 1); a3 = accumulate(x, low, a3); b3 = accumulate(x, high, b3);
        low = v128.load(w, 64); high = v128.load(w, 80);
        x = spread(x0, 2); a0 = accumulate(x, low, a0); b0 = accumulate(x, high, b0);
        x = spread(x1, 2); a1 = accumulate(x, low, a1); b1 = accumulate(x, high, b1);
        x = spread(x2, 2); a2 = accumulate(x, low, a2); b2 = accumulate(x, high, b2);
        x = spread(x3, 2); a3 = accumulate(x, low, a3); b3 = accumulate(x, high, b3);
        low = v128.load(w, 96); high = v128.load(w, 112);
        x = spread(x0, 3); a0 = accumulate(x, low, a0); b0 = accumulate(x, high, b0);
        x = spread(x1, 3); a1 = accumulate(x, low, a1); b1 = accumulate(x, high, b1);
        x = spread(x2, 3); a2 = accumulate(x, low, a2); b2 = accumulate(x, high, b2);
        x = spread(x3, 3); a3 = accumulate(x, low, a3); b3 = accumulate(x, high, b3);
        w += 128;
      }
      for (; run < endOfWords; run += 4) {
        const offset = load<u32>(run);
        const low = v128.load(w), high = v128.load(w, 16); w += 32;
        let x = v128.load32_splat(in0 + offset); a0 = accumulate(x, low, a0); b0 = accumulate(x, high, b0);
        x = v128.load32_splat(in1 + offset); a1 = accumulate(x, low, a1); b1 = accumulate(x, high, b1);
        x = v128.load32_splat(in2 + offset); a2 = accumulate(x, low, a2); b2 = accumulate(x, high, b2);
        x = v128.load32_splat(in3 + offset); a3 = accumulate(x, low, a3); b3 = accumulate(x, high, b3);
      }
      finish(s, output, pixel, octet, a0, a1, a2, a3, b0, b1, b2, b3);
    }
  }
}

export function conv16(s: Conv16): void { conv16Octets(s, s.output, 0, s.octets); }
