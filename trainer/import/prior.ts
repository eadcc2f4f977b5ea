/**
 * What a pooled feature looks like on the pictures that the network was pretrained on, read off its last batch norm: the
 * norm's output is distributed about as N(β, γ²) there, so the moments of the clipped normal distribution follow.
 */
import type { Value } from './symbolic.ts';

interface Prior {
  /** [channels] */
  readonly mean: Float32Array;
  /** [channels] positive. */
  readonly deviation: Float32Array;
}

/** Neighbouring pixels are alike: averaging a 7×7 map shrinks the deviation not sevenfold, but about twofold. */
const SHRINKAGE_OF_AVERAGING = 0.5;
/** A channel that hardly ever fires would make every picture in which it does unknown. */
const SMALLEST_DEVIATION = 0.02;
const STEPS = 64;
const REACH = 6;

/** @param pooled a mean over space; where no batch norm precedes it, the prior is the standard one. */
export function priorOfMean({ root, shape }: Value): Prior {
  const mean = new Float32Array(shape.channels);
  const deviation = new Float32Array(shape.channels).fill(1);
  if (root.op !== 'mean' || root.input.batchNorm === undefined) return { mean, deviation };
  const { bend, batchNorm } = root.input;
  const [low, high] = bend.kind === 'clip' ? [bend.low, bend.high] : [-Infinity, Infinity];
  for (let c = 0; c < shape.channels; c++) {
    const moments = clippedNormal(batchNorm.beta[c], Math.abs(batchNorm.gamma[c]), low, high);
    mean[c] = moments.mean;
    deviation[c] = Math.max(SHRINKAGE_OF_AVERAGING * moments.deviation, SMALLEST_DEVIATION);
  }
  return { mean, deviation };
}

/** Moments of min(max(x, low), high) for x ~ N(centre, spread²), by the trapezoidal rule. */
function clippedNormal(
  centre: number,
  spread: number,
  low: number,
  high: number,
): { mean: number; deviation: number } {
  let mass = 0;
  let first = 0;
  let second = 0;
  for (let i = 0; i <= STEPS; i++) {
    const t = REACH * ((2 * i) / STEPS - 1);
    const density = Math.exp((-t * t) / 2);
    const x = Math.min(Math.max(centre + spread * t, low), high);
    mass += density;
    first += density * x;
    second += density * x * x;
  }
  const mean = first / mass;
  return { mean, deviation: Math.sqrt(Math.max(second / mass - mean * mean, 0)) };
}
