/** What an importer makes: a plan and its weights, convolution by convolution, each with its batch norm folded in. */
import type { Activation, Padding, Plan, Step, Tap } from '../../src/backbone/plan.ts';
import { foldBatchNorm, foldInputNormalisation, toHwio } from './fold.ts';

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

/** A tensor as the source has it. */
export interface SourceTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A convolution and its batch norm; a depthwise one has as many channels as what it reads. */
export interface Layer {
  readonly op: 'conv' | 'depthwise';
  readonly name: string;
  /** Names in the source of the filters, [out, in, kernel height, kernel width], and of the batch norm. */
  readonly source: readonly [convolution: string, norm: string];
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly activation: Activation;
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
  readonly #source: ReadonlyMap<string, SourceTensor>;
  readonly #epsilon: number;
  readonly #input: Normalisation;

  /** @param epsilon of the batch norms. */
  constructor(source: ReadonlyMap<string, SourceTensor>, epsilon: number, input: Normalisation) {
    this.#source = source;
    this.#epsilon = epsilon;
    this.#input = input;
  }

  /** Appends a convolution; its input is the latest step's output. */
  convolution({ op, name, source, out, kernel, stride, padding, activation }: Layer): void {
    const ins = op === 'conv' ? this.channels : 1;
    const weights = this.read(`${source[0]}.weight`, [out, ins, kernel, kernel]);
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      this.read(`${source[1]}.${part}`, [out]),
    );
    const convolved = foldBatchNorm(weights, { gamma, beta, mean, variance }, this.#epsilon);
    const folded =
      this.latest === 'input'
        ? foldInputNormalisation(convolved, this.#input.mean, this.#input.deviation)
        : convolved;
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
      batchNorm: {
        gamma: this.put(`${name}.gamma`, [out], gamma),
        beta: this.put(`${name}.beta`, [out], beta),
      },
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

  /** @param shape any where absent. @throws Error when the source has no such tensor, or one of another shape. */
  read(name: string, shape?: readonly number[]): Float32Array {
    const tensor = this.#source.get(name);
    if (tensor === undefined) throw new Error(`The source has no tensor ${name}.`);
    if (shape !== undefined && tensor.shape.join() !== shape.join()) {
      throw new Error(`The source's tensor ${name} is [${tensor.shape.join()}], not [${shape.join()}].`);
    }
    return tensor.values;
  }

  /** @param side of the pictures that it reads. @param sides others at which it may be run. */
  network(name: string, side: number, taps: readonly Tap[], sides?: readonly number[]): Network {
    const padValue = this.#input.mean.map((mean) => Math.fround(255 * mean));
    const input = {
      height: side,
      width: side,
      channels: 3,
      padValue,
      ...(sides === undefined ? {} : { sides }),
    };
    const { steps, tensors } = this;
    return { plan: { format: 'headwater-plan/1', name, version: '1', input, steps, taps }, tensors };
  }
}
