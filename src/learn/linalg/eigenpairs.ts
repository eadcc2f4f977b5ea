/** The leading eigenpairs of a symmetric tridiagonal matrix: bisection for the values, inverse iteration for the vectors. */
import { addRows, multiplyRows, ROWS_AT_ONCE } from './add-rows.ts';
import type { Pacer } from '../pacer.ts';
import type { Tridiagonal } from './tridiagonal.ts';

export interface Eigenpairs {
  /** [count], falling. */
  readonly values: Float64Array;
  /** [count × m], one eigenvector of unit length per row. */
  readonly vectors: Float64Array;
}

/** Eigenvalues below this share of the largest are rounding. */
const RANK_TOLERANCE = 1e-10;
/** Halvings that take the bracket of an eigenvalue to the precision of a double. */
const BISECTIONS = 60;
const INVERSE_ITERATIONS = 3;
/** A division takes as long as some multiply-adds. */
const OPERATIONS_PER_PIVOT = 8;

/**
 * The leading eigenpairs of a positive semi-definite T, by bisection and inverse iteration with every vector kept
 * orthogonal to all before it (so that clusters come out right; Golub & Van Loan, 8.4). Fewer than requested where the
 * rank is smaller.
 */
export async function leadingEigenpairs(t: Tridiagonal, wanted: number, pacer: Pacer): Promise<Eigenpairs> {
  const m = t.diagonal.length;
  const top = gershgorinTop(t);
  const tiny = Math.max(top * 1e-18, Number.MIN_VALUE * 2 ** 52);
  const largest = top > 0 ? await eigenvalue(t, 1, top, tiny, pacer) : 0;
  const rank = largest > 0 ? countAbove(t.diagonal, t.offDiagonal, largest * RANK_TOLERANCE, tiny) : 0;
  const count = Math.min(wanted, rank);
  const values = new Float64Array(count);
  const vectors = new Float64Array(count * m);
  const room = new Float64Array(3 * m);
  // A last group is filled up with zeros.
  const nothing = new Float64Array(m);
  const found: Float64Array[][] = [];
  for (let k = 0; k < count; k++) {
    values[k] = await eigenvalue(t, k + 1, top, tiny, pacer);
    const x = vectors.subarray(k * m, (k + 1) * m);
    writeStart(x, k);
    await inverseIterate(t, values[k], x, found, largest, room, pacer);
    if (k % ROWS_AT_ONCE === 0) found.push(Array.from({ length: ROWS_AT_ONCE }, () => nothing));
    found[found.length - 1][k % ROWS_AT_ONCE] = x;
  }
  return { values, vectors };
}

/** Number of eigenvalues of T above x: the signs of the pivots of T − xI (Sturm; Golub & Van Loan, 8.4.1). */
function countAbove(diagonal: Float64Array, offDiagonal: Float64Array, x: number, tiny: number): number {
  let count = 0;
  let pivot = 1;
  for (let j = 0; j < diagonal.length; j++) {
    const beside = j > 0 ? offDiagonal[j - 1] : 0;
    pivot = diagonal[j] - x - (beside * beside) / pivot;
    if (Math.abs(pivot) < tiny) pivot = -tiny;
    if (pivot > 0) count++;
  }
  return count;
}

function gershgorinTop({ diagonal, offDiagonal }: Tridiagonal): number {
  let top = 0;
  for (let j = 0; j < diagonal.length; j++) {
    const before = j > 0 ? Math.abs(offDiagonal[j - 1]) : 0;
    top = Math.max(top, diagonal[j] + before + Math.abs(offDiagonal[j]));
  }
  return top;
}

/** The k-th largest eigenvalue, k from 1. */
async function eigenvalue(
  t: Tridiagonal,
  k: number,
  top: number,
  tiny: number,
  pacer: Pacer,
): Promise<number> {
  let low = 0;
  let high = top;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (countAbove(t.diagonal, t.offDiagonal, middle, tiny) >= k) low = middle;
    else high = middle;
    if (pacer.due(t.diagonal.length * OPERATIONS_PER_PIVOT)) await pacer.rest();
  }
  return (low + high) / 2;
}

