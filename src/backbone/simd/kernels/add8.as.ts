/** The sum of two maps of 8-bit codes, each in units of its own. */
import { bytes, highCodes, lowCodes, nearest, rounder, rounderBits } from './shared/integer.as';
import { TwoMaps } from './shared/two-maps.as';

@unmanaged
export class Add8 extends TwoMaps {
  rounding: usize;
  /** f32[2], what a unit of either addend is worth in units of the output, and i32[2], their zero points. */
  addends: usize;
}

/** Eight codes' distance from the zero point. */
@inline
function distances(at: usize, zero: v128): v128 { return i16x8.sub(v128.load8x8_u(at), zero); }

@inline
function sum(a: v128, b: v128, fa: v128, fb: v128, by: v128, bits: v128): v128 {
  const x = f32x4.mul(f32x4.convert_i32x4_s(a), fa), y = f32x4.mul(f32x4.convert_i32x4_s(b), fb);
  return nearest(f32x4.add(x, y), by, bits);
}

export function add8(s: Add8): void {
  const by = rounder(s.rounding), bits = rounderBits(s.rounding);
  const low = lowCodes(s.rounding), high = highCodes(s.rounding);
  const fa = v128.load32_splat(s.addends), fb = v128.load32_splat(s.addends, 4);
  const zeroA = v128.load16_splat(s.addends, 8), zeroB = v128.load16_splat(s.addends, 12);
  for (let block = 0; block < s.blocks; block++) {
    for (let y = 0; y < s.height; y++) {
      let a = s.input + block * s.inputPlane + y * s.inputRow;
      let b = s.other + block * s.otherPlane + y * s.otherRow;
      let to = s.output + block * s.outputPlane + y * s.outputRow;
      for (const end = to + s.rowBytes; to < end; to += 8) {
        const p = distances(a, zeroA), q = distances(b, zeroB);
        const l = sum(i32x4.extend_low_i16x8_s(p), i32x4.extend_low_i16x8_s(q), fa, fb, by, bits);
        const h = sum(i32x4.extend_high_i16x8_s(p), i32x4.extend_high_i16x8_s(q), fa, fb, by, bits);
        const codes = i16x8.narrow_i32x4_s(l, h);
        v128.store64_lane(to, bytes(codes, codes, low, high), 0);
        a += 8; b += 8;
      }
    }
  }
}
