/**
 * How far an example lies outside the leading principal directions of all the others: exact leave-one-out for principal
 * component analysis. Leaving a row out changes the scatter matrix by a rank-one term, whose effect on the leading
 * eigenpairs the secular equation gives (Golub 1973; Bunch, Nielsen & Sorensen 1978) without refitting anything.
 */

/** About five do. */
const MAX_STEPS = 60;
/** Of a step, as a share of the distance to the nearer pole. */
const PRECISION = 1e-9;
/** Share of the interval between neighbouring eigenvalues; a root nearer to one of them is that eigenvalue. */
const SMALLEST_SHIFT = 1e-11;

export interface LeftOutRow {
  /** [p] squared coordinates of the row along the leading p eigenvectors; positive, however small. */
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
  const { squares, tailSquare, tailValue, rho } = row;
  let outside = tailSquare;
  for (let l = 0; l < squares.length; l++) outside += squares[l];
  for (let j = 0; j < Math.min(k, values.length); j++)
    outside -= alongEigenvector(values, j, squares, tailSquare, tailValue, rho);
  return Math.max(outside, 0);
}

/**
 * Squared length of the row along the j-th eigenvector after the downdate, whose eigenvalue lies between two old ones:
 * the root there of ρ·Σ a²/(μ − x) − 1. The poles above and those below are each replaced by a constant and one pole, the
 * interval's end, with the same value and slope, and the root of that is the next x (Bunch, Nielsen & Sorensen 1978).
 */
function alongEigenvector(
  values: Float64Array,
  j: number,
  squares: Float64Array,
  tailSquare: number,
  tailValue: number,
  rho: number,
): number {
  const high = values[j];
  const low = j + 1 < values.length ? values[j + 1] : Math.min(tailValue, high);
  const width = high - low;
  // Equal neighbours leave a direction that the row has no part in.
  if (!(width > high * 1e-14)) return 0;
  let least = 0;
  let most = width;
  let x = width / 2;
  for (let step = 0; step < MAX_STEPS; step++) {
    let above = 0;
    let aboveSlope = 0;
    for (let l = 0; l <= j; l++) {
      const inverse = 1 / (values[l] - low - x);
      const part = squares[l] * inverse;
      above += part;
      aboveSlope += part * inverse;
    }
    let below = tailSquare / (tailValue - low - x);
    let belowSlope = below / (tailValue - low - x);
    for (let l = j + 1; l < values.length; l++) {
      const inverse = 1 / (values[l] - low - x);
      const part = squares[l] * inverse;
      below += part;
      belowSlope += part * inverse;
    }
    if (above + below > 1 / rho) most = x;
    else least = x;
    const highPole = aboveSlope * (width - x) * (width - x);
    const lowPole = belowSlope * x * x;
    const constant = above - aboveSlope * (width - x) + (below + belowSlope * x) - 1 / rho;
    const next = between(constant, lowPole, highPole, width);
    const nearest = Math.min(x, width - x);
    if (Math.abs(next - x) <= nearest * PRECISION) return 1 / (rho * rho * (aboveSlope + belowSlope));
    // Next to an old eigenvalue the eigenvector is the old one, along which the row has almost no part.
    if (nearest <= width * SMALLEST_SHIFT) return 0;
    x = next > least && next < most ? next : (least + most) / 2;
  }
  return 0;
}

/** The root between 0 and `width` of constant + highPole / (width − x) − lowPole / x, neither pole negative. */
function between(constant: number, lowPole: number, highPole: number, width: number): number {
  const b = constant * width + highPole + lowPole;
  const root = Math.sqrt(Math.max(b * b - 4 * constant * lowPole * width, 0));
  return b > 0 ? (2 * lowPole * width) / (b + root) : (b - root) / (2 * constant);
}
