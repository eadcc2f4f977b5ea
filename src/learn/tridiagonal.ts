/**
 * Arithmetic on symmetric tridiagonal matrices T: solving (T + λI)x = b and finding the leading eigenpairs. All of it
 * takes time proportional to the order m of T, which is what makes a whole path of λ affordable.
 */

export interface Tridiagonal {
  /** [m] */
  readonly diagonal: Float64Array;
  /** [m], T(j+1, j) at j; the last is 0. */
  readonly offDiagonal: Float64Array;
}

/** L·D·Lᵀ of a positive definite tridiagonal matrix: unit lower bidiagonal L and diagonal D. */
export interface Factor {
  /** [m], L(j+1, j) at j. */
  readonly lower: Float64Array;
  /** [m], 1/D. */
  readonly inverse: Float64Array;
}

/** Factors T + shift·I, for T positive semi-definite up to rounding and shift > 0. */
export function factor({ diagonal, offDiagonal }: Tridiagonal, shift: number): Factor {
  const m = diagonal.length;
  const lower = new Float64Array(m);
  const inverse = new Float64Array(m);
  let carried = 0;
  for (let j = 0; j < m; j++) {
    // In exact arithmetic a pivot is at least the shift; rounding must not make it less.
    const pivot = Math.max(diagonal[j] + shift - carried, shift);
    inverse[j] = 1 / pivot;
    lower[j] = offDiagonal[j] / pivot;
    carried = lower[j] * offDiagonal[j];
  }
  return { lower, inverse };
}

/** Solves L·D·Lᵀ X = B in place for B of [m × columns], a row an equation. */
export function solve({ lower, inverse }: Factor, b: Float64Array, columns: number): void {
  const m = inverse.length;
  for (let j = 1; j < m; j++) {
    for (let c = 0; c < columns; c++) b[j * columns + c] -= lower[j - 1] * b[(j - 1) * columns + c];
  }
  for (let j = m - 1; j >= 0; j--) {
    for (let c = 0; c < columns; c++) {
      const above = j + 1 < m ? lower[j] * b[(j + 1) * columns + c] : 0;
      b[j * columns + c] = b[j * columns + c] * inverse[j] - above;
    }
  }
}

/** rᵀ(T + λI)⁻¹r for the row r that begins at `offset`. */
export function quadraticForm(
  { lower, inverse }: Factor,
  rows: Float64Array | Float32Array,
  offset: number,
): number {
  let previous = 0;
  let sum = 0;
  for (let j = 0, m = inverse.length; j < m; j++) {
    const value = rows[offset + j] - (j > 0 ? lower[j - 1] * previous : 0);
    sum += value * value * inverse[j];
    previous = value;
  }
  return sum;
}

