/**
 * Solving with a symmetric tridiagonal matrix T, shifted to T + λI: in time proportional to the order m, which is what
 * makes a whole path of λ affordable.
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
  fillFactor(diagonal, offDiagonal, shift, lower, inverse);
  return { lower, inverse };
}

function fillFactor(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  shift: number,
  lower: Float64Array,
  inverse: Float64Array,
): void {
  let carried = 0;
  for (let j = 0; j < diagonal.length; j++) {
    // In exact arithmetic a pivot is at least the shift; rounding must not make it less.
    const pivot = Math.max(diagonal[j] + shift - carried, shift);
    inverse[j] = 1 / pivot;
    lower[j] = offDiagonal[j] / pivot;
    carried = lower[j] * offDiagonal[j];
  }
}

/** Solves L·D·Lᵀ x = b in place for each row b of [count × m]. */
export function solve({ lower, inverse }: Factor, rows: Float64Array, count: number): void {
  const m = inverse.length;
  for (let r = 0; r < count; r++) solveFactored(lower, inverse, rows, r * m);
}

// The loops are given plain arrays, for V8 throws away what it optimised for the shapes of objects that all are collected.

function solveFactored(lower: Float64Array, inverse: Float64Array, b: Float64Array, from: number): void {
  const m = inverse.length;
  for (let j = 1; j < m; j++) b[from + j] -= lower[j - 1] * b[from + j - 1];
  for (let j = m - 1; j >= 0; j--) {
    const above = j + 1 < m ? lower[j] * b[from + j + 1] : 0;
    b[from + j] = b[from + j] * inverse[j] - above;
  }
}

/**
 * out[r] = rᵀ(T + λI)⁻¹r for ROWS_AT_ONCE rows from `first` on: each step of one waits for the step before.
 * @param end of the rows; what lies behind it is the last row's again.
 */
export function quadraticForms(
  lower: Float64Array,
  inverse: Float64Array,
  rows: Float64Array | Float32Array,
  first: number,
  end: number,
  out: Float64Array,
): void {
  const m = inverse.length;
  const a0 = first * m;
  const a1 = Math.min(first + 1, end - 1) * m;
  const a2 = Math.min(first + 2, end - 1) * m;
  const a3 = Math.min(first + 3, end - 1) * m;
  let x0 = rows[a0];
  let x1 = rows[a1];
  let x2 = rows[a2];
  let x3 = rows[a3];
  let s0 = x0 * x0 * inverse[0];
  let s1 = x1 * x1 * inverse[0];
  let s2 = x2 * x2 * inverse[0];
  let s3 = x3 * x3 * inverse[0];
  for (let j = 1; j < m; j++) {
    const l = lower[j - 1];
    const d = inverse[j];
    x0 = rows[a0 + j] - l * x0;
    s0 += x0 * x0 * d;
    x1 = rows[a1 + j] - l * x1;
    s1 += x1 * x1 * d;
    x2 = rows[a2 + j] - l * x2;
    s2 += x2 * x2 * d;
    x3 = rows[a3 + j] - l * x3;
    s3 += x3 * x3 * d;
  }
  out[0] = s0;
  out[1] = s1;
  out[2] = s2;
  out[3] = s3;
}
