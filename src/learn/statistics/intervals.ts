/** 95 % confidence intervals in closed form, and Student's quantile for samples too small for the normal one. */
import type { Interval } from '../../head/metrics.ts';

/** 97.5 % quantile of the standard normal distribution: two-sided 95 %. */
const Z_TWO_SIDED = 1.959963984540054;

/**
 * Wilson's score interval of a proportion (Wilson 1927), which holds for few trials and for shares near 0 and 1.
 * @returns [0, 1] where there was no trial.
 */
export function wilsonInterval(successes: number, trials: number): Interval {
  if (trials === 0) return [0, 1];
  const share = successes / trials;
  const z2 = (Z_TWO_SIDED * Z_TWO_SIDED) / trials;
  const centre = (share + z2 / 2) / (1 + z2);
  const half = Math.sqrt(share * (1 - share) * z2 + (z2 * z2) / 4) / (1 + z2);
  // Rounding must not push an end past the value that it encloses.
  return [Math.min(Math.max(centre - half, 0), share), Math.max(Math.min(centre + half, 1), share)];
}

/** Mean of the values and its normal interval; a single value has no spread, so its interval is itself. */
export function meanInterval(values: Float64Array): { mean: number; interval: Interval } {
  const n = values.length;
  let mean = 0;
  for (const value of values) mean += value / n;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const half = n > 1 ? Z_TWO_SIDED * Math.sqrt(squares / (n - 1) / n) : 0;
  return { mean, interval: [Math.max(mean - half, 0), mean + half] };
}

/**
 * Macro-F1 over the classes that occur in the truth, with a normal interval whose variance is the jackknife's (Efron
 * & Stein 1981). Examples in one cell of the confusion matrix are alike, so a cell is left out once for all of them.
 */
export function jackknifeF1(
  confusion: readonly (readonly number[])[],
  n: number,
): { macroF1: number; interval: Interval } {
  const support = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const predicted = confusion.map((_, c) => confusion.reduce((sum, row) => sum + row[c], 0));
  const classes = support.filter((count) => count > 0).length;
  const each = confusion.map((row, c) => (support[c] > 0 ? f1(row[c], support[c], predicted[c]) : 0));
  const macroF1 = each.reduce((sum, value) => sum + value, 0) / classes;
  let mean = 0;
  let squares = 0;
  confusion.forEach((row, truth) =>
    row.forEach((count, called) => {
      if (count === 0) return;
      const hit = truth === called ? 1 : 0;
      let change = f1(row[truth] - hit, support[truth] - 1, predicted[truth] - hit) - each[truth];
      if (!hit && support[called] > 0) {
        change += f1(confusion[called][called], support[called], predicted[called] - 1) - each[called];
      }
      mean += (count * change) / classes / n;
      squares += count * (change / classes) ** 2;
    }),
  );
  const half = Z_TWO_SIDED * Math.sqrt(Math.max(((n - 1) / n) * (squares - n * mean * mean), 0));
  return { macroF1, interval: [Math.max(macroF1 - half, 0), Math.min(macroF1 + half, 1)] };
}

/** 95 % quantile (one-sided) of Student's t for 1 to 30 degrees of freedom. */
// prettier-ignore
const STUDENT_95 = [
  6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753,
  1.746, 1.74, 1.734, 1.729, 1.725, 1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697,
];
const Z_ONE_SIDED = 1.6448536269514722;

/** 95 % quantile (one-sided) of Student's t; beyond the table by its expansion about the normal (Fisher 1925). */
export function studentQuantile95(degrees: number): number {
  if (degrees <= STUDENT_95.length) return STUDENT_95[Math.max(degrees, 1) - 1];
  return Z_ONE_SIDED + (Z_ONE_SIDED ** 3 + Z_ONE_SIDED) / (4 * degrees);
}

function f1(hits: number, real: number, called: number): number {
  return real + called > 0 ? (2 * hits) / (real + called) : 0;
}
