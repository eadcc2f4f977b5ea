/**
 * Fine-tuning: the steps of a backbone behind a cut and a linear head on the deepest tap are adjusted together by
 * gradients of the cross-entropy on augmented pictures. (A head on all taps fits little data so well from the start that
 * it leaves the network nothing to learn: measured, 82 % against 86.) Batch norm stays folded, so its statistics stay frozen. A run is a sequence of
 * steps whose state can be taken out after any of them and put back: the rest of the run is then the same to the bit.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Backbone, MapEngine, Tail } from '../../backbone/index.ts';
import { cutAt, WHOLE, type Cut } from '../../backbone/cut.ts';
import type { Padding } from '../../backbone/plan.ts';
import { inputTensor } from '../../backbone/tfjs/input.ts';
import { useWasmBackend } from '../../backbone/tfjs/backend.ts';
import { AdamW } from './adamw.ts';
import { mixUp } from './mix-up.ts';
import { augment } from './augment.ts';
import type { FineTuneOptions } from './options.ts';
import { TrainableNetwork } from './network.ts';
import { gather, layOut, lengthOf, scatter, unitsOf, type Parameter } from './parameters.ts';
import { permutation, randomFor } from '../../random.ts';
import { cosineSchedule } from './schedule.ts';
import { SoftmaxHead, type BatchLoss, type LinearStart } from './softmax-head.ts';
import { initialState, type FineTuneState } from './state.ts';

export interface FineTuneTask {
  readonly backbone: Backbone;
  /** The step whose output the tail reads, or 'input' to train every block. */
  readonly from: string;
  /** Runs the steps up to the cut; absent where there are none. */
  readonly trunk?: MapEngine;
  /** [n] class of each example. */
  readonly targets: Uint16Array;
  /** Reads the example's picture, stored.height × stored.width × 3 bytes. Called again in every epoch. */
  readonly picture: (example: number) => Uint8Array;
  readonly stored: { readonly height: number; readonly width: number };
  /** A fitted head on the plan's last tap, its class c being the targets' c. */
  readonly start: LinearStart;
}

/** Loss and accuracy of some steps, on augmented pictures. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  /** Means over the pictures of the last step. */
  readonly loss: number;
  readonly accuracy: number;
}

const NO_PADDING: Padding = [0, 0, 0, 0];

/** Purposes of random numbers. */
const PURPOSE = { order: 1, picture: 2, mix: 3 } as const;

export class FineTune {
  readonly steps: number;
  readonly state: FineTuneState;
  readonly #task: FineTuneTask;
  readonly #options: FineTuneOptions;
  readonly #cut: Cut;
  readonly #parameters: readonly Parameter[];
  readonly #network: TrainableNetwork;
  readonly #head: SoftmaxHead;
  readonly #optimiser: AdamW;
  readonly #stepsAnEpoch: number;

