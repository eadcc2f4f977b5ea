/**
 * The rows that the ridge regression sees: each example's code standardised, centred and scaled by the square root of
 * its weight. They are made panel by panel from the half-precision codes, never held as a whole.
 */
import type { Pacer } from './pacer.ts';
import type { CanonicalSet } from './training-set.ts';

export interface Standardisation {
  /** [D] weighted mean of the codes. */
  readonly mean: Float64Array;
  /** [D] weighted deviation, moderated; single precision as in the head file. */
  readonly deviation: Float32Array;
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

export class DesignMatrix {
  readonly examples: number;
  readonly codeLength: number;
  /** [n] square roots of the examples' weights, which sum to n. */
  readonly rootWeights: Float64Array;
  readonly standardisation: Standardisation;
  readonly #set: CanonicalSet;
  readonly #inverse: Float64Array;
  /** [D] weighted variance of each feature, and the median over features. */
  readonly #variance: Float64Array;
  readonly #median: number;

  /** @param weights [n] positive, with mean 1. */
  static async create(set: CanonicalSet, weights: Float64Array, pacer: Pacer): Promise<DesignMatrix> {
    return new DesignMatrix(set, weights, await moments(set, weights, pacer));
  }

  private constructor(set: CanonicalSet, weights: Float64Array, { mean, variance }: FeatureMoments) {
    this.#set = set;
    this.examples = set.examples;
    this.codeLength = set.codeLength;
    this.rootWeights = weights.map(Math.sqrt);
    this.#variance = variance;
    this.#median = medianOf(variance);
    const deviation = Float32Array.from(variance, (value) =>
      Math.sqrt(this.#moderated(value, this.examples)),
    );
    this.standardisation = { mean, deviation };
    this.#inverse = Float64Array.from(this.standardisation.deviation, (value) => 1 / value);
  }

  /** Writes entries [begin, begin + count) of row i to out[offset], out[offset + stride] …; beyond the code, zeros. */
  writeRow(i: number, begin: number, count: number, out: Float64Array, offset: number, stride: number): void {
    const { codes, order, codeLength } = this.#set;
    const { mean } = this.standardisation;
    const scale = this.rootWeights[i];
    const from = order[i] * codeLength;
    const end = Math.min(begin + count, codeLength);
    let at = offset;
    for (let d = begin; d < end; d++, at += stride) {
      out[at] = (codes[from + d] - mean[d]) * this.#inverse[d] * scale;
    }
    for (let d = Math.max(end, begin); d < begin + count; d++, at += stride) out[at] = 0;
  }

  /**
   * How much longer example i's standardised code would be had its features' variances been taken without it: a code
   * is shorter in the units that it helped to choose.
   */
  leftOutInflation(i: number): number {
    const { codes, order, codeLength } = this.#set;
    const { mean, deviation } = this.standardisation;
    const from = order[i] * codeLength;
    const weight = this.rootWeights[i] ** 2;
    const others = this.examples - weight;
    if (others <= 0) return 1;
    let [inside, outside] = [0, 0];
    for (let d = 0; d < codeLength; d++) {
      const square = (codes[from + d] - mean[d]) ** 2;
      // The weighted sum of squares without the example; the mean moves too, hence examples / others.
      const rest = Math.max(
        this.#variance[d] * this.examples - (square * weight * this.examples) / others,
        0,
      );
      inside += square / deviation[d] ** 2;
      outside += square / this.#moderated(rest / others, others);
    }
    return inside > 0 ? Math.sqrt(outside / inside) : 1;
  }

  #moderated(variance: number, examples: number): number {
    const moderated = (examples * variance + PRIOR_EXAMPLES * this.#median) / (examples + PRIOR_EXAMPLES);
    return Math.max(moderated, this.#median * DEVIATION_FLOOR ** 2, SMALLEST_DEVIATION ** 2);
  }
}

interface FeatureMoments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Weighted, in two passes. */
async function moments(set: CanonicalSet, weights: Float64Array, pacer: Pacer): Promise<FeatureMoments> {
  const { codes, order, examples: n, codeLength } = set;
  const mean = new Float64Array(codeLength);
  const variance = new Float64Array(codeLength);
  for (let i = 0; i < n; i++) {
    const share = weights[i] / n;
    const from = order[i] * codeLength;
    for (let d = 0; d < codeLength; d++) mean[d] += share * codes[from + d];
    if (pacer.due(codeLength)) await pacer.rest();
  }
  for (let i = 0; i < n; i++) {
    const share = weights[i] / n;
    const from = order[i] * codeLength;
    for (let d = 0; d < codeLength; d++) variance[d] += share * (codes[from + d] - mean[d]) ** 2;
    if (pacer.due(codeLength)) await pacer.rest();
  }
  return { mean, variance };
}

/** Of the features that vary; 1 where none does. */
function medianOf(variance: Float64Array): number {
  const varying = variance.filter((value) => value > 0).sort();
  return varying.length > 0 ? varying[varying.length >> 1] : 1;
}
