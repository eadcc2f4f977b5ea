/**
 * The trainable part of a backbone, from one feature map on: runs forward to the taps' spatial means and backward from
 * their gradients to the gradients of all weights.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Cut } from '../../backbone/cut.ts';
import type { Activation, Padding, Step } from '../../backbone/plan.ts';
import type { ConvGradient, ConvTrace, SqueezeExciteTrace, Weights } from './layers.ts';
import {
  convBackward,
  convForward,
  spatialMean,
  squeezeExciteBackward,
  squeezeExciteForward,
} from './layers.ts';
import type { Parameter } from './parameters.ts';

type Trace =
  | { readonly op: 'conv'; readonly trace: ConvTrace }
  | { readonly op: 'squeeze-excite'; readonly trace: SqueezeExciteTrace }
  | { readonly op: 'add' }
  | { readonly op: 'mean'; readonly shape: [number, number, number, number] };

interface Pass {
  readonly traces: ReadonlyMap<string, Trace>;
  readonly maps: ReadonlyMap<string, tf.Tensor4D>;
}

const NO_PADDING: Padding = [0, 0, 0, 0];

export class TrainableNetwork {
  readonly #cut: Cut;
  readonly #parameters: ReadonlyMap<string, Parameter>;
  #tensors = new Map<string, tf.Tensor>();

  constructor(cut: Cut, parameters: readonly Parameter[]) {
    this.#cut = cut;
    this.#parameters = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  }

  /** Puts the parameters' values on the backend. */
  load(values: Float32Array): void {
    this.dispose();
    for (const [name, { offset, length, shape }] of this.#parameters) {
      this.#tensors.set(name, tf.tensor(values.slice(offset, offset + length), [...shape]));
    }
  }

  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }

  /**
   * Runs some pictures through the tail, calls `codeGradient` with their codes, and adds the weights' gradients up.
   * @param input [pictures, height, width, channels] the map that the tail reads; stays the caller's.
   * @param codeGradient from the tail taps' means [pictures, D of the tail] to the gradient of the loss to them; both
   *   belong to the surrounding tidy.
   * @param gradient where the gradients are added, laid out as the parameters.
   */
  accumulate(
    input: tf.Tensor4D,
    codeGradient: (codes: tf.Tensor2D) => tf.Tensor2D,
    gradient: Float32Array,
  ): void {
    tf.tidy(() => {
      const pass = this.#forward(input);
      const dCodes = codeGradient(this.#codes(pass));
      this.#backward(pass, dCodes, gradient);
    });
  }

  #forward(input: tf.Tensor4D): Pass {
    const maps = new Map([[this.#cut.from, input]]);
    const traces = new Map<string, Trace>();
    for (const step of this.#cut.tailSteps) {
      const { y, trace } = this.#run(step, maps);
      maps.set(step.name, y);
      traces.set(step.name, trace);
    }
    return { maps, traces };
  }

  #run(step: Step, maps: ReadonlyMap<string, tf.Tensor4D>): { y: tf.Tensor4D; trace: Trace } {
    const x = maps.get(step.input)!;
    switch (step.op) {
      case 'conv':
      case 'depthwise':
      case 'dense': {
        const { y, trace } = convForward(x, this.#weights(step));
        return { y, trace: { op: 'conv', trace } };
      }
      case 'squeeze-excite': {
        const { reduce, expand } = this.#gates(step);
        const { y, trace } = squeezeExciteForward(x, reduce, expand);
        return { y, trace: { op: 'squeeze-excite', trace } };
      }
      case 'add':
        return { y: tf.add(x, maps.get(step.other)!), trace: { op: 'add' } };
      case 'mean':
        return { y: spatialMean(x), trace: { op: 'mean', shape: x.shape } };
    }
  }

  #codes({ maps }: Pass): tf.Tensor2D {
    const means = this.#cut.tailTaps.map(({ step, channels }) =>
      tf.reshape<tf.Rank.R2>(spatialMean(maps.get(step)!), [-1, channels]),
    );
    return means.length === 1 ? means[0] : tf.concat2d(means, 1);
  }

  #backward({ maps, traces }: Pass, dCodes: tf.Tensor2D, gradient: Float32Array): void {
    const gradients = this.#tapGradients(maps, dCodes);
    for (const step of this.#cut.tailSteps.toReversed()) {
      const dy = gradients.get(step.name);
      // Steps behind the last tap have no part in the loss.
      if (dy === undefined) continue;
      const inputs = tf.tidy(() => this.#stepBackward(step, dy, traces.get(step.name)!, gradient));
      dy.dispose();
      gradients.delete(step.name);
      for (const [name, dx] of inputs) {
        const before = gradients.get(name);
        gradients.set(name, before === undefined ? dx : tf.add(before, dx));
        if (before !== undefined) tf.dispose([before, dx]);
      }
    }
  }

  /** Gradient of the loss to each tapped map: every pixel has the same share in the mean. */
  #tapGradients(maps: ReadonlyMap<string, tf.Tensor4D>, dCodes: tf.Tensor2D): Map<string, tf.Tensor4D> {
    const gradients = new Map<string, tf.Tensor4D>();
    const sizes = this.#cut.tailTaps.map((tap) => tap.channels);
    const parts = tf.split(dCodes, sizes, 1);
    for (const [i, { step, channels }] of this.#cut.tailTaps.entries()) {
      const [pictures, height, width] = maps.get(step)!.shape;
      const mean = tf.div(tf.reshape<tf.Rank.R4>(parts[i], [pictures, 1, 1, channels]), height * width);
      gradients.set(step, tf.add(tf.zeros<tf.Rank.R4>([pictures, height, width, channels]), mean));
    }
    return gradients;
  }

  /** Adds the step's weight gradients up. @returns the gradients to the maps it read. */
  #stepBackward(step: Step, dy: tf.Tensor4D, trace: Trace, gradient: Float32Array): [string, tf.Tensor4D][] {
    const wantsInput = step.input !== this.#cut.from;
    if (step.op === 'add') {
      return [step.input, step.other]
        .filter((name) => name !== this.#cut.from)
        .map((name) => [name, dy.clone()]);
    }
    if (trace.op === 'conv' && (step.op === 'conv' || step.op === 'depthwise' || step.op === 'dense')) {
      const result = convBackward(dy, trace.trace, this.#weights(step), wantsInput);
      this.#add(gradient, step.weights, step.bias, result);
      return result.dx === undefined ? [] : [[step.input, result.dx]];
    }
    if (trace.op === 'squeeze-excite' && step.op === 'squeeze-excite') {
      const { reduce, expand } = this.#gates(step);
      const result = squeezeExciteBackward(dy, trace.trace, reduce, expand);
      this.#add(gradient, step.reduceWeights, step.reduceBias, result.reduce);
      this.#add(gradient, step.expandWeights, step.expandBias, result.expand);
      return wantsInput ? [[step.input, result.dx]] : [];
    }
    if (trace.op === 'mean' && wantsInput) {
      const [, height, width] = trace.shape;
      return [[step.input, tf.add(tf.zeros<tf.Rank.R4>(trace.shape), tf.div(dy, height * width))]];
    }
    return [];
  }

  #add(gradient: Float32Array, weights: string, bias: string, { dFilter, dBias }: ConvGradient): void {
    for (const [name, tensor] of [
      [weights, dFilter],
      [bias, dBias],
    ] as const) {
      // prettier-ignore
      const { offset } = this.#parameters.get(name)!;
      const values = tensor.dataSync<'float32'>();
      for (let i = 0; i < values.length; i++) gradient[offset + i] += values[i];
    }
  }

  #weights(step: Extract<Step, { op: 'conv' | 'depthwise' | 'dense' }>): Weights {
    if (step.op === 'dense') return this.#matrix(step.weights, step.bias, step.activation);
    const { stride, padding, activation } = step;
    const [height, width, third, fourth = 1] = this.#parameters.get(step.weights)!.shape;
    const filter = this.#tensor4D(step.weights, [height, width, third, fourth]);
    return { kind: step.op, filter, bias: this.#bias(step.bias), stride, padding, activation };
  }

  #gates(step: Extract<Step, { op: 'squeeze-excite' }>): { reduce: Weights; expand: Weights } {
    return {
      reduce: this.#matrix(step.reduceWeights, step.reduceBias, 'relu'),
      expand: this.#matrix(step.expandWeights, step.expandBias, 'hard-sigmoid'),
    };
  }

  /** A fully connected layer is a 1×1 convolution of a 1×1 map. */
  #matrix(weights: string, bias: string, activation: Activation): Weights {
    const [ins, outs] = this.#parameters.get(weights)!.shape;
    const filter = this.#tensor4D(weights, [1, 1, ins, outs]);
    return { kind: 'conv', filter, bias: this.#bias(bias), stride: 1, padding: NO_PADDING, activation };
  }

  #tensor4D(name: string, shape: [number, number, number, number]): tf.Tensor4D {
    return tf.reshape<tf.Rank.R4>(this.#tensors.get(name)!, shape);
  }

  #bias(name: string): tf.Tensor1D {
    return tf.reshape<tf.Rank.R1>(this.#tensors.get(name)!, [-1]);
  }
}
