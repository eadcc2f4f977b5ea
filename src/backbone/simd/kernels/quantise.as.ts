/**
 * From floats to 16-bit integers, in units chosen so that the picture at hand just fits: no calibration beforehand, and
 * nothing is ever cut off. Squeeze-and-excite's factors are applied on the way.
 */
import { PEAK, PIXEL_BYTES } from '../sizes';

@unmanaged
export class Quantise {
  kernel: i32;
  /** The first byte of the map; its padding comes along. */
  input: usize;
  /** Bytes of one block of channels of the input. */
  plane: i32;
  blocks: i32;
  /** f32[blocks][8], not negative, or 0. */
  factors: usize;
  /** f32[blocks][8]: the largest magnitude in each channel; signs don't matter. */
  peaks: usize;
  /** i16, laid out like the input. */
  output: usize;
  /** Where to write what one unit is worth. */
  unit: usize;
}

/** Adding this to a float moves its integer part into the lowest bits, rounded to nearest even. */
const ROUNDER: f32 = 12_582_912;

@inline
function factor(s: Quantise, block: i32, offset: usize): v128 {
  return s.factors ? v128.load(s.factors + (block << 5) + offset) : f32x4.splat(1);
}

/** The largest magnitude in the map, after the factors. */
function peakOf(s: Quantise): f32 {
  let peak = f32x4.splat(0);
  for (let block = 0; block < s.blocks; block++) {
    const peaks = s.peaks + (block << 5);
    peak = f32x4.pmax(peak, f32x4.mul(f32x4.abs(v128.load(peaks)), factor(s, block, 0)));
    peak = f32x4.pmax(peak, f32x4.mul(f32x4.abs(v128.load(peaks, 16)), factor(s, block, 16)));
  }
  const a = max(f32x4.extract_lane(peak, 0), f32x4.extract_lane(peak, 1));
  return max(a, max(f32x4.extract_lane(peak, 2), f32x4.extract_lane(peak, 3)));
}

@inline
function rounded(x: v128, scale: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, scale), f32x4.splat(ROUNDER)), f32x4.splat(ROUNDER));
}

export function quantise(s: Quantise): void {
  const peak = max<f32>(peakOf(s), f32.MIN_NORMAL_VALUE);
  store<f32>(s.unit, peak / <f32>PEAK);
  const scale = f32x4.splat(<f32>PEAK / peak);
  let to = s.output;
  for (let block = 0; block < s.blocks; block++) {
    const low = f32x4.mul(scale, factor(s, block, 0)), high = f32x4.mul(scale, factor(s, block, 16));
    let x = s.input + block * s.plane;
    for (const end = x + s.plane; x < end; x += PIXEL_BYTES) {
      v128.store(to, i16x8.narrow_i32x4_s(rounded(v128.load(x), low), rounded(v128.load(x, 16), high)));
      to += PIXEL_BYTES / 2;
    }
  }
}
