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

/** Solves L·D·Lᵀ X = B in place for B of [m × columns], a row an equation. */
export function solve({ lower, inverse }: Factor, b: Float64Array, columns: number): void {
  solveFactored(lower, inverse, b, columns);
}

// The loops are given plain arrays, for V8 throws away what it optimised for the shapes of objects that all are collected.

function solveFactored(lower: Float64Array, inverse: Float64Array, b: Float64Array, columns: number): void {
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
  lower: Float64Array,
  inverse: Float64Array,
  rows: Float64Array | Float32Array,
  offset: number,
): number {
  let previous = rows[offset];
  let sum = previous * previous * inverse[0];
  for (let j = 1, m = inverse.length; j < m; j++) {
    previous = rows[offset + j] - lower[j - 1] * previous;
    sum += previous * previous * inverse[j];
  }
  return sum;
}
