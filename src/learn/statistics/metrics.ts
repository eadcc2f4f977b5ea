/**
 * The metrics of a classifier, from its probabilities and the truth, with 95 % intervals where a standard one exists.
 * Deterministic: no bootstrap.
 */
import type { ClassMetrics, Metrics } from '../../head/metrics.ts';
import { jackknifeF1, meanInterval, wilsonInterval } from './intervals.ts';

/** One bar of a reliability diagram. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean top probability and share of right answers in the bin; 0 where it is empty. */
  readonly confidence: number;
  readonly accuracy: number;
}

/** With the parts that a head file leaves out. */
export interface DetailedMetrics extends Metrics {
  /** confusion[truth][predicted], counts. */
  readonly confusion: readonly (readonly number[])[];
  readonly reliability: readonly ReliabilityBin[];
}

/** The number of bins that papers report the expected calibration error with. */
const RELIABILITY_BINS = 15;
/** A probability of 0 for the truth would make the log-loss infinite; scikit-learn clips likewise. */
const SMALLEST_PROBABILITY = 1e-15;

/**
 * @param probabilities n × classes, a row an example, each row summing to 1.
 * @param targets n class indices.
 * @throws RangeError when the lengths do not match, a target is no class, or there is no example.
 * @example
 * // Three examples of two classes; the second one is predicted wrong.
 * const { accuracy } = evaluate(Float32Array.of(0.9, 0.1, 0.7, 0.3, 0.2, 0.8), Uint16Array.of(0, 1, 1), 2); // 2 / 3
 */
export function evaluate(
  probabilities: Float32Array | Float64Array,
  targets: Uint16Array,
  classes: number,
): DetailedMetrics {
  const n = targets.length;
  if (n === 0) throw new RangeError('There is no example to evaluate on.');
  if (probabilities.length !== n * classes) {
    throw new RangeError(`${probabilities.length} probabilities are not ${n} examples × ${classes} classes.`);
  }
  const confusion = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  const losses = new Float64Array(n);
  const tops = new Float64Array(n);
  const isRight = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const target = targets[i];
    if (target >= classes)
      throw new RangeError(`Target ${target} of example ${i} is none of ${classes} classes.`);
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const top = argmax(row);
    confusion[target][top]++;
    // In single precision, for hosts' logarithms differ in their last bits, and heads keep the mean.
    losses[i] = Math.fround(-Math.log(Math.max(row[target], SMALLEST_PROBABILITY)));
    tops[i] = row[top];
    isRight[i] = top === target ? 1 : 0;
  }
  const { mean: logLoss, interval: logLossInterval } = meanInterval(losses);
  return { ...rates(confusion, n), logLoss, logLossInterval, ...reliabilityOf(tops, isRight) };
}

/** @returns the metrics that a head file holds. */
export function summarise(metrics: DetailedMetrics): Metrics {
  const { confusion: _confusion, reliability: _reliability, ...summary } = metrics;
  return summary;
}

/** Index of the largest value; the first of equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let c = 1; c < values.length; c++) if (values[c] > values[best]) best = c;
  return best;
}

/** The largest of `count` values from `from` on. */
export function largest(values: Float64Array, from: number, count: number): number {
  let most = values[from];
  for (let c = 1; c < count; c++) if (values[from + c] > most) most = values[from + c];
  return most;
}

function rates(confusion: number[][], n: number) {
  const predicted = confusion.map((_, c) => confusion.reduce((sum, row) => sum + row[c], 0));
  const perClass = confusion.map((row, c): ClassMetrics => {
    const support = row.reduce((sum, count) => sum + count, 0);
    const hits = row[c];
    return {
      support,
      predicted: predicted[c],
      precision: predicted[c] === 0 ? 0 : hits / predicted[c],
      precisionInterval: wilsonInterval(hits, predicted[c]),
      recall: support === 0 ? 0 : hits / support,
      recallInterval: wilsonInterval(hits, support),
      f1: support + predicted[c] === 0 ? 0 : (2 * hits) / (support + predicted[c]),
    };
  });
  const right = confusion.reduce((sum, row, c) => sum + row[c], 0);
  const { macroF1, interval } = jackknifeF1(confusion, n);
  return {
    examples: n,
    accuracy: right / n,
    accuracyInterval: wilsonInterval(right, n),
    macroF1,
    macroF1Interval: interval,
    perClass,
    confusion,
  };
}

/** Predictions by their top probability. */
function reliabilityOf(tops: Float64Array, isRight: Uint8Array) {
  const bins = Array.from({ length: RELIABILITY_BINS }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (const [i, confidence] of tops.entries()) {
    // Bins are open below and closed above, as in Guo et al.; a confidence of 0 goes to the first.
    const place = Math.min(Math.max(Math.ceil(confidence * RELIABILITY_BINS) - 1, 0), RELIABILITY_BINS - 1);
    bins[place].count++;
    bins[place].confidence += confidence;
    bins[place].right += isRight[i];
  }
  const calibrationError = bins.reduce(
    (sum, { confidence, right }) => sum + Math.abs(confidence - right) / tops.length,
    0,
  );
  const reliability = bins.map(({ count, confidence, right }, b): ReliabilityBin => ({
    low: b / RELIABILITY_BINS,
    high: (b + 1) / RELIABILITY_BINS,
    count,
    confidence: count === 0 ? 0 : confidence / count,
    accuracy: count === 0 ? 0 : right / count,
  }));
  return { calibrationError, reliability };
}
