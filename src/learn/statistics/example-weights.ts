/** The weight of each example in a fit, so that large classes do not outweigh small ones. */
import type { CanonicalSet } from '../training-set.ts';

/** Measured on unbalanced subsets: as accurate as 0 where test pictures are equally unbalanced, far better where not. */
const DEFAULT_BALANCE = 0.75;

/**
 * Tempered inverse class frequency, with mean 1.
 * @param balance 0 counts every example alike, 1 every class.
 */
export function exampleWeights(
  { targets, counts, examples }: Pick<CanonicalSet, 'targets' | 'counts' | 'examples'>,
  balance = DEFAULT_BALANCE,
): Float64Array {
  const byClass = counts.map((count) => (examples / (counts.length * count)) ** balance);
  const weights = Float64Array.from(targets, (target) => byClass[target]);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / examples;
  return weights.map((weight) => weight / mean);
}

/** What each example counts when it is judged. The only one of its class cannot be judged by the others. */
export function weightsOfJudged(
  weights: Float64Array,
  targets: Uint16Array,
  counts: ArrayLike<number>,
): Float64Array {
  return weights.map((weight, i) => (counts[targets[i]] > 1 ? weight : 0));
}

/**
 * The weight of an example that is added to others which have their weights already.
 * @param counts of the others, by class. @param count of its own class, with it and those that come with it.
 */
export function classWeight(counts: readonly number[], count: number): number {
  const examples = counts.reduce((sum, each) => sum + each, 0);
  const scale = counts.reduce((sum, each) => sum + (each > 0 ? each ** (1 - DEFAULT_BALANCE) : 0), 0);
  return (examples / scale) * count ** -DEFAULT_BALANCE;
}
