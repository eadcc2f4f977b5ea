/** What the integer kernels share. None of it rounds differently from host to host. */

/** How sums become codes. Kernels load each of its words when they need it, for want of registers. */
@unmanaged
export class Rounding {
  /** ROUNDER plus the output's zero point. */
  rounder: f32;
  /** What ROUNDER looks like as an integer. */
  rounderBits: i32;
  /** The least and the greatest code, in every byte, or every half word of 16-bit codes. */
  low: i32;
  high: i32;
  /** What a unit of the other addend is worth in units of the output. */
  otherFactor: f32;
}

@inline export function rounder(at: usize): v128 { return v128.load32_splat(at, offsetof<Rounding>('rounder')); }
@inline export function rounderBits(at: usize): v128 { return v128.load32_splat(at, offsetof<Rounding>('rounderBits')); }
@inline export function lowCodes(at: usize): v128 { return v128.load32_splat(at, offsetof<Rounding>('low')); }
@inline export function highCodes(at: usize): v128 { return v128.load32_splat(at, offsetof<Rounding>('high')); }
@inline export function otherFactor(at: usize): v128 { return v128.load32_splat(at, offsetof<Rounding>('otherFactor')); }

/** A number in single precision to the nearest integer, of two as near the even one: the sum's lowest bits hold it. @param by rounder. @param bits rounderBits. */
@inline
export function nearest(x: v128, by: v128, bits: v128): v128 {
  return i32x4.sub(f32x4.add(x, by), bits);
}

/** Sums to units of the output, not yet rounded. */
@inline
export function scaled(sum: v128, factor: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(sum), factor);
}

/** Codes of 8 bits for two times eight numbers, within the step's bounds. */
@inline
export function bytes(a: v128, b: v128, low: v128, high: v128): v128 {
  return i8x16.min_u(i8x16.max_u(i8x16.narrow_i16x8_u(a, b), low), high);
}
