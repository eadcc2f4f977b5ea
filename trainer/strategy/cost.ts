/**
 * What fine-tuning costs, estimated from the plan and the amount of data alone: whether something fits the budget must not
 * depend on how busy the machine is, or the same command would give different heads. Meant as an upper bound: work is
 * counted as the run will do it, and the rates are a quarter below those measured.
 */
import type { Backbone, Step } from '../../src/backbone/index.ts';
import { cutAt, tensorNames } from '../../src/backbone/index.ts';
import { DIRECTIONS } from '../../src/learn/novelty.ts';
import type { FineTuneOptions } from '../../src/learn/fine-tune/options.ts';
import { codeMs, stepsMs } from './edge-cost.ts';
import { stepsOf } from './tuned.ts';

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
/** Decoding a photo, ms. */
const DECODE_MS = 15;
/** Of a run that starts a thread, s. */
const START_SECONDS = 3;
/** Runs that go on side by side. */
const THREADS = 2;

/** What a cross-validation and the run on all pictures do. A picture counts as often as it is looked at. */
export interface TuningWork {
  /** Forward and backward, in the runs that go on one after the other. */
  readonly trained: number;
  /** Decoded and made into a code, on all threads together. */
  readonly read: number;
}

/** @param examples n. @returns at least what the Tuner does. */
export function tuningWork(examples: number, folds: number, options: FineTuneOptions): TuningWork {
  const passes = (n: number): number => stepsOf(n, options) * options.batch;
  // Folds differ by one picture of each class at most; the largest run is one on what the smallest fold leaves.
  const largest = examples - Math.floor(examples / folds) + 1;
  return {
    trained: Math.ceil(folds / THREADS) * passes(Math.min(largest, examples)) + passes(examples),
    // Pictures are stored once, and each tail's codes are read of all of them.
    read: (folds + 2) * examples,
  };
}

/** Seconds that cross-validation and the last run take on two cores. @param examples n. */
export function tuningSeconds(
  from: string,
  backbone: Backbone,
  examples: number,
  folds: number,
  options: FineTuneOptions,
): number {
  const { trunkSteps, tailSteps } = cutAt(backbone.plan, from);
  const { trained, read } = tuningWork(examples, folds, options);
  const trainMs = stepsMs(trunkSteps, backbone) + trainingMs(tailSteps, backbone);
  const readMs = DECODE_MS + codeMs(backbone, 32) + stepsMs(tailSteps, backbone);
  return (folds + 2) * START_SECONDS + (trained * trainMs + (read * readMs) / THREADS) / 1000;
}

/** Milliseconds that one picture takes through these steps and back. */
export function trainingMs(steps: readonly Step[], { shapes, tensors }: Backbone): number {
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
