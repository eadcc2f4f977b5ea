/** From labelled codes to heads: the step between the trainer's data sets and src/learn. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Backbone } from '../src/backbone/index.ts';
import { HeadwaterError } from '../src/errors.ts';
import { trainWithFigures } from '../src/learn/train.ts';
import type { TrainedHead, TrainOptions } from '../src/learn/train.ts';
import { targetsOf } from './codes/labelled.ts';
import type { LabelledCodes } from './codes/labelled.ts';
import { ROOT } from './paths.ts';

/** How Node trains: with the kernel that the Worker uses, so that both find the same numbers, and without blocking Ctrl-C. */
export const LEARNING: TrainOptions = {
  pause: () => setImmediate(),
  linalg: new WebAssembly.Module(readFileSync(join(ROOT, 'build/wasm/linalg.wasm'))),
};

/** What training needs of a set of labelled codes. */
export type Examples = Pick<LabelledCodes, 'pictures' | 'codes' | 'labels'>;

/** Trains on all taps with the closed form. Leave-one-out probabilities come in the order of the pictures. */
export async function trainOn(
  { plan }: Backbone,
  { pictures, codes, labels }: Examples,
): Promise<TrainedHead> {
  const set = {
    backbone: { name: plan.name, version: plan.version, weightsSha256: plan.weightsSha256 },
    taps: plan.taps.map((tap) => tap.name),
    labels,
    codes,
    targets: targetsOf(pictures, labels),
  };
  return trainWithFigures(set, LEARNING);
}

/**
 * Labels that a data set has and a head does not know are an error where they must be a slip: in a test set.
 * @throws training_data_invalid
 */
export function requireKnownLabels(known: readonly string[], set: LabelledCodes): void {
  const strange = set.labels.filter((label) => !known.includes(label));
  if (strange.length === 0) return;
  const names = strange.map((label) => `'${label}'`).join(', ');
  throw new HeadwaterError(
    'training_data_invalid',
    `${set.source} has pictures labelled ${names}, which the training data do not. ` +
      `Labels must match exactly; known are: ${known.join(', ')}.`,
  );
}
