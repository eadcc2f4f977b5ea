/** The units that codes are measured in: each feature's mean and a deviation that is moderated where it is little known. */
import { stretches, type CodeRows } from './code-rows.ts';
import { HALF, type Pacer } from './pacer.ts';

export interface Moments {
  /** n, how many examples they are of. */
  readonly examples: number;
  /** [D] weighted mean of the codes. */
  readonly mean: Float64Array;
  /** [D] weighted variance of each feature. */
  readonly variance: Float64Array;
}

/**
 * Examples that the typical (median) variance of all features counts as in each feature's own: with few examples a
 * feature's variance is hardly known, and one that seems not to vary would explode on the first picture where it does
 * (variances moderated as in Smyth 2004).
 */
const PRIOR_EXAMPLES = 3;
/** With many examples the prior is forgotten; this floor, a share of the median deviation, is not. */
const DEVIATION_FLOOR = 0.1;
/** Where most features never vary, their median is rounding; head files refuse deviations that vanish. */
const SMALLEST_DEVIATION = 1e-6;
/** Rows that are read at once. */
const ROWS = 64;

/** In two passes. @param weights [n] with mean 1. */
export async function momentsOf(rows: CodeRows, weights: Float64Array, pacer: Pacer): Promise<Moments> {
  const { examples: n, codeLength } = rows;
  const mean = new Float64Array(codeLength);
  const variance = new Float64Array(codeLength);
  for (const { begin, count, out } of stretches(rows, ROWS)) {
    for (let r = 0; r < count; r++) {
      const share = weights[begin + r] / n;
      const from = r * codeLength;
      for (let d = 0; d < codeLength; d++) mean[d] += share * out[from + d];
    }
    if (pacer.due(count * codeLength * HALF)) await pacer.rest();
  }
  for (const { begin, count, out } of stretches(rows, ROWS)) {
    for (let r = 0; r < count; r++) {
      const share = weights[begin + r] / n;
      const from = r * codeLength;
      for (let d = 0; d < codeLength; d++) variance[d] += share * (out[from + d] - mean[d]) ** 2;
    }
    if (pacer.due(count * codeLength * HALF)) await pacer.rest();
  }
  return { examples: n, mean, variance };
}

/** The variance that a feature is taken to have. @param median over the features. @param examples that showed it. */
export function moderatedVariance(variance: number, median: number, examples: number): number {
  const moderated = (examples * variance + PRIOR_EXAMPLES * median) / (examples + PRIOR_EXAMPLES);
  return Math.max(moderated, median * DEVIATION_FLOOR ** 2, SMALLEST_DEVIATION ** 2);
}

/** Of the features that vary; 1 where none does. */
export function medianVariance(variance: Float64Array): number {
  const varying = variance.filter((value) => value > 0).sort();
  return varying.length > 0 ? varying[varying.length >> 1] : 1;
}

/** [D] moderated deviations, in single precision as in the head file. */
export function deviationsOf({ variance, examples }: Moments): Float32Array {
  const median = medianVariance(variance);
  return Float32Array.from(variance, (value) => Math.sqrt(moderatedVariance(value, median, examples)));
}
