/**
 * Trains an uploaded head further, without its own training examples. A closed-form head keeps enough statistics of them to
 * continue the fit (continue.ts). An imported head has none, and keeps its weights for the old labels (extend.ts).
 */
import type { Head } from '../../head/head.ts';
import { trainedFurther } from '../../head/method.ts';
import { continueHead, isContinuable } from './continue.ts';
import { extendHead } from './extend.ts';
import { extensionMetrics } from './extend-metrics.ts';
import { summarise } from '../statistics/metrics.ts';
import type { TaughtExamples } from './taught-examples.ts';
import type { TrainedHead, TrainOptions } from '../ridge/train.ts';

/** @throws HeadwaterError `training_data_invalid`, `training_data_too_large`. */
export async function teachFurther(
  base: Head,
  taught: TaughtExamples,
  options: Pick<TrainOptions, 'linalg' | 'pause'>,
): Promise<TrainedHead> {
  if (isContinuable(base)) return continueHead(base, taught, options);
  const head = await extendHead(base, taught, options);
  const { folds, leaveOneOut, metrics } = await extensionMetrics(base, taught, options);
  if (metrics === null) return { head, leaveOneOut, metrics };
  const { method } = head.training;
  const training = {
    ...head.training,
    method: trainedFurther(method, 'extended', folds),
    leaveOneOut: summarise(metrics),
  };
  return { head: { ...head, training }, leaveOneOut, metrics };
}
