/** Cross-validation: which pictures each fold holds out, and what was predicted of them. */
import { HeadwaterError } from '../../../src/errors.ts';
import { drawFolds } from '../../../src/learn/folds.ts';
import { selectHeldOut, type Fold } from '../../../src/learn/ridge/ridge-path.ts';
import type { StreamedSet } from '../../../src/learn/training-set.ts';
import { LEARNING } from '../../learning.ts';
import { selectExamples } from '../training-data.ts';

/** Folds of cross-validation; fewer where a class has fewer examples. */
export const FOLDS = 4;

export interface Split {
  /** The examples that each fold holds out, and those that it trains on. */
  readonly members: readonly (readonly number[])[];
  readonly others: readonly (readonly number[])[];
}

/** @param folds fewer where a class has fewer examples. @throws HeadwaterError `training_data_invalid` below two. */
export function splitUp(targets: Uint16Array, folds: number, seed: number): Split {
  const count = Math.min(folds, smallestClass(targets));
  if (count < 2) {
    throw new HeadwaterError(
      'training_data_invalid',
      'Fine-tuning needs at least two pictures of every class; add some, or use a linear strategy.',
    );
  }
  const foldOf = drawFolds(targets, count, seed);
  const all = [...targets.keys()];
  const places = Array.from({ length: count }, (_, fold) => fold);
  return {
    members: places.map((fold) => all.filter((i) => foldOf[i] === fold)),
    others: places.map((fold) => all.filter((i) => foldOf[i] !== fold)),
  };
}

/** @param set of all examples, with the codes of the network that this fold is judged by. */
export function foldOf(set: StreamedSet, { members, others }: Split, fold: number): Fold {
  const { codes, targets } = selectExamples(set, members[fold]);
  return { set: selectExamples(set, others[fold]), codes, targets };
}

/**
 * Judges the frozen network's codes by the folds that tuned networks are judged by: leave-one-out trains on more, and
 * would flatter it. @returns [n × C] probabilities in the order of the pictures.
 */
export async function crossValidateFrozen(set: StreamedSet, split: Split): Promise<Float32Array> {
  const folds = split.members.map((_, fold) => foldOf(set, split, fold));
  return inOrder((await selectHeldOut(folds, LEARNING)).probabilities, split);
}

/** From the order of the folds to that of the pictures. */
export function inOrder(probabilities: Float32Array, { members }: Split): Float32Array {
  const order = members.flat();
  const classes = probabilities.length / order.length;
  const out = new Float32Array(probabilities.length);
  order.forEach((i, place) => {
    out.set(probabilities.subarray(place * classes, (place + 1) * classes), i * classes);
  });
  return out;
}

export function smallestClass(targets: Uint16Array): number {
  const counts = new Map<number, number>();
  for (const target of targets) counts.set(target, (counts.get(target) ?? 0) + 1);
  return Math.min(...counts.values());
}
