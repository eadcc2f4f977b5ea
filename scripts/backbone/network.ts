/** What an importer makes: a plan and its weights, convolution by convolution, each with its batch norm folded in. */
import type { Activation, Padding, Plan, Step } from '../../src/backbone/plan.ts';
import {
  foldBatchNorm,
  foldInputNormalisation,
  toHwio,
  type BatchNormParameters,
  type Folded,
} from './fold.ts';

/** The plan but for the hash of a weights file that is yet to be written, and the weights. */
export interface Network {
  readonly plan: Omit<Plan, 'weightsSha256'>;
  readonly tensors: Map<string, NetworkTensor>;
}

export interface NetworkTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Whether half precision will do. */
  readonly half: boolean;
}

/** How pictures are normalised, (x/255 − mean)/deviation; one number a channel. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** A convolution or depthwise convolution as its source has it. */
export interface Layer {
  readonly op: 'conv' | 'depthwise';
  readonly name: string;
  /** [out, in, kernel height, kernel width]; a depthwise filter reads one channel. */
  readonly weights: Float32Array;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly activation: Activation;
  readonly norm: BatchNormParameters;
}

/** Steps one after the other, and the tensors that they name. */
export class NetworkBuilder {
  readonly steps: Step[] = [];
  readonly tensors = new Map<string, NetworkTensor>();
  /** The latest step and its channels. */
  latest = 'input';
  channels = 3;
  /** Whether the filters put now may be rounded to half precision. */
  half = false;
  readonly #epsilon: number;
  readonly #input: Normalisation;

  /** @param epsilon of the batch norms. */
  constructor(epsilon: number, input: Normalisation) {
    this.#epsilon = epsilon;
    this.#input = input;
  }

  /** Appends a convolution; its input is the latest step's output. */
  convolution({ op, name, weights, out, kernel, stride, padding, activation, norm }: Layer): void {
    this.put(`${name}.gamma`, [out], norm.gamma);
    this.put(`${name}.beta`, [out], norm.beta);
    const folded = this.#fold(weights, norm);
    const ins = op === 'conv' ? this.channels : 1;
    const values = toHwio(folded.weights, [out, ins, kernel, kernel]);
    const shape = op === 'conv' ? [kernel, kernel, ins, out] : [kernel, kernel, out];
    this.push({
      op,
      name,
      input: this.latest,
      weights: this.put(`${name}.weights`, shape, values, this.half),
      bias: this.put(`${name}.bias`, [out], folded.bias),
      stride,
      padding,
      activation,
      batchNorm: { gamma: `${name}.gamma`, beta: `${name}.beta` },
    });
    this.channels = out;
  }

  push(step: Step): void {
    this.steps.push(step);
    this.latest = step.name;
  }

  /** @returns the tensor's name. */
  put(name: string, shape: readonly number[], values: Float32Array, half = false): string {
    this.tensors.set(name, { shape, values, half });
    return name;
  }

  #fold(weights: Float32Array, norm: BatchNormParameters): Folded {
    const folded = foldBatchNorm(weights, norm, this.#epsilon);
    if (this.latest !== 'input') return folded;
    return foldInputNormalisation(folded, this.#input.mean, this.#input.deviation);
  }
}
