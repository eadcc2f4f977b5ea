/** Arithmetic that every kernel shares: multiply-add in either build, and the activations. */
import { HARD_SIGMOID, HARD_SWISH, RELU, RELU6 } from '../../sizes';

/**
 * The numbers that activations need, in memory: there each costs one load, where V8 builds a constant vector out of
 * several instructions, and does so again and again for want of registers.
 */
const NUMBERS = memory.data<f32>([1 / 6, 0.5, 0, 1, 6]);

@inline function sixth(): v128 { return v128.load32_splat(NUMBERS); }
@inline function half(): v128 { return v128.load32_splat(NUMBERS, 4); }
@inline function zero(): v128 { return v128.load32_splat(NUMBERS, 8); }
@inline function one(): v128 { return v128.load32_splat(NUMBERS, 12); }
@inline function six(): v128 { return v128.load32_splat(NUMBERS, 16); }

/** a · b + c, rounded once where the build has relaxed SIMD and the processor has fused multiply-add. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Where `kind` is a constant, nothing but that activation's formula is compiled. */
@inline
export function activate(x: v128, kind: i32): v128 {
  if (kind == RELU) return f32x4.pmax(zero(), x);
  if (kind == RELU6) return clamp(x, zero(), six());
  if (kind == HARD_SWISH) return f32x4.mul(x, hardSigmoid(x));
  if (kind == HARD_SIGMOID) return hardSigmoid(x);
  return x;
}

@inline function hardSigmoid(x: v128): v128 { return clamp(madd(x, sixth(), half()), zero(), one()); }

/** The pseudo-minimum is one instruction where the IEEE one takes six. */
@inline function clamp(x: v128, low: v128, high: v128): v128 { return f32x4.pmin(high, f32x4.pmax(low, x)); }
