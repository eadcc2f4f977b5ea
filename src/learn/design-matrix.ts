/**
 * The rows that the ridge regression sees: each example's code standardised, centred and scaled by the square root of
 * its weight. They are made panel by panel from the half-precision codes, never held as a whole.
 */
import { rowsInMemory, selectRows } from './code-rows.ts';
import type { Pacer } from './pacer.ts';
import {
  deviationsOf,
  medianVariance,
  moderatedVariance,
  momentsOf,
  type Moments,
} from './standardisation.ts';
import type { CanonicalSet } from './training-set.ts';

export interface Standardisation {
  /** [D] weighted mean of the codes. */
  readonly mean: Float64Array;
  /** [D] weighted deviation, moderated; single precision as in the head file. */
  readonly deviation: Float32Array;
}

export class DesignMatrix {
  readonly examples: number;
  readonly codeLength: number;
  /** [n] square roots of the examples' weights, which sum to n. */
  readonly rootWeights: Float64Array;
  readonly standardisation: Standardisation;
  readonly #set: CanonicalSet;
  readonly #inverse: Float64Array;
  readonly #moments: Moments;
  /** Of the features' variances. */
  readonly #median: number;

  /** @param weights [n] positive, with mean 1. */
  static async create(set: CanonicalSet, weights: Float64Array, pacer: Pacer): Promise<DesignMatrix> {
    const canonicalRows = selectRows(rowsInMemory(set.codes, set.examples), set.order);
    return new DesignMatrix(set, weights, await momentsOf(canonicalRows, weights, pacer));
  }

  /** @param moments of the set, or of a larger one that it is a fair sample of. */
  constructor(set: CanonicalSet, weights: Float64Array, moments: Moments) {
    this.#set = set;
    this.examples = set.examples;
    this.codeLength = set.codeLength;
    this.rootWeights = weights.map(Math.sqrt);
    this.#moments = moments;
    this.#median = medianVariance(moments.variance);
    this.standardisation = { mean: moments.mean, deviation: deviationsOf(moments) };
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
    const { examples, variance } = this.#moments;
    const { mean, deviation } = this.standardisation;
    const from = order[i] * codeLength;
    const weight = this.rootWeights[i] ** 2;
    const others = examples - weight;
    if (others <= 0) return 1;
    let inside = 0;
    let outside = 0;
    for (let d = 0; d < codeLength; d++) {
      const square = (codes[from + d] - mean[d]) ** 2;
      // The weighted sum of squares without the example; the mean moves too, hence examples / others.
      const rest = Math.max(variance[d] * examples - (square * weight * examples) / others, 0);
      inside += square / deviation[d] ** 2;
      outside += square / moderatedVariance(rest / others, this.#median, others);
    }
    return inside > 0 ? Math.sqrt(outside / inside) : 1;
  }
}
