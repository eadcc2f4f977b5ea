/** Arithmetic that every kernel shares: multiply-add in either build, and the activations. */
import { HARD_SIGMOID, HARD_SWISH, RELU, RELU6 } from './codes';

/** a · b + c, rounded once where the build has relaxed SIMD and the processor has fused multiply-add. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** x between low and high. The pseudo-minimum is one instruction where the IEEE one takes six. */
@inline
function clamp(x: v128, low: f32, high: f32): v128 {
  return f32x4.pmin(f32x4.splat(high), f32x4.pmax(f32x4.splat(low), x));
}

/** Applies an activation. Kernels pass a constant `kind` where it matters, and the tests below fold away. */
@inline
export function activate(x: v128, kind: i32): v128 {
  if (kind == RELU) return f32x4.pmax(f32x4.splat(0), x);
  if (kind == RELU6) return clamp(x, 0, 6);
  if (kind == HARD_SWISH) return f32x4.mul(x, hardSigmoid(x));
  if (kind == HARD_SIGMOID) return hardSigmoid(x);
  return x;
}

@inline
function hardSigmoid(x: v128): v128 {
  return clamp(madd(x, f32x4.splat(1.0 / 6.0), f32x4.splat(0.5)), 0, 1);
}
