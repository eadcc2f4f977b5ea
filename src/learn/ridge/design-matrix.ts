/**
 * The rows of the ridge regression: each example's code standardised, centred and scaled by the square root of
 * its weight. They are made panel by panel from the half-precision codes, never held as a whole.
 */
import { rowsInMemory, selectRows } from '../code-rows.ts';
import { halfBits, halfValues } from '../half.ts';
import type { Pacer } from '../pacer.ts';
import {
  deviationsOf,
  medianVariance,
  moderatedVariance,
  momentsOf,
  type Moments,
} from '../statistics/standardisation.ts';
import type { CanonicalSet } from '../training-set.ts';

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
  /** Of the set's codes. */
  readonly #bits: Uint16Array;
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
    this.#bits = halfBits(set.codes);
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
    const { order, codeLength } = this.#set;
    const { mean } = this.standardisation;
    const known = Math.max(Math.min(count, codeLength - begin), 0);
    const scale = this.rootWeights[i];
    const from = order[i] * codeLength + begin;
    writeStandardised(this.#bits, from, mean, this.#inverse, begin, known, scale, out, offset, stride);
    for (let d = known; d < count; d++) out[offset + d * stride] = 0;
  }

  /**
   * How much longer example i's standardised code would be had its features' variances been taken without it: a code
   * is shorter in the units that it helped to choose.
   */
  leftOutInflation(i: number): number {
    const { order, codeLength } = this.#set;
    const { examples, variance } = this.#moments;
    const { mean, deviation } = this.standardisation;
    const weight = this.rootWeights[i] ** 2;
    if (weight >= examples) return 1;
    const from = order[i] * codeLength;
    return inflation(this.#bits, from, mean, deviation, variance, examples, weight, this.#median);
  }
}

// V8 throws optimised code away when the last object of a shape that it knows is collected, which is after every training.
// What runs for each number of a code is therefore given plain arrays and numbers, whose shapes never die.

/** Writes `count` features from `begin` on, whose bits begin at bits[from], to out[offset], out[offset + stride] … */
function writeStandardised(
  bits: Uint16Array,
  from: number,
  mean: Float64Array,
  inverse: Float64Array,
  begin: number,
  count: number,
  scale: number,
  out: Float64Array,
  offset: number,
  stride: number,
): void {
  const values = halfValues();
  for (let d = 0; d < count; d++) {
    out[offset + d * stride] = (values[bits[from + d]] - mean[begin + d]) * inverse[begin + d] * scale;
  }
}

function inflation(
  bits: Uint16Array,
  from: number,
  mean: Float64Array,
  deviation: Float32Array,
  variance: Float64Array,
  examples: number,
  weight: number,
  median: number,
): number {
  const values = halfValues();
  const others = examples - weight;
  let inside = 0;
  let outside = 0;
  for (let d = 0; d < mean.length; d++) {
    const off = values[bits[from + d]] - mean[d];
    const square = off * off;
    // The weighted sum of squares without the example; the mean moves too, hence examples / others.
    const rest = variance[d] * examples - (square * weight * examples) / others;
    inside += square / (deviation[d] * deviation[d]);
    outside += square / moderatedVariance(rest > 0 ? rest / others : 0, median, others);
  }
  return inside > 0 ? Math.sqrt(outside / inside) : 1;
}
