/**
 * Convolution of 16-bit codes, 4 pixels × 8 output channels at a time: words of two channels are spread over a vector and
 * multiplied by pairs of weights. It lies in memory like `conv`, which says more. No sum overflows: the
 * weights are bounded.
 */
import { bytes, highCodes, lowCodes, nearest, rounder, rounderBits, scaled } from '../integer.as';
import { convBlock } from '../conv-tiles.as';

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

  @inline placeBytes(): i32 { return 8; }
  @inline singleWords(): i32 { return this.wordCount; }
  /** Runs it into `output`. */
  @inline run(output: usize): void { conv16Octets(this, output, 0, this.octets); }
  @inline start<Word>(octet: i32, half: i32): v128 { return v128.load(this.tables + (octet << 5) + (half << 4)); }

  @inline
  finish<Word>(
    output: usize, octet: i32, pixel: usize,
    a0: v128, a1: v128, a2: v128, a3: v128, b0: v128, b1: v128, b2: v128, b3: v128,
  ): void {
    const factors = this.tables + (this.octets << 5) + (octet << 5);
    const f0 = v128.load(factors), f1 = v128.load(factors, 16);
    const by = rounder(this.rounding), bits = rounderBits(this.rounding);
    const low = lowCodes(this.rounding), high = highCodes(this.rounding);
    const c0 = codes(a0, b0, f0, f1, by, bits), c1 = codes(a1, b1, f0, f1, by, bits);
    const c2 = codes(a2, b2, f0, f1, by, bits), c3 = codes(a3, b3, f0, f1, by, bits);
    if (this.wide) {
      const to = output + octet * this.plane;
      v128.store(to + load<u32>(pixel, 4), i16x8.min_s(i16x8.max_s(c0, low), high));
      v128.store(to + load<u32>(pixel, 12), i16x8.min_s(i16x8.max_s(c1, low), high));
      v128.store(to + load<u32>(pixel, 20), i16x8.min_s(i16x8.max_s(c2, low), high));
      v128.store(to + load<u32>(pixel, 28), i16x8.min_s(i16x8.max_s(c3, low), high));
      return;
    }
    const to = output + (octet >> 1) * this.plane + ((octet & 1) << 3);
    const first = bytes(c0, c1, low, high), second = bytes(c2, c3, low, high);
    v128.store64_lane(to + load<u32>(pixel, 4), first, 0);
    v128.store64_lane(to + load<u32>(pixel, 12), first, 1);
    v128.store64_lane(to + load<u32>(pixel, 20), second, 0);
    v128.store64_lane(to + load<u32>(pixel, 28), second, 1);
  }
}

/** Codes of eight channels, as i16. */
@inline
function codes(a: v128, b: v128, f0: v128, f1: v128, by: v128, bits: v128): v128 {
  return i16x8.narrow_i32x4_s(nearest(scaled(a, f0), by, bits), nearest(scaled(b, f1), by, bits));
}

/** Runs the eights of output channels from `from` up to `to`, into `output`. */
export function conv16Octets(s: Conv16, output: usize, from: i32, to: i32): void {
  for (let octet = from; octet < to; octet++) convBlock<Conv16, i16>(s, output, octet, s.pixelCount);
}

export function conv16(s: Conv16): void { conv16Octets(s, s.output, 0, s.octets); }
