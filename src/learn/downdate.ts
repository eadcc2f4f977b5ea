/**
 * How far an example lies outside the leading principal directions of all the others: exact leave-one-out for principal
 * component analysis. Leaving a row out changes the scatter matrix by a rank-one term, whose effect on the leading
 * eigenpairs the secular equation gives (Golub 1973; Bunch, Nielsen & Sorensen 1978) without refitting anything.
 */

/** Steps of the bracketed secant method; about ten bring it to the precision below. */
const MAX_STEPS = 60;
/** Of the interval between neighbouring eigenvalues. */
const PRECISION = 1e-11;

export interface LeftOutRow {
  /** [p] squared coordinates of the row along the leading p eigenvectors; positive, be it ever so little. */
  readonly squares: Float64Array;
  /** Squared length of what lies outside them, and the mean eigenvalue that it belongs to, at most the last of p. */
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
  const high = values[j];
  const low = j + 1 < values.length ? values[j + 1] : Math.min(row.tailValue, high);
  // Equal neighbours leave a direction that the row has no part in.
  if (!(high - low > high * 1e-14)) return 0;
  const root = findRoot(values, low, high, row);
  // Next to an old eigenvalue the eigenvector is the old one, along which the row has no part worth the name.
  if (Math.min(root - low, high - root) <= (high - low) * PRECISION) return 0;
  let slope = quotient(row.tailSquare, (row.tailValue - root) ** 2);
  for (let l = 0; l < values.length; l++) slope += quotient(row.squares[l], (values[l] - root) ** 2);
  return slope > 0 ? 1 / (row.rho * row.rho * slope) : 0;
}

/**
 * The new eigenvalue between two old ones. The secular function has a pole at either; multiplied by the distances to
 * both it is smooth and changes sign once, so that the Illinois method (Dowell & Jarratt 1971) converges quickly.
 */
function findRoot(values: Float64Array, low: number, high: number, row: LeftOutRow): number {
  let a = low;
  let b = high;
  let fa = smoothSecular(values, a, low, high, row);
  let fb = smoothSecular(values, b, low, high, row);
  let side = 0;
  const enough = (high - low) * PRECISION;
  for (let step = 0; step < MAX_STEPS && b - a > enough; step++) {
    const x = (a * fb - b * fa) / (fb - fa);
    const fx = smoothSecular(values, x, low, high, row);
    if (fx === 0) return x;
    if (fx > 0) {
      if (b - x < enough) return x;
      b = x;
      fb = fx;
      if (side === 1) fa /= 2;
      side = 1;
    } else {
      if (x - a < enough) return x;
      a = x;
      fa = fx;
      if (side === -1) fb /= 2;
      side = -1;
    }
  }
  return (a + b) / 2;
}

/** (ρ·Σ a²/(μ − x) − 1)·(high − x)·(x − low), with the limits at its ends. */
function smoothSecular(values: Float64Array, x: number, low: number, high: number, row: LeftOutRow): number {
  let sum = 0;
  let atLow = row.tailValue === low ? row.tailSquare : 0;
  let atHigh = row.tailValue === high ? row.tailSquare : 0;
  if (row.tailValue !== low && row.tailValue !== high) sum += quotient(row.tailSquare, row.tailValue - x);
  for (let l = 0; l < values.length; l++) {
    const value = values[l];
    if (value === high) atHigh += row.squares[l];
    else if (value === low) atLow += row.squares[l];
    else sum += row.squares[l] / (value - x);
  }
  const { rho } = row;
  return (rho * sum - 1) * (high - x) * (x - low) + rho * (atHigh * (x - low) - atLow * (high - x));
}

function quotient(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}