/** ROWS_AT_ONCE vectors. */
type Group = readonly Float64Array[];

async function inverseIterate(
  t: Tridiagonal,
  value: number,
  x: Float64Array,
  found: readonly Group[],
  scale: number,
  room: Float64Array,
  pacer: Pacer,
): Promise<void> {
  const m = x.length;
  const along = new Float64Array(ROWS_AT_ONCE);
  for (let iteration = 0; iteration < INVERSE_ITERATIONS; iteration++) {
    solveShifted(t.diagonal, t.offDiagonal, value, x, scale * 1e-16, room);
    // Twice is enough (Parlett): the second pass removes what rounding left of the first.
    for (let pass = 0; pass < 2; pass++) orthogonalise(x, found, along);
    normalise(x);
    if (pacer.due(m * (OPERATIONS_PER_PIVOT + 2 * ROWS_AT_ONCE * found.length))) await pacer.rest();
  }
}

/** Any start with a part along the wanted vector will do; this one has no pattern that an eigenvector could share. */
function writeStart(x: Float64Array, k: number): void {
  for (let j = 0; j < x.length; j++) x[j] = 0.5 + ((j * 0.6180339887498949 + k * 0.7548776662466927) % 1);
}

/**
 * Solves (T − value·I)x = b in place, by Gaussian elimination with partial pivoting.
 * @param room [3 × m] for the triangular factor's pivots and its first and second entries right of them.
 */
function solveShifted(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  value: number,
  x: Float64Array,
  tiny: number,
  room: Float64Array,
): void {
  const m = x.length;
  let here = diagonal[0] - value;
  let right = offDiagonal[0];
  for (let j = 0; j < m; j++) {
    const last = j === m - 1;
    const below = last ? 0 : offDiagonal[j];
    const nextHere = last ? 0 : diagonal[j + 1] - value;
    const nextRight = last ? 0 : offDiagonal[j + 1];
    if (Math.abs(below) > Math.abs(here)) {
      const upper = x[j];
      x[j] = x[j + 1];
      x[j + 1] = upper;
      const multiplier = here / below;
      room[j] = below;
      room[m + j] = nextHere;
      room[2 * m + j] = nextRight;
      here = right - multiplier * nextHere;
      right = -multiplier * nextRight;
      x[j + 1] -= multiplier * x[j];
    } else {
      room[j] = Math.abs(here) < tiny ? tiny : here;
      room[m + j] = right;
      room[2 * m + j] = 0;
      if (!last) {
        const multiplier = below / room[j];
        here = nextHere - multiplier * right;
        right = nextRight;
        x[j + 1] -= multiplier * x[j];
      }
    }
  }
  for (let j = m - 1; j >= 0; j--) {
    const one = j + 1 < m ? room[m + j] * x[j + 1] : 0;
    const two = j + 2 < m ? room[2 * m + j] * x[j + 2] : 0;
    x[j] = (x[j] - one - two) / room[j];
  }
  normalise(x);
}

/** Removes from x its parts along what was found. @param along [ROWS_AT_ONCE] room */
function orthogonalise(x: Float64Array, found: readonly Group[], along: Float64Array): void {
  for (const rows of found) {
    multiplyRows(x, 0, rows, 0, along, 0, 1);
    for (let r = 0; r < ROWS_AT_ONCE; r++) along[r] = -along[r];
    addRows(x, 0, rows, along, 0, 1);
  }
}

function normalise(x: Float64Array): void {
  let largest = 0;
  for (let j = 0; j < x.length; j++) {
    const size = Math.abs(x[j]);
    if (size > largest) largest = size;
  }
  if (largest === 0) return;
  let squares = 0;
  for (let j = 0; j < x.length; j++) {
    x[j] /= largest;
    squares += x[j] * x[j];
  }
  const norm = Math.sqrt(squares);
  for (let j = 0; j < x.length; j++) x[j] /= norm;
}
