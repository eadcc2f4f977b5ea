/**
 * Two classifiers on the same held-out examples. What one example adds to the difference says more than two intervals
 * side by side: hard examples are hard for both, so intervals overlap where the difference is clear.
 */
import { argmax } from '../../src/learn/statistics/metrics.ts';

/** [n × C], a row for each example. */
export type Probabilities = Float32Array;

export interface LossDifference {
  /** Log-loss of the first minus that of the second, in nats. */
  readonly mean: number;
  /** Standard error of the mean. */
  readonly error: number;
}

/** @param targets [n] class of each example. */
export function lossDifference(
  first: Probabilities,
  second: Probabilities,
  targets: Uint16Array,
): LossDifference {
  const others = losses(second, targets);
  const differences = losses(first, targets).map((loss, i) => loss - others[i]);
  const n = differences.length;
  const mean = differences.reduce((sum, value) => sum + value, 0) / n;
  const squares = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / Math.max(1, n - 1) / n) };
}

/**
 * The sign test on the examples that only one of the two gets right (McNemar 1947, exact and one-sided).
 * @returns the probability that at least so many of them would go against the first if both were equally good.
 */
export function signTest(first: Probabilities, second: Probabilities, targets: Uint16Array): number {
  let [lost, disagreed] = [0, 0];
  const classes = first.length / targets.length;
  for (const [i, target] of targets.entries()) {
    const [a, b] = [first, second].map(
      (all) => argmax(all.subarray(i * classes, (i + 1) * classes)) === target,
    );
    if (a === b) continue;
    disagreed++;
    if (b) lost++;
  }
  return upperTail(lost, disagreed);
}

/** P(X ≥ k) for X of n fair coins; logarithms, since 2ⁿ overflows. */
function upperTail(k: number, n: number): number {
  let logChoose = 0;
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    if (i >= k) sum += Math.exp(logChoose - n * Math.LN2);
    logChoose += Math.log((n - i) / (i + 1));
  }
  return Math.min(1, sum);
}

function losses(probabilities: Probabilities, targets: Uint16Array): Float64Array {
  const classes = probabilities.length / targets.length;
  return Float64Array.from(
    targets,
    (target, i) => -Math.log(Math.max(probabilities[i * classes + target], 1e-15)),
  );
}
