/** From labelled codes to heads: the step between the trainer's data sets and src/learn. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { HeadwaterError } from '../src/errors.ts';
import { allRows } from '../src/learn/code-rows.ts';
import { mostFits, trainLogistic } from '../src/learn/logistic/train-logistic.ts';
import { MAX_EXAMPLES, type StreamedSet } from '../src/learn/training-set.ts';
import { trainWithMetrics, type TrainedHead, type TrainOptions } from '../src/learn/ridge/train.ts';
import { HALF, OPERATIONS_BETWEEN_PAUSES } from '../src/learn/pacer.ts';
import { WASM_COST } from '../src/learn/linalg/primitives.ts';
import { targetsOf, type LabelledCodes } from './codes/labelled.ts';
import { NUMBERS_IN_MEMORY } from './codes/table.ts';
import { ROOT } from './paths.ts';
import { codesRead, type Reading } from './reading.ts';
import type { Terminal } from './cli/terminal.ts';

/** How Node trains: with the kernel that the Worker uses, so that both find the same numbers, and without blocking Ctrl-C. */
export const LEARNING: TrainOptions = {
  pause: () => setImmediate(),
  linalg: new WebAssembly.Module(readFileSync(join(ROOT, 'build/wasm/linalg.wasm'))),
};

/** How a linear head is found; auto takes ridge regression in closed form where it fits memory. */
export type Solver = 'auto' | 'ridge' | 'logistic';

export interface LearnOptions {
  readonly solver: Solver;
  /** Decides the folds that a logistic regression is judged by. */
  readonly seed: number;
  /** Shown how far it is. */
  readonly terminal?: Terminal;
}

/** @returns whether `auto` finds the head of so many codes of this length in closed form. */
export function isClosedForm(examples: number, codeLength: number): boolean {
  return examples * codeLength <= NUMBERS_IN_MEMORY && examples <= MAX_EXAMPLES;
}

/** Trains a linear head. @throws HeadwaterError `training_data_invalid`, `training_data_too_large`. */
export async function learn(
  set: StreamedSet,
  { solver, seed, terminal }: LearnOptions,
): Promise<TrainedHead> {
  const { rows, ...rest } = set;
  if (solver === 'logistic' || (solver === 'auto' && !isClosedForm(rows.examples, rows.codeLength))) {
    return fitLogistic(set, seed, terminal);
  }
  const progress = terminal?.progress('Training, in per cent', 100);
  const operations = operationsOf(rows.examples, rows.codeLength, set.labels.length);
  const pauses = Math.ceil(operations / OPERATIONS_BETWEEN_PAUSES);
  let [paused, shown] = [0, 0];
  const pause = async (): Promise<void> => {
    for (paused++; shown < 100 * Math.min(1, paused / pauses) - 1; shown++) progress?.step();
    await LEARNING.pause!();
  };
  const trained = await trainWithMetrics({ ...rest, codes: allRows(rows) }, { ...LEARNING, pause });
  progress?.stop();
  return trained;
}

async function fitLogistic(set: StreamedSet, seed: number, terminal?: Terminal): Promise<TrainedHead> {
  const progress = terminal?.progress('Fits, at most', mostFits(set.rows.examples));
  const onFit = (lambda: number, logLoss: number): void => {
    progress?.step(`log-loss ${logLoss.toFixed(3)} at λ = ${lambda.toPrecision(1)}`);
  };
  const trained = await trainLogistic(set, { ...LEARNING, seed, onFit });
  progress?.stop();
  return trained;
}

/** About how much the closed form computes, most of it in a few places; in multiply-adds of plain JavaScript. */
export function operationsOf(n: number, d: number, classes: number): number {
  const order = Math.min(n, d);
  const matrices = (Math.max(n, d) * order ** 2) / 2 + (5 / 3) * order ** 3 + (n > d ? n * d ** 2 : 0);
  const selection = 11 * n * order * (classes + 4);
  const novelty = 1.3e6 * Math.min(n, 1000);
  return WASM_COST * matrices + selection + novelty + 3 * HALF * n * d;
}

/** What training needs of a set of labelled codes. */
export type Examples = Pick<LabelledCodes, 'pictures' | 'codes' | 'labels'>;

/** With the codes of all taps of the frozen backbone, in the order of the pictures. */
export function streamedSet(reading: Reading, { pictures, codes, labels }: Examples): StreamedSet {
  const taps = reading.backbone.plan.taps.map((tap) => tap.name);
  return { ...codesRead(reading, taps), labels, rows: codes, targets: targetsOf(pictures, labels) };
}

/** Trains on all taps. Held-out probabilities come in the order of the pictures. */
export async function trainOn(reading: Reading, examples: Examples): Promise<TrainedHead> {
  return learn(streamedSet(reading, examples), { solver: 'auto', seed: 1 });
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
