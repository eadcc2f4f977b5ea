/**
 * What fine-tuning costs. The work is counted as the run will do it; how long a machine takes for it is measured there
 * (cost/pace.ts, tuning/pace.ts), since machines differ and others may be at work on them. Meant as an upper bound.
 */
import { cutAt, tensorNames, type Backbone, type Step } from '../../../src/backbone/index.ts';
import { DIRECTIONS } from '../../../src/learn/statistics/novelty.ts';
import type { FineTuneOptions } from '../../../src/learn/fine-tune/options.ts';
import { threadsFor } from '../../codes/pool.ts';
import { engineBits, stepsMs } from './edge.ts';
import { headMs, readingMs } from './linear.ts';
import { MARGIN, type Pace } from './pace.ts';
import { tuningThreads } from '../tuning/threads.ts';
import { stepsOf } from '../tuning/runs.ts';

/**
 * Of one thread of a 3.6 GHz Zen 5 core, TensorFlow.js's WASM backend, forward and backward in one step of 32 pictures.
 * Processor time of a picture, measured and estimated: MobileNetV3-Small at 224 px from b3.project 26 and 34 ms, from the
 * stem 42 and 52; EfficientNet-Lite0 at 128/160/224 px from b3.project 48/64/127 and 60/87/160, from the stem 85/114/234 and 91/136/257.
 */
const TRAINING = {
  /** Multiply-adds of a forward pass in a millisecond: the backward pass, to the input and to the weights, is in it. */
  denseMultiplyAdds: 3.3e6,
  depthwiseMultiplyAdds: 0.8e6,
  /** Numbers of feature maps: each is written and read some twenty times. */
  mapElements: 0.065e6,
  /** Weights: the optimiser's share of a step, by its pictures. */
  weights: 0.5e6,
  /** Reading and augmenting a picture, ms. */
  pictureMs: 4,
};
/** Of a run that starts a thread, s. */
export const START_SECONDS = 3;

/** Of what was measured, on all threads and for longer than `pace.ts` does. */
const TRAINING_MARGIN = 1.4;

/** How fast this machine is when it trains, too. */
export interface TuningPace extends Pace {
  /** What training takes a millisecond for by the estimates takes so many here, on all threads at once. */
  readonly training: number;
}

/** What a cross-validation and the run on all pictures do. A picture counts as often as it is looked at. */
interface TuningWork {
  /** Forward and backward, in the runs that go on one after the other. */
  readonly trained: number;
  /** Made into a code of the frozen network and of a tail, on all threads together. */
  readonly read: number;
}

interface TuningSize {
  /** n */
  readonly examples: number;
  readonly classes: number;
  readonly folds: number;
}

/** @param threads runs that go on side by side. @returns at least what the runs do. */
export function tuningWork(
  { examples, folds }: Pick<TuningSize, 'examples' | 'folds'>,
  options: FineTuneOptions,
  threads = tuningThreads(folds),
): TuningWork {
  const passes = (n: number): number => stepsOf(n, options) * options.batch;
  // Folds differ by one picture of each class at most; the largest run is one on what the smallest fold leaves.
  const largest = examples - Math.floor(examples / folds) + 1;
  return {
    trained: Math.ceil(folds / threads) * passes(Math.min(largest, examples)) + passes(examples),
    read: (folds + 1) * examples,
  };
}

/** Seconds that cross-validation and the last run take, to the head that reads the tail. */
export function tuningSeconds(
  from: string,
  backbone: Backbone,
  size: TuningSize,
  options: FineTuneOptions,
  pace: TuningPace,
): number {
  const { tailSteps } = cutAt(backbone.plan, from);
  const { examples, classes, folds } = size;
  const { trained, read } = tuningWork(size, options);
  const trainMs = trained * trainingMs(from, backbone) * pace.training;
  // Pictures are stored once, by one thread.
  const storeMs = examples * pace.decodeMs;
  const tailMs = (read * pace.slowness * stepsMs(tailSteps, backbone, 32)) / threadsFor(examples);
  const readMs = (folds + 1) * readingMs(examples, backbone, pace) + tailMs;
  // Each fold's head, the one on everything, and those of the frozen network that they are compared with.
  const headsMs = (4 * folds + 1) * headMs(examples, 2 * backbone.codeLength, classes, pace);
  const ms = TRAINING_MARGIN * trainMs + MARGIN * (storeMs + readMs + headsMs);
  return 2 * (folds + 1) * START_SECONDS + ms / 1000;
}

/** Milliseconds of the estimates that a picture takes in a training run: to the cut, then forward and back behind it. */
export function trainingMs(from: string, backbone: Backbone): number {
  const { trunkSteps, tailSteps } = cutAt(backbone.plan, from);
  return stepsMs(trunkSteps, backbone, engineBits(backbone)) + backwardMs(tailSteps, backbone);
}

function backwardMs(steps: readonly Step[], { shapes, tensors }: Backbone): number {
  let ms = TRAINING.pictureMs;
  for (const step of steps) {
    const { height, width, channels } = shapes.get(step.name)!;
    ms += (height * width * channels) / TRAINING.mapElements;
    for (const name of tensorNames(step)) ms += tensors.get(name)!.length / TRAINING.weights;
    if (step.op !== 'conv' && step.op !== 'dense' && step.op !== 'depthwise') continue;
    const rate = step.op === 'depthwise' ? TRAINING.depthwiseMultiplyAdds : TRAINING.denseMultiplyAdds;
    ms += (tensors.get(step.weights)!.length * height * width) / rate;
  }
  return ms;
}

/** Bytes of a head with a tail, but for its JSON: about what a linear head on so many numbers takes, and the tail's tensors. */
export function tailedHeadBytes(
  taps: readonly { readonly channels: number }[],
  tailSteps: readonly Step[],
  { tensors }: Backbone,
  classes: number,
): number {
  const codeLength = taps.reduce((sum, { channels }) => sum + channels, 0);
  // Mean, deviation and two golden codes, a row of weights a class, all in single precision; directions in half.
  const linear = codeLength * (4 * (4 + classes) + 2 * DIRECTIONS);
  const names = tailSteps.flatMap(tensorNames);
  return linear + names.reduce((sum, name) => sum + 2 * tensors.get(name)!.length, 0);
}
