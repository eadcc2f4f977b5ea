/** The tensors of a head from a fitted ridge regression: its weights and bias, and the principal directions. */
import type { DesignMatrix, Standardisation } from './design-matrix.ts';
import type { Pacer } from '../pacer.ts';
import { timesRows } from '../linalg/panels.ts';
import type { Principal } from '../statistics/principal.ts';
import { vectorsTimesRows } from '../linalg/products.ts';
import type { Ridge } from './ridge.ts';
import type { SymmetricPrimitives } from '../linalg/symmetric.ts';

export interface HeadMatrices {
  /** [D] */
  readonly mean: Float32Array;
  /** [C × D] */
  readonly weights: Float32Array;
  /** [C] */
  readonly bias: Float32Array;
  /** [k × D], rounded to half precision. */
  readonly directions: Float32Array;
}

export async function headMatrices(
  a: DesignMatrix,
  ridge: Ridge,
  lambda: number,
  principal: Principal,
  pacer: Pacer,
): Promise<HeadMatrices> {
  const { classes, decomposition } = ridge;
  const combined = await combine(ridge, lambda, principal, pacer);
  const split = classes * decomposition.order;
  const parts = { fit: combined.subarray(0, split), axes: combined.subarray(split) };
  const { weights, directions } =
    decomposition.form === 'dual'
      ? await pullBack(a, parts, decomposition.primitives, pacer)
      : { weights: new Float32Array(parts.fit), directions: parts.axes };
  if (pacer.due(2 * (weights.length + directions.length))) await pacer.rest();
  const mean = new Float32Array(a.standardisation.mean);
  return {
    mean,
    weights,
    bias: biases(a.standardisation, ridge.prior, weights, mean),
    directions: new Float32Array(new Float16Array(directions)),
  };
}

/** [(C + k) × m] coefficients, then eigenvectors, in the coordinates of examples (dual) or features. */
async function combine(
  ridge: Ridge,
  lambda: number,
  { vectors, count }: Principal,
  pacer: Pacer,
): Promise<Float64Array> {
  const { classes } = ridge;
  const { basis, order: m, primitives } = ridge.decomposition;
  const out = new Float64Array((classes + count) * m);
  await ridge.coefficients(lambda, pacer, out.subarray(0, classes * m));
  await vectorsTimesRows(primitives, basis, m, vectors, count, pacer, out.subarray(classes * m));
  return out;
}

/**
 * Rows of length n times A.
 * @returns [C × D] the fit, at once in the file's precision, and [k × D] the axes at unit length.
 */
async function pullBack(
  a: DesignMatrix,
  { fit, axes }: { readonly fit: Float64Array; readonly axes: Float64Array },
  primitives: SymmetricPrimitives,
  pacer: Pacer,
): Promise<{ weights: Float32Array; directions: Float64Array }> {
  const { order: n } = primitives;
  const d = a.codeLength;
  const weights = new Float32Array((fit.length / n) * d);
  const directions = new Float64Array((axes.length / n) * d);
  const wanted = [
    { left: fit, out: weights },
    { left: axes, out: directions },
  ];
  await timesRows(a, wanted, primitives, pacer);
  normaliseRows(directions, d);
  return { weights, directions };
}

function normaliseRows(matrix: Float64Array, length: number): void {
  for (let from = 0; from < matrix.length; from += length) normaliseRow(matrix, from, from + length);
}

function normaliseRow(matrix: Float64Array, from: number, end: number): void {
  let squares = 0;
  for (let d = from; d < end; d++) squares += matrix[d] * matrix[d];
  const norm = Math.sqrt(squares);
  for (let d = from; d < end; d++) matrix[d] /= norm;
}

/** The fit is centred on the exact mean; the bias takes up what the file's single-precision mean leaves. @param prior [C] */
export function biases(
  { mean: exact, deviation }: Standardisation,
  prior: Float64Array,
  weights: Float32Array,
  mean: Float32Array,
): Float32Array {
  return Float32Array.from(prior, (share, c) => {
    let bias = share;
    for (let d = 0; d < exact.length; d++) {
      bias += (weights[c * exact.length + d] * (mean[d] - exact[d])) / deviation[d];
    }
    return bias;
  });
}
