/**
 * Metrics of an extended head. There is no closed form for leaving an example out, so the new examples are held out in
 * folds: each fold is predicted by the head that was extended without it.
 */
import type { Head } from '../../head/head.ts';
import { score } from '../../head/score.ts';
import { extendHead } from './extend.ts';
import { drawFolds } from '../folds.ts';
import { Pacer } from '../pacer.ts';
import { canonical, type CanonicalExamples, type TaughtExamples } from './taught-examples.ts';
import type { TrainedHead, TrainOptions } from '../ridge/train.ts';
import { leaveOneOutMetrics } from '../statistics/left-out.ts';

/** Each fold costs as much as extending the head. */
const FOLDS = 8;
const SEED = 1;
/** With more examples there are no metrics: corrections of old labels take time with the square of their number. */
export const MOST_JUDGED = 500;

/** Metrics over the new examples alone, the same in any order. */
interface ExtensionMetrics extends Omit<TrainedHead, 'head'> {
  /** Absent where each example was left out alone. */
  readonly folds?: number;
}

/** @returns null metrics where no example can be judged, or there are too many. */
export async function extensionMetrics(
  base: Head,
  taught: TaughtExamples,
  options: Pick<TrainOptions, 'pause'> = {},
): Promise<ExtensionMetrics> {
  const examples = canonical(base, taught);
  const n = examples.codes.length;
  if (n < 2 || n > MOST_JUDGED) return { leaveOneOut: new Float32Array(), metrics: null };
  const folds = Math.min(FOLDS, n);
  const { labels, targets, order } = examples;
  const foldOf = drawFolds(targets, folds, SEED);
  // A head without the fold may lack one of its labels, and never predicts it.
  const logits = new Float64Array(n * labels.length).fill(-Infinity);
  const places = Array.from(targets.keys());
  for (let fold = 0; fold < folds; fold++) {
    const others = places.filter((i) => foldOf[i] !== fold);
    const head = await extendHead(base, part(examples, others, base.codeLength), options);
    for (const i of places.filter((place) => foldOf[place] === fold)) {
      const found = score(head, Float32Array.from(examples.codes[i])).logits;
      head.labels.forEach((label, c) => (logits[i * labels.length + labels.indexOf(label)] = found[c]));
    }
  }
  // The only example of a new label says nothing: without it the label does not exist.
  const judgeWeights = Float64Array.from(targets, (target, i) =>
    target < base.labels.length || targets.some((other, j) => other === target && j !== i) ? 1 : 0,
  );
  const pacer = new Pacer(options.pause);
  const left = await leaveOneOutMetrics(
    { order, targets, labels },
    logits,
    base.temperature,
    judgeWeights,
    pacer,
  );
  return folds === n ? left : { folds, ...left };
}

function part(
  { codes, labels, targets }: CanonicalExamples,
  places: readonly number[],
  codeLength: number,
): TaughtExamples {
  const joined = new Float16Array(places.length * codeLength);
  places.forEach((i, at) => joined.set(codes[i], at * codeLength));
  return { labels, codes: joined, targets: Uint16Array.from(places, (i) => targets[i]) };
}
