/**
 * Brings a symmetric m × m matrix K to tridiagonal form K = Q·T·Qᵀ by Householder reflections (Golub & Van Loan,
 * 8.3.1), in steps of about a millisecond between which the host may pause, and forms Q in K's place.
 */
import type { Pacer } from '../pacer.ts';
import { dot } from './dot.ts';
import { BLOCK_ROWS, WASM_COST, type SymmetricPrimitives } from './primitives.ts';
import type { Tridiagonal } from './tridiagonal.ts';

/** Rows of K that one step of a column's pass takes on. Even. */
const PASS_ROWS = 128;
/** Columns of Q that one step of the back-transformation takes on. */
export const BLOCK_COLUMNS = 32;

/**
 * @param p their matrix is K, the lower triangle of it, and then Q, with gaps between its rows: see `closeGaps`.
 * @returns T
 */
export async function tridiagonalise(p: SymmetricPrimitives, pacer: Pacer): Promise<Tridiagonal> {
  const { order: m, stride, matrix } = p;
  const t = { diagonal: new Float64Array(m), offDiagonal: new Float64Array(m) };
  /** The factor τ of each reflector I − τ·v·vᵀ. */
  const tau = new Float64Array(m);
  for (let j = 0; j < m - 1; j++) await reduceColumn(p, j, t, tau, pacer);
  // The last reflector is of length one and changes nothing.
  t.diagonal[m - 1] = matrix[(m - 1) * stride + m - 1];
  for (let begin = Math.floor((m - 1) / BLOCK_ROWS) * BLOCK_ROWS; begin >= 0; begin -= BLOCK_ROWS) {
    prepareBlock(p, begin, tau);
    if (pacer.due(BLOCK_ROWS ** 2 * (m - begin))) await pacer.rest();
    for (let from = begin; from < stride; from += BLOCK_COLUMNS) {
      p.applyReflectors(begin, from, Math.min(from + BLOCK_COLUMNS, stride));
      if (pacer.due(2 * BLOCK_ROWS * BLOCK_COLUMNS * (m - begin) * WASM_COST)) await pacer.rest();
    }
  }
  return t;
}

/** @returns [m × m] the matrix, in the same memory, whose rows then lie side by side. */
export function closeGaps({ order: m, stride, matrix }: SymmetricPrimitives): Float64Array {
  if (stride !== m) for (let i = 1; i < m; i++) matrix.copyWithin(i * m, i * stride, i * stride + m);
  return matrix.subarray(0, m * m);
}

/**
 * Step j of 0 … m − 2, in order: a reflector clears column j below its subdiagonal. One pass over the rows below applies
 * the update that the step before left and finds this step's product, so that K is read once a step. The update that the
 * reflector makes is left to the next step. The reflector's vector, scaled to begin with 1, is kept in row j, right of the
 * diagonal, where nothing else is stored.
 */
async function reduceColumn(
  p: SymmetricPrimitives,
  j: number,
  { diagonal, offDiagonal }: Tridiagonal,
  tau: Float64Array,
  pacer: Pacer,
): Promise<void> {
  const { order: m, stride, matrix, v, w, x, product } = p;
  updateColumn(matrix, stride, j, m, v, w, x);
  diagonal[j] = x[j];
  offDiagonal[j] = makeReflector(x, j, m, tau);
  product.fill(0);
  for (let row = j + 1; row < m;) {
    // A multiple of four rows is left for the steps to come.
    const end = Math.min(row + PASS_ROWS - (-(m - row) & 3), m);
    p.updateAndMultiply(j + 1, row, end);
    // Four multiply-adds an entry: two of the update, two of the product.
    if (pacer.due(4 * (end - row) * (end - j) * WASM_COST)) await pacer.rest();
    row = end;
  }
  leaveUpdate(product, x, j + 1, m, tau[j], v, w);
  matrix.set(x.subarray(j + 1, m), j * stride + j + 1);
  if (pacer.due(4 * m)) await pacer.rest();
}

/** Takes up the reflectors [begin, begin + BLOCK_ROWS); from the last block to the first. */
function prepareBlock(p: SymmetricPrimitives, begin: number, tau: Float64Array): void {
  const { order: m, stride, matrix, reflectors, triangle } = p;
  reflectors.fill(0);
  triangle.fill(0);
  const end = Math.min(begin + BLOCK_ROWS, m);
  for (let j = begin; j < end; j++) {
    reflectors.set(matrix.subarray(j * stride + j + 1, j * stride + m), (j - begin) * stride + j + 1);
    matrix.fill(0, j * stride, (j + 1) * stride);
    matrix[j * stride + j] = 1;
  }
  for (let i = end; i < m; i++) matrix.fill(0, i * stride + begin, i * stride + end);
  for (let k = 0; k < end - begin; k++)
    extendTriangle(p, k, begin + k + 1, begin + k < m - 1 ? tau[begin + k] : 0);
}

/**
 * Column k of T: T[0:k, k] = −τ·T[0:k, 0:k]·V[0:k]·v (Schreiber & Van Loan 1989).
 * @param first where reflector k begins.
 */
function extendTriangle(p: SymmetricPrimitives, k: number, first: number, tau: number): void {
  const { stride, order: m, reflectors, triangle } = p;
  const overlaps = new Float64Array(k);
  for (let r = 0; r < k; r++) {
    overlaps[r] = dot(reflectors, r * stride + first, reflectors, k * stride + first, m - first);
  }
  for (let r = 0; r < k; r++) {
    triangle[r * BLOCK_ROWS + k] = -tau * dot(triangle, r * BLOCK_ROWS + r, overlaps, r, k - r);
  }
  triangle[k * BLOCK_ROWS + k] = tau;
}

// Functions of plain arrays, for V8 throws away what it optimised for the shapes of objects that all are collected.

/** x = column j of the matrix from row j on, with the update that is still to be applied. */
function updateColumn(
  matrix: Float64Array,
  stride: number,
  j: number,
  m: number,
  v: Float64Array,
  w: Float64Array,
  x: Float64Array,
): void {
  for (let i = j; i < m; i++) x[i] = matrix[i * stride + j] - (v[i] * w[j] + w[i] * v[j]);
}

/** Turns x[j + 1 …] into the reflector that maps it onto the first axis. @returns what it is mapped to. */
function makeReflector(x: Float64Array, j: number, m: number, tau: Float64Array): number {
  const rest = dot(x, j + 2, x, j + 2, m - j - 2);
  const first = x[j + 1];
  x[j + 1] = 1;
  if (rest === 0) return first;
  const length = Math.sqrt(first * first + rest);
  const mapped = first > 0 ? -length : length;
  for (let i = j + 2; i < m; i++) x[i] /= first - mapped;
  tau[j] = (mapped - first) / mapped;
  return mapped;
}

function leaveUpdate(
  product: Float64Array,
  x: Float64Array,
  begin: number,
  m: number,
  tau: number,
  v: Float64Array,
  w: Float64Array,
): void {
  const along = dot(product, begin, x, begin, m - begin);
  for (let i = begin; i < m; i++) {
    w[i] = tau * (product[i] - (tau / 2) * along * x[i]);
    v[i] = x[i];
  }
}
