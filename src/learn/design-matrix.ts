/**
 * The rows that the ridge regression sees: each example's code standardised, centred and scaled by the square root of
 * its weight. They are made panel by panel from the half-precision codes, never held as a whole.
 */
import type { CanonicalSet } from './training-set.ts';

export interface Standardisation {
  /** [D] weighted mean of the codes. */
  readonly mean: Float64Array;
  /** [D] weighted deviation, floored; single precision as in the head file. */
  readonly deviation: Float32Array;
}

/** A feature that hardly varies in training would explode on the first picture where it does. */
const DEVIATION_FLOOR_OF_MEDIAN = 0.1;

export class DesignMatrix {
  readonly examples: number;
  readonly codeLength: number;
  /** [n] square roots of the examples' weights, which sum to n. */
  readonly rootWeights: Float64Array;
  readonly standardisation: Standardisation;
  readonly #set: CanonicalSet;
  readonly #inverse: Float64Array;

  /** @param weights [n] positive, with mean 1. */
  constructor(set: CanonicalSet, weights: Float64Array) {
    this.#set = set;
    this.examples = set.examples;
    this.codeLength = set.codeLength;
    this.rootWeights = weights.map(Math.sqrt);
    this.standardisation = standardise(set, weights);
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
}

function standardise(set: CanonicalSet, weights: Float64Array): Standardisation {
  const { codes, order, examples: n, codeLength } = set;
  const mean = new Float64Array(codeLength);
  const variance = new Float64Array(codeLength);
  for (let i = 0; i < n; i++) {
    const share = weights[i] / n;
    const from = order[i] * codeLength;
    for (let d = 0; d < codeLength; d++) mean[d] += share * codes[from + d];
  }
  for (let i = 0; i < n; i++) {
    const share = weights[i] / n;
    const from = order[i] * codeLength;
    for (let d = 0; d < codeLength; d++) variance[d] += share * (codes[from + d] - mean[d]) ** 2;
  }
  const deviation = Float32Array.from(variance, Math.sqrt);
  const varying = deviation.filter((value) => value > 0).sort();
  const median = varying.length > 0 ? varying[Math.floor(varying.length / 2)] : 1;
  const floor = median * DEVIATION_FLOOR_OF_MEDIAN;
  return { mean, deviation: deviation.map((value) => Math.max(value, floor)) };
}
