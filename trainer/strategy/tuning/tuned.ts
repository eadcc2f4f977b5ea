/**
 * The strategies that change the network. A tail is fine-tuned, and the closed-form head then reads all taps, those of
 * the frozen network, which the edge has computed anyway, and those of the tail. The network has memorised what it was tuned
 * on, so that λ, temperature, novelty and all metrics come from cross-validation: networks tuned on the
 * other folds.
 */
import type { Tail } from '../../../src/backbone/index.ts';
import { readableTaps } from '../../../src/head/index.ts';
import { RidgePath, selectHeldOut, type HeldOut } from '../../../src/learn/ridge/ridge-path.ts';
import type { TrainedHead } from '../../../src/learn/ridge/train.ts';
import { evaluate, summarise } from '../../../src/learn/statistics/metrics.ts';
import type { StreamedSet } from '../../../src/learn/training-set.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { openReader } from '../../codes/reader.ts';
import { LEARNING } from '../../learning.ts';
import { cutFor, type TunedStrategy } from '../strategies.ts';
import { selectExamples, withCodes, type TrainingData } from '../training-data.ts';
import { foldOf, inOrder, type Split } from './folds.ts';
import { tuneOn, type Runs } from './runs.ts';

export interface CrossValidation {
  readonly strategy: TunedStrategy;
  /** The step whose output the tail reads. */
  readonly from: string;
  readonly folds: number;
  readonly heldOut: HeldOut;
  /** [n × C] for each picture by a network tuned without it, in the order of the pictures. */
  readonly probabilities: Float32Array;
}

/** Tunes a network for each fold and judges the fold with it. @throws HeadwaterError, InterruptedError */
export async function crossValidateTuned(
  strategy: TunedStrategy,
  data: TrainingData,
  split: Split,
  runs: Runs,
  terminal: Terminal,
): Promise<CrossValidation> {
  const { plan, shapes } = data.reading.backbone;
  const from = cutFor(strategy, plan, shapes);
  const count = split.members.length;
  const label = `${strategy}, ${count} folds`;
  const tails = await tuneOn(split.others, from, data, runs, { label, terminal });
  const folds = await Array.fromAsync(tails, async (tail, fold) =>
    foldOf(await readTail(data, tail, terminal), split, fold),
  );
  const heldOut = await selectHeldOut(folds, LEARNING);
  return { strategy, from, folds: count, heldOut, probabilities: inOrder(heldOut.probabilities, split) };
}

/** Tunes a network on everything; the head's metrics and settings are those of the cross-validation. @throws InterruptedError */
export async function tuneOnAll(
  { strategy, from, heldOut, probabilities, folds }: CrossValidation,
  data: TrainingData,
  runs: Runs,
  terminal: Terminal,
): Promise<TrainedHead> {
  const { labels, targets } = data.set;
  const all = [...targets.keys()];
  const [tail] = await tuneOn([all], from, data, runs, { label: strategy, terminal });
  const set = await readTail(data, tail, terminal);
  const path = await RidgePath.fit(selectExamples(set, all), LEARNING);
  const head = await path.head(heldOut.decade, heldOut.temperature, heldOut.novelty);
  const metrics = evaluate(probabilities, targets, labels.length);
  const method = { ...head.training.method, tuned: { strategy, from }, folds };
  const training = { ...head.training, method, leaveOneOut: summarise(metrics) };
  return { head: { ...head, training, tail }, leaveOneOut: probabilities, metrics };
}

/** With the codes of all taps, the frozen ones and the tail's. */
async function readTail(data: TrainingData, tail: Tail, terminal: Terminal): Promise<StreamedSet> {
  const { reading, pictures } = data;
  const readable = readableTaps(reading.backbone.plan, tail);
  const taps = readable.map((tap) => tap.name);
  const codeLength = readable.reduce((sum, tap) => sum + tap.channels, 0);
  const reader = await openReader(reading, terminal, { taps, tail, codeLength });
  return withCodes(data, (await reader.codes(pictures)).rows, taps);
}
