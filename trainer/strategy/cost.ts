/**
 * What work costs, estimated from the plan alone: whether something fits the budget must not depend on how busy the
 * machine is, or the same command would give different heads.
 */
import type { Backbone, Step } from '../../src/backbone/index.ts';
import { cutAt } from '../../src/backbone/index.ts';
import { tensorNames } from '../../src/backbone/index.ts';
import { MAX_DIRECTIONS } from '../../src/head/limits.ts';
import type { FineTuneOptions } from '../../src/learn/fine-tune/options.ts';
import { stepsOf } from './tuned.ts';

/** Of one thread on a core of 2024, measured with TensorFlow.js's WASM backend: convolutions and passes over maps. */
const MULTIPLY_ADDS_PER_MS = 15e6;
const ELEMENTS_PER_MS = 0.6e6;
/** Forward, backward to the weights and backward to the input, over forward alone. */
const TRAINING_FACTOR = 3.5;
/** Reading, augmenting, and the optimiser. */
const MS_A_PICTURE = 2.5;
/** Runs that go on side by side. */
const THREADS = 2;

/** Milliseconds that one picture takes through these steps. */
function forwardMs(steps: readonly Step[], backbone: Backbone): number {
  return steps.reduce((sum, step) => {
    const { height, width, channels } = backbone.shapes.get(step.name)!;
    const weights =
      step.op === 'add' || step.op === 'mean' || step.op === 'squeeze-excite' ? undefined : step.weights;
    const size = weights === undefined ? 0 : backbone.tensors.get(weights)!.length;
    // A depthwise weight serves one channel's pixels, any other one output's: both are used once a pixel.
    return (
      sum + (size * height * width) / MULTIPLY_ADDS_PER_MS + (height * width * channels) / ELEMENTS_PER_MS
    );
  }, 0);
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
  const linear = codeLength * (4 * (4 + classes) + 2 * MAX_DIRECTIONS);
  const names = tailSteps.flatMap(tensorNames);
  return linear + names.reduce((sum, name) => sum + 2 * tensors.get(name)!.length, 0);
}

/** Seconds that cross-validation and the last run take. @param examples n. */
export function tuningSeconds(
  from: string,
  backbone: Backbone,
  examples: number,
  folds: number,
  options: FineTuneOptions,
): number {
  const cut = cutAt(backbone.plan, from);
  const picture =
    MS_A_PICTURE + forwardMs(cut.trunkSteps, backbone) + TRAINING_FACTOR * forwardMs(cut.tailSteps, backbone);
  const run = (n: number): number => (stepsOf(n, options) * options.batch * picture) / 1000;
  return Math.ceil(folds / THREADS) * run((examples * (folds - 1)) / folds) + run(examples);
}
