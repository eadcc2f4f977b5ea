/**
 * Codes in coordinates in which the scatter that a head keeps of its training codes is the identity. Fitting new examples
 * beside the old ones is then a plain ridge regression (continue.ts).
 */
import type { Head } from '../../head/head.ts';
import { dot } from '../linalg/dot.ts';
import type { Pacer } from '../pacer.ts';
import type { Rows } from '../linalg/panels.ts';
import { standardise, type CanonicalExamples } from './taught-examples.ts';

/** What is kept of the old examples: (S + λ)⁻¹ and its root, in the coordinates of the head's directions. */
export class Whitening {
  readonly base: Head;
  /** k */
  readonly count: number;
  /** [k + 1] */
  readonly variances: Float64Array;

  constructor(base: Head) {
    this.base = base;
    const { novelty, codeLength, variances } = base;
    this.count = variances === undefined ? 0 : novelty.directions.length / codeLength;
    this.variances = Float64Array.from(variances ?? [1]);
  }

  /** [k + 1] (S + λ)^power along each direction, and across all. */
  powers(power: number): Float64Array {
    const { examples, lambda } = this.base.training;
    return this.variances.map((variance) => (examples * variance + lambda) ** power);
  }

  /** [k] */
  project(z: Float64Array): Float64Array {
    const { directions } = this.base.novelty;
    const along = new Float64Array(this.count);
    for (let l = 0; l < along.length; l++) along[l] = dot(directions, l * z.length, z, 0, z.length);
    return along;
  }
}

/** New examples in coordinates in which S + λ is the identity; the last is the bias's. Each scaled by √weight. */
export class WhitenedRows implements Rows {
  readonly examples: number;
  readonly codeLength: number;
  readonly space: Whitening;
  readonly weights: Float64Array;
  readonly #codes: readonly Float16Array[];
  /** [n × k] */
  readonly #along: Float64Array;
  readonly #roots: Float64Array;
  /** [D] */
  readonly #standardised: Float64Array;

  static async create(
    space: Whitening,
    { codes }: CanonicalExamples,
    weights: Float64Array,
    pacer: Pacer,
  ): Promise<WhitenedRows> {
    const along = new Float64Array(codes.length * space.count);
    const z = new Float64Array(space.base.codeLength);
    for (const [i, code] of codes.entries()) {
      along.set(space.project(standardise(space.base, code, z)), i * space.count);
      if (pacer.due(code.length * (space.count + 2))) await pacer.rest();
    }
    return new WhitenedRows(space, codes, weights, along);
  }

  private constructor(
    space: Whitening,
    codes: readonly Float16Array[],
    weights: Float64Array,
    along: Float64Array,
  ) {
    this.space = space;
    this.examples = codes.length;
    this.codeLength = space.base.codeLength + 1;
    this.weights = weights;
    this.#codes = codes;
    this.#along = along;
    this.#roots = space.powers(-0.5);
    this.#standardised = new Float64Array(space.base.codeLength);
  }

  /** Standardised, not whitened. The next call overwrites it. */
  standardised(i: number): Float64Array {
    return standardise(this.space.base, this.#codes[i], this.#standardised);
  }

  /** Standardised, neither whitened nor weighted. */
  get plain(): Rows {
    const { mean, deviation, codeLength } = this.space.base;
    const codes = this.#codes;
    return {
      examples: this.examples,
      codeLength,
      writeRow(i, begin, count, out, offset, stride) {
        for (let c = 0, d = begin; c < count; c++, d++)
          out[offset + c * stride] = d < codeLength ? (codes[i][d] - mean[d]) / deviation[d] : 0;
      },
    };
  }

  writeRow(i: number, begin: number, count: number, out: Float64Array, offset: number, stride: number): void {
    const { count: k, base } = this.space;
    const { mean, deviation, codeLength: d, novelty, training } = base;
    const code = this.#codes[i];
    const scale = Math.sqrt(this.weights[i]);
    const across = this.#roots[k];
    const end = Math.min(begin + count, d);
    for (let at = 0; at < count; at++) out[offset + at * stride] = 0;
    for (let l = 0; l < k; l++) {
      const factor = scale * (this.#roots[l] - across) * this.#along[i * k + l];
      const row = l * d - begin;
      for (let e = begin, at = offset; e < end; e++, at += stride) {
        out[at] += factor * novelty.directions[row + e + begin];
      }
    }
    for (let e = begin, at = offset; e < end; e++, at += stride) {
      out[at] += (scale * across * (code[e] - mean[e])) / deviation[e];
    }
    if (begin <= d && d < begin + count)
      out[offset + (d - begin) * stride] = scale / Math.sqrt(training.examples);
  }

  /** Of all examples, old and new, on the new head's count of them. */
  variances(): Float32Array {
    const { count: k, variances, base } = this.space;
    const { examples } = base.training;
    const sums = variances.map((variance) => variance * examples);
    const width = Math.max(base.codeLength - k, 1);
    for (let i = 0; i < this.examples; i++) {
      const z = this.standardised(i);
      let rest = dot(z, 0, z, 0, z.length);
      for (let l = 0; l < k; l++) {
        const square = this.#along[i * k + l] ** 2;
        sums[l] += this.weights[i] * square;
        rest -= square;
      }
      sums[k] += (this.weights[i] * Math.max(rest, 0)) / width;
    }
    return Float32Array.from(sums, (sum) => sum / (examples + this.examples));
  }
}
