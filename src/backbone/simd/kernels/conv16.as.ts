/**
 * Convolution of 16-bit codes, 4 pixels × 8 output channels at a time: words of two channels are spread over a vector and
 * multiplied by pairs of weights. It lies in memory like `conv`, which says more. No sum overflows: the
 * weights are bounded.
 */
import { bytes, highCodes, lowCodes, nearest, rounder, rounderBits, scaled } from './shared/integer.as';
import { convBlock, IntegerConvStep } from './shared/conv-tiles.as';

/** Its blocks of output channels have eight of 16 bits or sixteen of 8 bits. */
@unmanaged
export class Conv16 extends IntegerConvStep {
  // weights: i16[octets][words of all runs][8][2]
  /** Whether the output has 16 bits. */
  wide: i32;

  @inline placeBytes(): i32 { return 8; }
  @inline singleWords(): i32 { return this.wordCount; }
  /** Runs it into `output`. */
  @inline run(output: usize): void { conv16Octets(this, output, 0, this.octets); }

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
