/** Metrics for people (tables) and for programs (JSON with snake_case keys, fractions from 0 to 1). */
import { writeMetrics } from '../../src/head/metrics.ts';
import { heldOutFolds, heldOutText, type TrainingMethod } from '../../src/head/index.ts';
import type { Metrics, Interval } from '../../src/head/metrics.ts';
import type { DetailedMetrics } from '../../src/learn/statistics/metrics.ts';
import { table } from '../cli/terminal.ts';

/** Metrics of one kind under a heading, for example 'leave-one-out'. */
export interface NamedMetrics {
  readonly name: string;
  readonly metrics: Metrics;
}

/** @returns the heading for metrics on a head's own training pictures. */
export function heldOutName(method: TrainingMethod): string {
  return heldOutFolds(method) === undefined ? heldOutText(undefined) : 'held out in folds';
}

/** Longest per-class table in a terminal; beyond it the classes that do worst are shown. */
const MAX_CLASS_ROWS = 40;

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function percentInterval(interval: Interval): string {
  return interval.map((end) => (end * 100).toFixed(1)).join('–');
}

export function lossInterval(interval: Interval): string {
  return interval.map((end) => end.toFixed(3)).join('–');
}

/** For example '0.432 (0.401–0.463)', with the 95 % interval. */
export function lossText({ logLoss, logLossInterval }: Metrics): string {
  return `${logLoss.toFixed(3)} (${lossInterval(logLossInterval)})`;
}

/** For example '82.1 % (79.0 %–85.2 %)'. */
export function accuracyText({ accuracy, accuracyInterval }: Metrics): string {
  return `${percent(accuracy)} (${accuracyInterval.map(percent).join('–')})`;
}

/** Leave-one-out beside test, a column each. */
export function metricsTable(columns: readonly NamedMetrics[]): string {
  const row = (name: string, cell: (metrics: Metrics) => string): string[] => [
    name,
    ...columns.map(({ metrics }) => cell(metrics)),
  ];
  return table(
    ['', ...columns.map(({ name, metrics }) => `${name} (${metrics.examples})`)],
    [
      row('accuracy', (f) => `${percent(f.accuracy)} (${percentInterval(f.accuracyInterval)})`),
      row('macro F1', (f) => `${percent(f.macroF1)} (${percentInterval(f.macroF1Interval)})`),
      row('log-loss', lossText),
      row('calibration error', (f) => f.calibrationError.toFixed(3)),
    ],
  );
}

/** Precision, recall and F1 of each class, in %; of many classes those with the lowest F1. */
export function classTable(labels: readonly string[], { name, metrics }: NamedMetrics): string {
  const classes = metrics.perClass.map((metrics, i) => ({ label: labels[i], ...metrics }));
  const shown =
    classes.length > MAX_CLASS_ROWS
      ? classes.toSorted((a, b) => a.f1 - b.f1).slice(0, MAX_CLASS_ROWS)
      : classes;
  const rows = shown.map(({ label, support, precision, recall, recallInterval, f1 }) => [
    label,
    support,
    (precision * 100).toFixed(1),
    `${(recall * 100).toFixed(1)} (${percentInterval(recallInterval)})`,
    (f1 * 100).toFixed(1),
  ]);
  const text = table([`class, ${name}`, 'pictures', 'precision', 'recall', 'F1'], rows);
  const hidden = classes.length - shown.length;
  return hidden === 0 ? text : `${text}\n… and ${hidden} classes that do better`;
}

export function metricsJson(
  labels: readonly string[],
  metrics: Metrics | DetailedMetrics,
): Record<string, unknown> {
  const written = writeMetrics(metrics);
  return {
    ...written,
    per_class: written.per_class.map(({ predicted: _predicted, ...each }, i) => ({
      label: labels[i],
      ...each,
    })),
    ...('confusion' in metrics ? { confusion: metrics.confusion, reliability: metrics.reliability } : {}),
  };
}
