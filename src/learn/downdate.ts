/**
 * How far an example lies outside the leading principal directions of all the others: exact leave-one-out for principal
 * component analysis. Leaving a row out changes the scatter matrix by a rank-one term, whose effect on the leading
 * eigenpairs the secular equation gives (Golub 1973; Bunch, Nielsen & Sorensen 1978) without refitting anything.
 */

/** Halvings of an interval between neighbouring eigenvalues; the residual needs no more. */
const BISECTIONS = 45;

export interface LeftOutRow {
  /** [p] squared coordinates of the row along the leading p eigenvectors. */
  readonly squares: Float64Array;
  /** Squared length of what lies outside them, and the mean eigenvalue that it belongs to. */
  readonly tailSquare: number;
  readonly tailValue: number;
  /** The downdate S − ρ·a·aᵀ; ρ > 1 accounts for the mean, which moves as well. */
  readonly rho: number;
}

/**
 * Squared length of the row's part outside the leading k eigenvectors of S − ρ·a·aᵀ.
 * @param values [p] leading eigenvalues of S, falling; those beyond p are lumped into one at `tailValue`. Exact where p
 * is the rank.
 */
export function leftOutResidual(values: Float64Array, k: number, row: LeftOutRow): number {
  const { squares, tailSquare } = row;
  let outside = tailSquare;
  for (const square of squares) outside += square;
  for (let j = 0; j < Math.min(k, values.length); j++) outside -= alongEigenvector(values, j, row);
  return Math.max(outside, 0);
}

/** Squared length of the row along the j-th eigenvector after the downdate. */
function alongEigenvector(values: Float64Array, j: number, row: LeftOutRow): number {
  let high = values[j];
  let low = j + 1 < values.length ? values[j + 1] : Math.min(row.tailValue, high);
  // Equal neighbours leave a direction that the row has no part in.
  if (!(high - low > high * 1e-14)) return 0;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (secular(values, middle, row).value > 0) high = middle;
    else low = middle;
  }
  const { slope } = secular(values, (low + high) / 2, row);
  return slope > 0 ? 1 / (row.rho * row.rho * slope) : 0;
}

/** ρ·Σ a²/(μ − x) − 1, which is zero at the new eigenvalues, and Σ a²/(μ − x)². */
function secular(values: Float64Array, x: number, row: LeftOutRow): { value: number; slope: number } {
  const tail = row.tailValue - x;
  let sum = tail === 0 ? 0 : row.tailSquare / tail;
  let slope = tail === 0 ? 0 : row.tailSquare / (tail * tail);
  for (let l = 0; l < values.length; l++) {
    const gap = values[l] - x;
    if (gap === 0) continue;
    const term = row.squares[l] / gap;
    sum += term;
    slope += term / gap;
  }
  return { value: row.rho * sum - 1, slope };
}
