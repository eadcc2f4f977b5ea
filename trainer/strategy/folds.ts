/** Parts of a data set for cross-validation: every class in every part, drawn by the seed. */
import { permutation, randomFor } from '../../src/learn/fine-tune/random.ts';

/** Sets the draw apart from those of training. */
const PURPOSE = 0x666f6c64;

/**
 * @returns for each example the fold in which it is held out, from 0 to count − 1. Examples of a class are dealt out
 * one by one, classes beginning where the last one ended, so that folds differ by at most one example.
 */
export function drawFolds(targets: Uint16Array, count: number, seed: number): Uint8Array {
  const folds = new Uint8Array(targets.length);
  const classes = targets.reduce((most, target) => Math.max(most, target), 0) + 1;
  let next = 0;
  for (let c = 0; c < classes; c++) {
    const members = [...targets.keys()].filter((i) => targets[i] === c);
    for (const place of permutation(members.length, randomFor(seed, PURPOSE, c))) {
      folds[members[place]] = next;
      next = (next + 1) % count;
    }
  }
  return folds;
}
