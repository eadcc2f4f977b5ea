/**
 * Trains an imported head further. Nothing is known of its own training data. Its weights for the old labels stay, so that
 * it answers as before among these; a new label gets weights of its own.
 *
 * The weights of a new label are the mean of its codes, standardised by the statistics of any picture's codes (the head's
 * mean and deviation on the part of the code that its own weights don't read; importers derive them from batch norms):
 * the linear discriminant with a diagonal covariance (Fisher 1936), and weight imprinting (Qi, Brown & Lowe 2018) with a
 * background. Scale and bias come from leave-one-out: a left-out example should win against all old labels together.
 * Examples of an old label change its weights as little as possible (L2-SP, Li et al. 2018).
 *
 * What to expect, on TrashNet with heads made as Teachable Machine makes them, one class of six taught later with 5 / 20
 * pictures (means over four classes left out in turn): it is recognised in 77 / 83 % of its test photos, and the old labels'
 * accuracy falls from 79 % to 59 / 61 %, since pictures that look like the new class are now predicted as it. With all classes'
 * pictures `trainHead` reaches 65 / 70 % over all six, this 62 / 64: once every label has pictures, use that.
 */
import { withGolden } from '../../head/golden.ts';
import type { Distribution, Head } from '../../head/head.ts';
import { trainedFurther } from '../../head/method.ts';
import { softmax } from '../../head/score.ts';
import { HALF, Pacer } from '../pacer.ts';
import { largest } from '../statistics/metrics.ts';
import { meanAndDeviation } from '../statistics/novelty.ts';
import { canonical, standardise, type CanonicalExamples, type TaughtExamples } from './taught-examples.ts';
import type { TrainOptions } from '../ridge/train.ts';

/**
 * How far a left-out example of a new label may fall short of the others before the old labels win: in spreads, and as a
 * share of the others' projection. The larger counts.
 */
const SHORTFALL = { spreads: 0.67, share: 0.12 };
/** Slope of a new label's logit: temperatures per spread. */
const STEEPNESS = 3;
/** Added to the spread of the left-out projections, which few examples underestimate. */
const SPREAD_FLOOR = 0.3;
/** Assumed for a single example, which can't be left out. */
const SINGLE = { retained: 0.5, spread: 1 };
/** Sweeps over the examples of old labels. */
const SWEEPS = 30;
const DAMPING = 0.5;

/**
 * @param head an imported head, or any: its rows are kept.
 * @returns a head with the old labels, then the new ones by code unit. The same for the examples in any order.
 * @throws HeadwaterError `training_data_invalid`, `training_data_too_large`.
 */
export async function extendHead(
  head: Head,
  taught: TaughtExamples,
  options: Pick<TrainOptions, 'pause'> = {},
): Promise<Head> {
  const pacer = new Pacer(options.pause);
  const examples = canonical(head, taught);
  const { codes, labels, targets, counts } = examples;
  const space = new FeatureSpace(head);
  const rows = new Float64Array(labels.length * head.codeLength);
  rows.set(head.weights);
  const bias = Float64Array.from({ length: labels.length }, (_, c) => head.bias[c] ?? 0);
  await correctOldRows(space, head, rows, examples, pacer);
  const corrected = { ...head, weights: Float32Array.from(rows.subarray(0, head.weights.length)) };
  for (let c = head.labels.length; c < labels.length; c++) {
    const own = codes.filter((_, i) => targets[i] === c);
    const row = newRow(space, corrected, own);
    rows.set(row.weights, c * head.codeLength);
    bias[c] = row.bias;
  }
  return withGolden({
    ...head,
    labels,
    weights: Float32Array.from(rows),
    bias: Float32Array.from(bias),
    training: {
      method: trainedFurther(head.training.method, 'extended'),
      examples: counts.reduce((sum, count) => sum + count, 0),
      counts,
      lambda: 0,
      leaveOneOut: null,
    },
  });
}

/** The part of the code that new rows may read, standardised against any picture. */
class FeatureSpace {
  readonly codeLength: number;
  readonly #head: Head;
  /** [D] whether the number is part of it. */
  readonly #isFeature: Uint8Array;
  /** [D] */
  readonly #standardised: Float64Array;

  constructor(head: Head) {
    this.#head = head;
    this.codeLength = head.codeLength;
    const unread = new Uint8Array(head.codeLength).fill(1);
    for (let at = 0; at < head.weights.length; at++)
      if (head.weights[at] !== 0) unread[at % head.codeLength] = 0;
    this.#isFeature = unread.includes(1) ? unread : unread.fill(1);
    this.#standardised = new Float64Array(head.codeLength);
  }