/** Number of eigenvalues of T above x: the signs of the pivots of T − xI (Sturm; Golub & Van Loan, 8.4.1). */
export function countAbove({ diagonal, offDiagonal }: Tridiagonal, x: number, tiny: number): number {
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

export interface Eigenpairs {
  /** [count], falling. */
  readonly values: Float64Array;
  /** [count × m], a row an eigenvector of unit length. */
  readonly vectors: Float64Array;
}

/** Eigenvalues below this share of the largest are rounding. */
const RANK_TOLERANCE = 1e-10;
/** Halvings that take the bracket of an eigenvalue to the precision of a double. */
const BISECTIONS = 60;
const INVERSE_ITERATIONS = 3;

/**
 * The leading eigenpairs of a positive semi-definite T, by bisection and inverse iteration with every vector kept
 * orthogonal to all before it (so that clusters come out right; Golub & Van Loan, 8.4). Fewer than asked for where the
 * rank is smaller.
 */
export function leadingEigenpairs(t: Tridiagonal, wanted: number): Eigenpairs {
  const m = t.diagonal.length;
  const top = gershgorinTop(t);
  const tiny = Math.max(top * 1e-18, Number.MIN_VALUE * 2 ** 52);
  const largest = top > 0 ? eigenvalue(t, 1, top, tiny) : 0;
  const rank = largest > 0 ? countAbove(t, largest * RANK_TOLERANCE, tiny) : 0;
  const count = Math.min(wanted, rank);
  const values = new Float64Array(count);
  const vectors = new Float64Array(count * m);
  for (let k = 0; k < count; k++) {
    values[k] = eigenvalue(t, k + 1, top, tiny);
    inverseIterate(t, values[k], vectors, k, largest);
  }
  return { values, vectors };
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
function eigenvalue(t: Tridiagonal, k: number, top: number, tiny: number): number {
  let low = 0;
  let high = top;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (countAbove(t, middle, tiny) >= k) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function inverseIterate(
  t: Tridiagonal,
  value: number,
  vectors: Float64Array,
  k: number,
  scale: number,
): void {
  const m = t.diagonal.length;
  const x = vectors.subarray(k * m, (k + 1) * m);
  // Any start with a part along the wanted vector will do; this one has no pattern that an eigenvector could share.
  for (let j = 0; j < m; j++) x[j] = 0.5 + ((j * 0.6180339887498949 + k * 0.7548776662466927) % 1);
  for (let iteration = 0; iteration < INVERSE_ITERATIONS; iteration++) {
    solveShifted(t, value, x, scale * 1e-16);
    // Twice is enough (Parlett): the second pass removes what rounding left of the first.
    for (let pass = 0; pass < 2; pass++) orthogonalise(vectors, k, m);
    normalise(x);
  }
}

/** Solves (T − value·I)x = b in place, by Gaussian elimination with partial pivoting. */
function solveShifted(
  { diagonal, offDiagonal }: Tridiagonal,
  value: number,
  x: Float64Array,
  tiny: number,
): void {
  const m = x.length;
  const pivot = new Float64Array(m);
  const first = new Float64Array(m);
  const second = new Float64Array(m);
  let here = diagonal[0] - value;
  let right = offDiagonal[0];
  for (let j = 0; j < m; j++) {
    const last = j === m - 1;
    const below = last ? 0 : offDiagonal[j];
    const nextHere = last ? 0 : diagonal[j + 1] - value;
    const nextRight = last ? 0 : offDiagonal[j + 1];
    if (Math.abs(below) > Math.abs(here)) {
      [x[j], x[j + 1]] = [x[j + 1], x[j]];
      const multiplier = here / below;
      pivot[j] = below;
      first[j] = nextHere;
      second[j] = nextRight;
      here = right - multiplier * nextHere;
      right = -multiplier * nextRight;
      x[j + 1] -= multiplier * x[j];
    } else {
      pivot[j] = Math.abs(here) < tiny ? tiny : here;
      first[j] = right;
      if (!last) {
        const multiplier = below / pivot[j];
        here = nextHere - multiplier * right;
        right = nextRight;
        x[j + 1] -= multiplier * x[j];
      }
    }
  }
  for (let j = m - 1; j >= 0; j--) {
    const one = j + 1 < m ? first[j] * x[j + 1] : 0;
    const two = j + 2 < m ? second[j] * x[j + 2] : 0;
    x[j] = (x[j] - one - two) / pivot[j];
  }
  normalise(x);
}

function orthogonalise(vectors: Float64Array, k: number, m: number): void {
  const offset = k * m;
  for (let p = 0; p < k; p++) {
    let dot = 0;
    for (let j = 0; j < m; j++) dot += vectors[p * m + j] * vectors[offset + j];
    for (let j = 0; j < m; j++) vectors[offset + j] -= dot * vectors[p * m + j];
  }
}

function normalise(x: Float64Array): void {
  let largest = 0;
  for (const value of x) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return;
  let squares = 0;
  for (let j = 0; j < x.length; j++) {
    x[j] /= largest;
    squares += x[j] * x[j];
  }
  const norm = Math.sqrt(squares);
  for (let j = 0; j < x.length; j++) x[j] /= norm;
}
