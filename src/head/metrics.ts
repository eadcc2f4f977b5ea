/** How well a head does: its metrics, and their names in files and answers. */
import { z } from 'zod';
import { MAX_CLASSES } from './limits.ts';

/** Lower and upper end of a 95 % confidence interval. */
export type Interval = readonly [low: number, high: number];

export interface ClassMetrics {
  /** Examples that are of the class. */
  readonly support: number;
  /** Examples that were predicted to be of it. */
  readonly predicted: number;
  /** 0 where nothing was predicted to be of it. Interval: Wilson. */
  readonly precision: number;
  readonly precisionInterval: Interval;
  /** 0 where nothing is of it. Interval: Wilson. */
  readonly recall: number;
  readonly recallInterval: Interval;
  readonly f1: number;
}

/** The metrics that a head file holds. Fractions from 0 to 1; log-loss in nats. */
export interface Metrics {
  readonly examples: number;
  /** Interval: Wilson score. */
  readonly accuracy: number;
  readonly accuracyInterval: Interval;
  /** Mean F1 of the classes that occur in the truth. Interval: normal, with the jackknife's variance. */
  readonly macroF1: number;
  readonly macroF1Interval: Interval;
  /** Mean of −ln p(truth). Interval: normal, of the mean. */
  readonly logLoss: number;
  readonly logLossInterval: Interval;
  /**
   * Expected calibration error of the top prediction over 15 bins of equal width (Guo et al. 2017). It has no
   * interval: with few examples it is biased upwards, and no standard interval covers that.
   */
  readonly calibrationError: number;
  readonly perClass: readonly ClassMetrics[];
}

/** Examples a head may claim; beyond any training set, below where counts lose precision. */
const MAX_COUNT = 1e9;

export const count = z.int().min(0).max(MAX_COUNT);
const share = z.number().min(0).max(1);
const interval = z.tuple([share, share]);
const loss = z.number().min(0).max(1e6);

const storedClassMetrics = z.strictObject({
  support: count,
  predicted: count,
  precision: share,
  precision_interval: interval,
  recall: share,
  recall_interval: interval,
  f1: share,
});
export const storedMetrics = z.strictObject({
  examples: count.min(1),
  accuracy: share,
  accuracy_interval: interval,
  macro_f1: share,
  macro_f1_interval: interval,
  log_loss: loss,
  log_loss_interval: z.tuple([loss, loss]),
  ece: share,
  per_class: z.array(storedClassMetrics).max(MAX_CLASSES),
});
type StoredMetrics = z.infer<typeof storedMetrics>;

/** @returns metrics as files and answers name them, without those of each class. */
export function writeSummary(metrics: Omit<Metrics, 'perClass'>): Omit<StoredMetrics, 'per_class'> {
  return {
    examples: metrics.examples,
    accuracy: metrics.accuracy,
    accuracy_interval: [...metrics.accuracyInterval],
    macro_f1: metrics.macroF1,
    macro_f1_interval: [...metrics.macroF1Interval],
    log_loss: metrics.logLoss,
    log_loss_interval: [...metrics.logLossInterval],
    ece: metrics.calibrationError,
  };
}

export function writeMetrics(metrics: Metrics): StoredMetrics {
  return {
    ...writeSummary(metrics),
    per_class: metrics.perClass.map((each) => ({
      support: each.support,
      predicted: each.predicted,
      precision: each.precision,
      precision_interval: [...each.precisionInterval],
      recall: each.recall,
      recall_interval: [...each.recallInterval],
      f1: each.f1,
    })),
  };
}

export function readMetrics(stored: StoredMetrics): Metrics {
  return {
    examples: stored.examples,
    accuracy: stored.accuracy,
    accuracyInterval: stored.accuracy_interval,
    macroF1: stored.macro_f1,
    macroF1Interval: stored.macro_f1_interval,
    logLoss: stored.log_loss,
    logLossInterval: stored.log_loss_interval,
    calibrationError: stored.ece,
    perClass: stored.per_class.map(({ precision_interval, recall_interval, ...each }) => ({
      ...each,
      precisionInterval: precision_interval,
      recallInterval: recall_interval,
    })),
  };
}