  /** Overwrites the last result where no `z` is given: in double precision all would take four times the codes' memory. */
  standardise(code: Float16Array, z: Float64Array = this.#standardised): Float64Array {
    return standardise(this.#head, code, z);
  }

  /** Of standardised codes, over the features alone. */
  dot(a: Float64Array, b: Float64Array): number {
    let sum = 0;
    for (let d = 0; d < a.length; d++) sum += this.#isFeature[d] * a[d] * b[d];
    return sum;
  }

  /** Adds factor · z to a row, over the features alone. */
  addTo(row: Float64Array, z: Float64Array, factor: number): void {
    for (let d = 0; d < z.length; d++) row[d] += this.#isFeature[d] * factor * z[d];
  }
}

function newRow(
  space: FeatureSpace,
  old: Head,
  codes: readonly Float16Array[],
): { weights: Float64Array; bias: number } {
  const sum = new Float64Array(space.codeLength);
  for (const code of codes) space.addTo(sum, space.standardise(code), 1);
  const length = Math.sqrt(space.dot(sum, sum)) || 1;
  const { centre, spread } = unseenProjections(space, codes, sum, length);
  const slope = (STEEPNESS * old.temperature) / spread;
  const shortfall = Math.max(SHORTFALL.spreads * spread, SHORTFALL.share * centre);
  const opposition =
    codes.reduce((total, code) => total + together(old, space.standardise(code)), 0) / codes.length;
  return {
    weights: sum.map((value) => (value / length) * slope),
    bias: opposition - slope * (centre - shortfall),
  };
}

/** Projections of left-out examples on the mean of the others. */
function unseenProjections(
  space: FeatureSpace,
  codes: readonly Float16Array[],
  sum: Float64Array,
  length: number,
): Distribution {
  if (codes.length === 1) return { centre: SINGLE.retained * length, spread: SINGLE.spread };
  const projections = Float64Array.from(codes, (code) => {
    const z = space.standardise(code);
    const square = space.dot(z, z);
    const along = space.dot(sum, z);
    // (Σ − z)·z / |Σ − z|
    return (along - square) / Math.sqrt(Math.max(length * length - 2 * along + square, Number.MIN_VALUE));
  });
  const { centre, spread } = meanAndDeviation(projections);
  return { centre, spread: spread + SPREAD_FLOOR };
}

/** The logit that stands for all old labels: T·log Σ exp(logit / T). */
function together(head: Head, z: Float64Array): number {
  const logits = logitsOf(head.weights, head.bias, z, head.labels.length);
  const top = largest(logits, 0, logits.length);
  const sum = logits.reduce((total, logit) => total + Math.exp((logit - top) / head.temperature), 0);
  return top + head.temperature * Math.log(sum);
}

function logitsOf(
  weights: Float32Array | Float64Array,
  bias: Float32Array | Float64Array,
  z: Float64Array,
  classes: number,
): Float64Array {
  const logits = new Float64Array(classes);
  for (let c = 0; c < classes; c++) {
    let sum = bias[c];
    for (let d = 0, at = c * z.length; d < z.length; d++, at++) sum += weights[at] * z[d];
    logits[c] = sum;
  }
  return logits;
}

/**
 * Minimises Σ log-loss + ρ/2·|change|² over the examples of old labels by damped coordinate ascent in the dual: the
 * change of row c is Σ aᵢ[c]·zᵢ with aᵢ = (yᵢ − pᵢ)/ρ.
 */
async function correctOldRows(
  space: FeatureSpace,
  head: Head,
  rows: Float64Array,
  { codes, targets }: CanonicalExamples,
  pacer: Pacer,
): Promise<void> {
  const classes = head.labels.length;
  const members = codes.flatMap((code, i) => {
    const target = targets[i];
    if (target >= classes) return [];
    return [{ code, target, before: logitsOf(head.weights, head.bias, space.standardise(code), classes) }];
  });
  const n = members.length;
  if (n === 0) return;
  const gram = await gramOf(
    space,
    members.map(({ code }) => code),
    pacer,
  );
  const square = (i: number): number => gram[i * n + i];
  const rho = members.reduce((sum, _, i) => sum + square(i), 0) / n || 1;
  /** [n × C] */
  const change = new Float64Array(n * classes);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const [i, { target, before }] of members.entries()) {
      const logits = before.slice();
      for (let j = 0; j < n; j++) {
        const likeness = gram[i * n + j];
        for (let c = 0; c < classes; c++) logits[c] += likeness * change[j * classes + c];
      }
      const p = softmax(logits, largest(logits, 0, logits.length), head.temperature);
      const step = DAMPING / (1 + square(i) / (4 * rho));
      for (let c = 0; c < classes; c++) {
        const at = i * classes + c;
        change[at] += step * (((c === target ? 1 : 0) - p[c]) / rho - change[at]);
      }
      if (pacer.due(n * classes)) await pacer.rest();
    }
  }
  for (let c = 0; c < classes; c++) {
    const row = rows.subarray(c * head.codeLength, (c + 1) * head.codeLength);
    for (const [i, { code }] of members.entries())
      space.addTo(row, space.standardise(code), change[i * classes + c]);
  }
}

/** Codes that are standardised at once. */
const GRAM_ROWS = 32;

/** [n × n] products of the standardised codes with each other. */
async function gramOf(
  space: FeatureSpace,
  codes: readonly Float16Array[],
  pacer: Pacer,
): Promise<Float64Array> {
  const n = codes.length;
  const gram = new Float64Array(n * n);
  const some = Array.from({ length: Math.min(n, GRAM_ROWS) }, () => new Float64Array(space.codeLength));
  for (let first = 0; first < n; first += GRAM_ROWS) {
    const end = Math.min(first + GRAM_ROWS, n);
    for (let i = first; i < end; i++) space.standardise(codes[i], some[i - first]);
    for (let j = 0; j < end; j++) {
      const z = space.standardise(codes[j]);
      for (let i = Math.max(first, j); i < end; i++)
        gram[i * n + j] = gram[j * n + i] = space.dot(some[i - first], z);
      if (pacer.due((end - first + HALF) * z.length)) await pacer.rest();
    }
  }
  return gram;
}
