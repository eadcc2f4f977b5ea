/** The units that codes are measured in: each feature's mean and a deviation that is moderated where it is little known. */
import { stretches, type CodeRows } from '../code-rows.ts';
import { HALF, type Pacer } from '../pacer.ts';

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
/** With many examples the prior is forgotten; this floor, a share of the median variance, is not. */
const VARIANCE_FLOOR = 0.1 ** 2;
/** Where most features never vary, their median is rounding; head files refuse deviations that vanish. */
const SMALLEST_VARIANCE = 1e-6 ** 2;
/** Rows that are read at once. */
const ROWS = 64;

/**
 * In two passes. A feature that never varies has exactly its value as its mean, and no variance: rounding would give it one
 * that whatever divides by it takes for real.
 * @param weights [n] with mean 1.
 */
export async function momentsOf(rows: CodeRows, weights: Float64Array, pacer: Pacer): Promise<Moments> {
  const { examples, codeLength } = rows;
  const mean = new Float64Array(codeLength);
  const variance = new Float64Array(codeLength);
  const first = new Float64Array(codeLength);
  const varies = new Uint8Array(codeLength);
  await forEachRow(rows, pacer, (row, i) => {
    if (i === 0) first.set(row);
    addScaled(mean, row, weights[i] / examples);
    markVarying(varies, row, first);
  });
  for (let d = 0; d < codeLength; d++) if (varies[d] === 0) mean[d] = first[d];
  await forEachRow(rows, pacer, (row, i) => addSquares(variance, row, mean, weights[i] / examples));
  return { examples, mean, variance };
}

/** @param use is given each row in turn, in memory that the next one overwrites. */
async function forEachRow(
  rows: CodeRows,
  pacer: Pacer,
  use: (row: Float64Array, i: number) => void,
): Promise<void> {
  const { codeLength } = rows;
  const row = new Float64Array(codeLength);
  for (const { begin, count, out } of stretches(rows, ROWS)) {
    for (let r = 0; r < count; r++) {
      row.set(out.subarray(r * codeLength, (r + 1) * codeLength));
      use(row, begin + r);
    }
    if (pacer.due(count * codeLength * HALF)) await pacer.rest();
  }
}

// Functions of their own: V8 makes an object of every number in a loop that it has not optimised, and what is called for each
// row it optimises once, where it begins anew with a loop within a function that is called for each training.
function addScaled(sum: Float64Array, row: Float64Array, factor: number): void {
  for (let d = 0; d < sum.length; d++) sum[d] += factor * row[d];
}

function markVarying(varies: Uint8Array, row: Float64Array, first: Float64Array): void {
  for (let d = 0; d < varies.length; d++) if (row[d] !== first[d]) varies[d] = 1;
}

function addSquares(sum: Float64Array, row: Float64Array, mean: Float64Array, factor: number): void {
  for (let d = 0; d < sum.length; d++) sum[d] += factor * (row[d] - mean[d]) ** 2;
}

/** The variance that a feature is taken to have. @param median over the features. @param examples that showed it. */
export function moderatedVariance(variance: number, median: number, examples: number): number {
  const moderated = (examples * variance + PRIOR_EXAMPLES * median) / (examples + PRIOR_EXAMPLES);
  const floor = median * VARIANCE_FLOOR;
  // Not by Math.max, whose arguments V8 makes objects of as long as it has not optimised what calls it.
  if (moderated > floor) return moderated > SMALLEST_VARIANCE ? moderated : SMALLEST_VARIANCE;
  return floor > SMALLEST_VARIANCE ? floor : SMALLEST_VARIANCE;
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
