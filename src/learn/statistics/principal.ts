/** The leading principal directions of the training codes, and how far each code would lie outside them if left out. */
import type { DesignMatrix } from '../ridge/design-matrix.ts';
import { leftOutResidual } from './downdate.ts';
import { dot } from '../linalg/dot.ts';
import type { Pacer } from '../pacer.ts';
import { leadingEigenpairs } from '../linalg/eigenpairs.ts';
import { rowsTimesVectors } from '../linalg/products.ts';
import type { Decomposition } from '../ridge/ridge.ts';

export interface Principal {
  /** Number of directions, at most the number requested. */
  readonly count: number;
  /** [p × m], p ≥ count: eigenvectors of the decomposed matrix in its tridiagonal basis. */
  readonly vectors: Float64Array;
  /** [p] its eigenvalues, falling. */
  readonly values: Float64Array;
}

/** Eigenpairs beyond the kept ones that the left-out residuals are computed from; the rest is lumped. */
export const SPARE_EIGENPAIRS = 32;

export async function findPrincipal(
  { tridiagonal }: Decomposition,
  count: number,
  pacer: Pacer,
): Promise<Principal> {
  const wanted = count > 0 ? count + SPARE_EIGENPAIRS : 0;
  const { values, vectors } = await leadingEigenpairs(tridiagonal, wanted, pacer);
  return { count: Math.min(count, values.length), values, vectors };
}

/**
 * @returns [count + 1] variance of the standardised codes along each direction, and its mean over the directions across
 * all of them. @param codeLength D
 */
export function variancesOf(
  { tridiagonal }: Decomposition,
  { count, values }: Principal,
  examples: number,
  codeLength: number,
): Float32Array {
  const leading = Float64Array.from(values.subarray(0, count), (value) => Math.max(value, 0) / examples);
  const total = tridiagonal.diagonal.reduce((sum, value) => sum + value, 0) / examples;
  const rest = leading.reduce((left, value) => left - value, total) / Math.max(codeLength - count, 1);
  return Float32Array.of(...leading, Math.max(rest, 0));
}

/**
 * Length of each code's part outside the principal directions of all the other codes, standardised by the others. The
 * directions are those found in the units of all, a difference that fades with few examples and more.
 * @param sample the examples to do this for.
 * @returns their lengths, in the order of the sample.
 */
export async function leftOutResiduals(
  sample: Uint32Array,
  a: DesignMatrix,
  decomposition: Decomposition,
  principal: Principal,
  pacer: Pacer,
): Promise<Float64Array> {
  const { form, order: m, rows, tridiagonal, primitives } = decomposition;
  const { diagonal, offDiagonal } = tridiagonal;
  const { values, vectors, count } = principal;
  const n = a.examples;
  const lengths = new Float64Array(sample.length);
  const factors = form === 'dual' ? values : new Float64Array(values.length).fill(1);
  const some = new Float64Array(ROWS * m);
  for (let begin = 0; begin < sample.length; begin += ROWS) {
    const places = sample.subarray(begin, begin + ROWS);
    places.forEach((i, r) => some.set(rows.subarray(i * m, (i + 1) * m), r * m));
    const along = await rowsTimesVectors(primitives, some, places.length, vectors, values.length, pacer);
    for (const [r, i] of places.entries()) {
      const row = some.subarray(r * m, (r + 1) * m);
      // Moments of the row's squared coordinates in the eigenbasis: Σa² and Σμa², whole, then without the leading ones.
      const moments = momentsOf(form, diagonal, offDiagonal, row);
      const squares = along.subarray(r * values.length, (r + 1) * values.length);
      square(squares, factors, moments.square * SMALLEST_SHARE);
      const tailSquare = moments.square - sum(squares);
      const tailFirst = moments.first - dot(squares, 0, values, 0, values.length);
      const weight = a.rootWeights[i] ** 2;
      const rho = n / Math.max(n - weight, 1e-9 * n);
      const noise = moments.square * 1e-9;
      const tail =
        tailSquare > noise ? { tailSquare, tailValue: Math.max(tailFirst, 0) / tailSquare } : NO_TAIL;
      const outside = leftOutResidual(values, count, { squares, rho, ...tail }) / weight;
      lengths[begin + r] = rho * Math.sqrt(outside) * a.leftOutInflation(i);
      if (pacer.due(4 * m + count * values.length * OPERATIONS_PER_SQUARE)) await pacer.rest();
    }
  }
  return lengths;
}

/** Codes that are turned into the eigenbasis at once. */
const ROWS = 64;
/** Of the secular equation: in each of some five steps a division and a few products. */
const OPERATIONS_PER_SQUARE = 80;
/** Stands for a coordinate of zero, with which the secular equation would lose a root. */
const SMALLEST_SHARE = 1e-24;
const NO_TAIL = { tailSquare: 0, tailValue: 0 };

interface Moments {
  readonly square: number;
  readonly first: number;
}

// Plain functions of plain arrays: V8 optimises them once, and not anew for each training.

/** Turns coordinates into their squares times the factors. */
function square(coordinates: Float64Array, factors: Float64Array, least: number): void {
  for (let l = 0; l < coordinates.length; l++) {
    coordinates[l] = Math.max(coordinates[l] ** 2 * factors[l], least);
  }
}

function sum(x: Float64Array): number {
  let total = 0;
  for (let l = 0; l < x.length; l++) total += x[l];
  return total;
}

/**
 * Of a row of Q (dual) the example's squared coordinates are μ·(its share)², so the moments of q are qᵀTq and |Tq|². Of v, a
 * row of A·Q (primal), they are |v|² and vᵀTv.
 */
function momentsOf(
  form: Decomposition['form'],
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  x: Float64Array,
): Moments {
  let square = 0;
  let first = 0;
  for (let j = 0; j < x.length; j++) {
    const product = timesRow(diagonal, offDiagonal, x, j);
    square += x[j] * (form === 'dual' ? product : x[j]);
    first += product * (form === 'dual' ? product : x[j]);
  }
  return { square, first };
}

function timesRow(diagonal: Float64Array, offDiagonal: Float64Array, x: Float64Array, j: number): number {
  const before = j > 0 ? offDiagonal[j - 1] * x[j - 1] : 0;
  const after = j + 1 < x.length ? offDiagonal[j] * x[j + 1] : 0;
  return before + diagonal[j] * x[j] + after;
}
