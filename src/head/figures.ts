/** Figures (how well a head does) in the words of files and answers: schema, writer and reader. */
import { z } from 'zod';
import type { ClassFigures, FigureSummary } from '../learn/statistics/metrics.ts';
import { MAX_CLASSES } from './limits.ts';

/** Examples a head may claim; beyond any training set, below where counts lose precision. */
const MAX_COUNT = 1e9;

export const count = z.int().min(0).max(MAX_COUNT);
const share = z.number().min(0).max(1);
const interval = z.tuple([share, share]);
const loss = z.number().min(0).max(1e6);

const classFigures = z.strictObject({
  support: count,
  predicted: count,
  precision: share,
  precision_interval: interval,
  recall: share,
  recall_interval: interval,
  f1: share,
});
export const figures = z.strictObject({
  examples: count.min(1),
  accuracy: share,
  accuracy_interval: interval,
  macro_f1: share,
  macro_f1_interval: interval,
  log_loss: loss,
  log_loss_interval: z.tuple([loss, loss]),
  ece: share,
  per_class: z.array(classFigures).max(MAX_CLASSES),
});

/** Figures in the words of files and answers; without those of the classes. */
export function writeSummary(
  summary: Omit<FigureSummary, 'perClass'>,
): Omit<z.infer<typeof figures>, 'per_class'> {
  return {
    examples: summary.examples,
    accuracy: summary.accuracy,
    accuracy_interval: [...summary.accuracyInterval],
    macro_f1: summary.macroF1,
    macro_f1_interval: [...summary.macroF1Interval],
    log_loss: summary.logLoss,
    log_loss_interval: [...summary.logLossInterval],
    ece: summary.calibrationError,
  };
}

export function writeFigures(summary: FigureSummary): z.infer<typeof figures> {
  return {
    ...writeSummary(summary),
    per_class: summary.perClass.map((each) => ({
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

export function readFigures(stored: z.infer<typeof figures>): FigureSummary {
  return {
    examples: stored.examples,
    accuracy: stored.accuracy,
    accuracyInterval: stored.accuracy_interval,
    macroF1: stored.macro_f1,
    macroF1Interval: stored.macro_f1_interval,
    logLoss: stored.log_loss,
    logLossInterval: stored.log_loss_interval,
    calibrationError: stored.ece,
    perClass: stored.per_class.map((each): ClassFigures => ({
      support: each.support,
      predicted: each.predicted,
      precision: each.precision,
      precisionInterval: each.precision_interval,
      recall: each.recall,
      recallInterval: each.recall_interval,
      f1: each.f1,
    })),
  };
}