  /** Gradients must be registered (`registerGradients`). @param state to go on from. */
  constructor(task: FineTuneTask, options: FineTuneOptions, state?: FineTuneState) {
    useWasmBackend();
    this.#task = task;
    this.#options = options;
    this.#cut = cutForHead(task);
    this.#parameters = layOut(this.#cut.tailSteps, task.backbone);
    this.#network = new TrainableNetwork(this.#cut, this.#parameters);
    this.#head = new SoftmaxHead(task.start);
    const length = lengthOf(this.#parameters);
    const start = joined(gather(this.#parameters, task.backbone), SoftmaxHead.parametersOf(task.start));
    const units = joined(unitsOf(this.#parameters, task.backbone), this.#headUnits());
    const rates = new Float32Array(start.length)
      .fill(1, 0, length)
      .fill(options.headRate / options.rate, length);
    this.state = state ?? initialState(start);
    this.#optimiser = new AdamW(start, units, rates, options.adamW, this.state);
    this.#stepsAnEpoch = Math.max(1, Math.floor(task.targets.length / options.batch));
    this.steps = this.#stepsAnEpoch * options.epochs;
  }

  get isDone(): boolean {
    return this.state.steps >= this.steps;
  }

  /** One step on one batch. */
  step(): Progress {
    useWasmBackend();
    const { steps: step, values } = this.state;
    const { batch, rate, averagedShare, warmUpEpochs } = this.#options;
    const examples = this.#batch(step);
    const gradient = new Float32Array(values.length);
    const tally: BatchLoss = { loss: 0, right: 0 };
    this.#load(values);
    for (let first = 0; first < examples.length; first += this.#options.pictures) {
      this.#accumulate(
        examples.subarray(first, first + this.#options.pictures),
        step,
        gradient,
        tally,
        examples.length,
      );
    }
    const warmUp = Math.round(warmUpEpochs * this.#stepsAnEpoch);
    this.#optimiser.step(values, gradient, rate * cosineSchedule(step, this.steps, warmUp));
    if (step + 1 > this.steps * (1 - averagedShare)) this.#average();
    const count = Math.min(batch, examples.length);
    return { step: step + 1, steps: this.steps, loss: tally.loss / count, accuracy: tally.right / count };
  }

  /**
   * The tail as it is now: the mean over the last steps once that has begun, and as far from the pretrained weights as
   * the options say. Weights in the backbone's precision.
   */
  tail(): Tail {
    const { backbone, from } = this.#task;
    const { distance } = this.#options;
    const start = gather(this.#parameters, backbone);
    const tuned = this.#averaged();
    const values = start.map((value, i) => value + distance * (tuned[i] - value));
    const tensors = new Map<string, Float32Array | Float16Array>();
    for (const [name, part] of scatter(this.#parameters, values)) {
      const inHalf = backbone.tensors.get(name)!.every((value) => Math.f16round(value) === value);
      tensors.set(name, inHalf ? Float16Array.from(part) : part.slice());
    }
    return { from, tensors };
  }

  /** Gives the backend's memory back. */
  dispose(): void {
    useWasmBackend();
    this.#network.dispose();
    this.#head.dispose();
  }

  #load(values: Float32Array): void {
    const length = lengthOf(this.#parameters);
    this.#network.load(values.subarray(0, length));
    this.#head.load(values.subarray(length));
  }

  /** The examples of a step: every epoch is a shuffle, cut into batches; the rest is left out of that epoch. */
  #batch(step: number): Uint32Array {
    const { seed, batch } = this.#options;
    const epoch = Math.floor(step / this.#stepsAnEpoch);
    const order = permutation(this.#task.targets.length, randomFor(seed, PURPOSE.order, epoch));
    const first = (step % this.#stepsAnEpoch) * batch;
    return order.subarray(first, first + batch);
  }

  #accumulate(
    examples: Uint32Array,
    step: number,
    gradient: Float32Array,
    tally: BatchLoss,
    batch: number,
  ): void {
    const { pixels, wanted } = this.#pictures(examples, step);
    const count = examples.length;
    const headGradient = gradient.subarray(lengthOf(this.#parameters));
    tf.tidy(() => {
      const goal = tf.tensor2d(wanted, [count, this.#head.classes]);
      const slope = (codes: tf.Tensor2D): tf.Tensor2D =>
        this.#head.gradients(codes, goal, 1 / batch, headGradient, tally);
      this.#network.accumulate(this.#trunkMap(pixels, count), slope, gradient);
    });
  }

  /** Augmented pixels of the examples, and the class probabilities that they should get. */
  #pictures(examples: Uint32Array, step: number): { pixels: Uint8Array; wanted: Float32Array } {
    const { plan } = this.#task.backbone;
    const { seed, smoothing, augmentation } = this.#options;
    const { classes } = this.#head;
    const size = plan.input.height * plan.input.width * plan.input.channels;
    const pixels = new Uint8Array(examples.length * size);
    const wanted = new Float32Array(examples.length * classes).fill(smoothing / classes);
    for (const [place, example] of examples.entries()) {
      const out = pixels.subarray(place * size, (place + 1) * size);
      const random = randomFor(seed, PURPOSE.picture, step, example);
      augment(this.#task.picture(example), this.#task.stored, out, plan.input, random, augmentation);
      wanted[place * classes + this.#task.targets[example]] += 1 - smoothing;
    }
    if (this.#options.mixup === 0) return { pixels, wanted };
    return mixUp(
      pixels,
      wanted,
      examples.length,
      this.#options.mixup,
      randomFor(seed, PURPOSE.mix, step, examples[0]),
    );
  }

  #trunkMap(pixels: Uint8Array, count: number): tf.Tensor4D {
    const { backbone, from, trunk } = this.#task;
    if (trunk === undefined || from === WHOLE)
      return inputTensor(pixels, count, backbone.plan.input, NO_PADDING);
    const { height, width, channels } = backbone.shapes.get(from)!;
    return tf.tensor4d(trunk.codesAndMaps(pixels, [from]).maps.get(from)!, [count, height, width, channels]);
  }

  /** The head's weights move in units of their own size at the start; a head that starts at zero in units of 1/√D. */
  #headUnits(): Float32Array {
    const { weights, bias, temperature, mean } = this.#task.start;
    const squares = weights.reduce((sum, weight) => sum + (weight / temperature) ** 2, 0);
    const unit = Math.sqrt(squares / weights.length) || 1 / Math.sqrt(mean.length);
    return new Float32Array(weights.length + bias.length).fill(unit);
  }

  #average(): void {
    const { values, sum } = this.state;
    for (let i = 0; i < values.length; i++) sum[i] += values[i];
    this.state.averaged++;
  }

  #averaged(): Float32Array {
    const { values, sum, averaged } = this.state;
    return averaged === 0 ? values : Float32Array.from(sum, (total) => total / averaged);
  }
}

/** The loss looks at the deepest tap alone. @throws RangeError when it does not lie behind the cut. */
function cutForHead({ backbone, from }: FineTuneTask): Cut {
  const cut = cutAt(backbone.plan, from);
  const deepest = backbone.plan.taps.at(-1)!;
  if (!cut.tailTaps.includes(deepest))
    throw new RangeError(`The tap '${deepest.name}' does not lie behind '${from}'.`);
  return { ...cut, tailTaps: [deepest] };
}

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const out = new Float32Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out;
}
