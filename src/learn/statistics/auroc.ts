/** How well a score tells strangers from known pictures. */
import type { Interval } from '../../head/metrics.ts';
import { wilsonInterval } from './intervals.ts';

const Z_TWO_SIDED = 1.959963984540054;

/**
 * The probability that a stranger scores above a known picture, ties counting half (Mann & Whitney 1947).
 * @returns 0.5 where either side is empty.
 */
export function auroc(known: ArrayLike<number>, strangers: ArrayLike<number>): number {
  if (known.length === 0 || strangers.length === 0) return 0.5;
  const sorted = Float64Array.from(known).sort();
  let wins = 0;
  for (let i = 0; i < strangers.length; i++) {
    wins += (lowerBound(sorted, strangers[i]) + upperBound(sorted, strangers[i])) / 2;
  }
  return wins / (known.length * strangers.length);
}

export interface UnknownMetrics {
  readonly known: number;
  readonly strangers: number;
  readonly auroc: number;
  /** Normal, with the variance of Hanley & McNeil (1982). */
  readonly aurocInterval: Interval;
  /** Share of known pictures at or below the threshold. Interval: Wilson. */
  readonly knownPassed: number;
  readonly knownPassedInterval: Interval;
  /** Share of strangers above it. Interval: Wilson. */
  readonly strangersFlagged: number;
  readonly strangersFlaggedInterval: Interval;
}

/**
 * @param known scores of pictures of the head's classes that it was not trained on.
 * @param strangers scores of pictures of none of its classes.
 * @throws RangeError where either is empty.
 */
export function unknownMetrics(
  known: ArrayLike<number>,
  strangers: ArrayLike<number>,
  threshold: number,
): UnknownMetrics {
  if (known.length === 0 || strangers.length === 0) {
    throw new RangeError('Both known pictures and strangers are needed.');
  }
  const area = auroc(known, strangers);
  const passed = Array.from(known).filter((score) => score <= threshold).length;
  const flagged = Array.from(strangers).filter((score) => score > threshold).length;
  return {
    known: known.length,
    strangers: strangers.length,
    auroc: area,
    aurocInterval: hanleyMcNeil(area, strangers.length, known.length),
    knownPassed: passed / known.length,
    knownPassedInterval: wilsonInterval(passed, known.length),
    strangersFlagged: flagged / strangers.length,
    strangersFlaggedInterval: wilsonInterval(flagged, strangers.length),
  };
}

function hanleyMcNeil(area: number, positives: number, negatives: number): Interval {
  const q1 = area / (2 - area) - area * area;
  const q2 = (2 * area * area) / (1 + area) - area * area;
  const variance =
    (area * (1 - area) + (positives - 1) * q1 + (negatives - 1) * q2) / (positives * negatives);
  const half = Z_TWO_SIDED * Math.sqrt(Math.max(variance, 0));
  return [Math.max(area - half, 0), Math.min(area + half, 1)];
}

/** Number of values below x. */
function lowerBound(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Number of values at or below x. */
function upperBound(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
