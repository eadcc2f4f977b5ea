/** The tensors of a head from a fitted ridge regression: its weights and bias, and the principal directions. */
import type { DesignMatrix, Standardisation } from './design-matrix.ts';
import type { Head } from '../../head/head.ts';
import type { Pacer } from '../pacer.ts';
import { timesRows } from '../linalg/panels.ts';
import type { Principal } from '../statistics/principal.ts';
import { rowsTimesVectors } from '../linalg/products.ts';
import type { Ridge } from './ridge.ts';

export interface HeadMatrices extends Pick<Head, 'mean' | 'deviation' | 'weights' | 'bias'> {
  /** [k × D], rounded to half precision. */
  readonly directions: Float32Array;
}

export async function headMatrices(
  a: DesignMatrix,
  ridge: Ridge,
  lambda: number,
  { vectors, count }: Principal,
  pacer: Pacer,
): Promise<HeadMatrices> {
  const { basis, form, order: m, primitives } = ridge.decomposition;
  // In the coordinates of examples (dual) or features.
  const fit = await ridge.coefficients(lambda, pacer);
  const axes = await rowsTimesVectors(primitives, basis, m, vectors, count, pacer, undefined, true);
  const weights = form === 'dual' ? new Float32Array(ridge.classes * a.codeLength) : new Float32Array(fit);
  const directions = form === 'dual' ? new Float64Array(count * a.codeLength) : axes;
  if (form === 'dual') {
    const wanted = [
      { left: fit, out: weights },
      { left: axes, out: directions },
    ];
    await timesRows(a, wanted, primitives, pacer);
    normaliseRows(directions, a.codeLength);
  }
  if (pacer.due(2 * (weights.length + directions.length))) await pacer.rest();
  const mean = new Float32Array(a.standardisation.mean);
  return {
    mean,
    deviation: a.standardisation.deviation,
    weights,
    bias: biases(a.standardisation, ridge.prior, weights, mean),
    directions: new Float32Array(new Float16Array(directions)),
  };
}

/** To unit length. */
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
