/** Folds of a data set for cross-validation, stratified by class and drawn by the seed. */
import { permutation, randomFor } from '../random.ts';

/** Gives the draw other random numbers than those of training. */
const PURPOSE = 0x666f6c64;

/**
 * @returns for each example the fold in which it is held out, from 0 to count − 1. Examples of a class are dealt out
 * one by one, classes beginning where the last one ended, so that folds differ by at most one example.
 */
export function drawFolds(targets: Uint16Array, count: number, seed: number): Uint8Array {
  const folds = new Uint8Array(targets.length);
  const classes = targets.reduce((most, target) => Math.max(most, target), 0) + 1;
  const members = Array.from({ length: classes }, (): number[] => []);
  for (const [i, target] of targets.entries()) members[target].push(i);
  let next = 0;
  for (const [c, own] of members.entries()) {
    for (const place of permutation(own.length, randomFor(seed, PURPOSE, c))) {
      folds[own[place]] = next;
      next = (next + 1) % count;
    }
  }
  return folds;
}
