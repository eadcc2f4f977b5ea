/** The tensors of a head from a fitted ridge regression: its weights and bias, and the principal directions. */
import { addRows, rowProducts, ROWS_AT_ONCE } from './add-rows.ts';
import type { DesignMatrix, Standardisation } from './design-matrix.ts';
import { HALF, type Pacer } from './pacer.ts';
import type { Principal } from './principal.ts';
import type { Ridge } from './ridge.ts';

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
  const { count } = principal;
  const d = a.codeLength;
  const columns = classes + count;
  const combined = await combine(ridge, lambda, principal, pacer);
  const rows =
    decomposition.form === 'dual'
      ? await pullBack(a, combined, columns, pacer)
      : transposed(combined, d, columns);
  const mean = new Float32Array(a.standardisation.mean);
  const weights = new Float32Array(rows.subarray(0, classes * d));
  const directions = rows.subarray(classes * d);
  if (decomposition.form === 'dual') normaliseRows(directions, d);
  if (pacer.due(2 * rows.length)) await pacer.rest();
  return {
    mean,
    weights,
    bias: biases(a.standardisation, ridge.prior, weights, mean),
    directions: new Float32Array(new Float16Array(directions)),
  };
}

/** [m × (C + k)] coefficients and eigenvectors side by side, in the coordinates of examples (dual) or features. */
async function combine(
  ridge: Ridge,
  lambda: number,
  { vectors, count }: Principal,
  pacer: Pacer,
): Promise<Float64Array> {
  const { classes } = ridge;
  const { basis, order: m } = ridge.decomposition;
  const coefficients = await ridge.coefficients(lambda, pacer);
  const columns = classes + count;
  const out = new Float64Array(m * columns);
  const products = new Float64Array(ROWS_AT_ONCE * count);
  for (let i = 0; i < m; i++) {
    const together = i % ROWS_AT_ONCE;
    if (together === 0) rowProducts(basis, i, m, vectors, count, m, products);
    for (let c = 0; c < classes; c++) out[i * columns + c] = coefficients[i * classes + c];
    for (let k = 0; k < count; k++) out[i * columns + classes + k] = products[together * count + k];
    if (pacer.due(m * count)) await pacer.rest();
  }
  return out;
}

/** Aᵀ times the columns: [columns × D]. */
async function pullBack(
  a: DesignMatrix,
  combined: Float64Array,
  columns: number,
  pacer: Pacer,
): Promise<Float64Array> {
  const d = a.codeLength;
  const out = new Float64Array(columns * d);
  const rows = Array.from({ length: ROWS_AT_ONCE }, () => new Float64Array(d));
  for (let i = 0; i < a.examples; i += ROWS_AT_ONCE) {
    const factors = new Float64Array(ROWS_AT_ONCE * columns);
    factors.set(combined.subarray(i * columns, (i + ROWS_AT_ONCE) * columns));
    rows.forEach((row, r) => {
      if (i + r < a.examples) a.writeRow(i + r, 0, d, row, 0, 1);
    });
    for (let c = 0; c < columns; c++) addRows(out, c * d, rows, factors, c, columns);
    if (pacer.due(ROWS_AT_ONCE * (columns + HALF) * d)) await pacer.rest();
  }
  return out;
}

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j];
  return out;
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
