/**
 * The trainable part of a backbone, from one feature map on: runs forward to the taps' spatial means and backward from
 * their gradients to the gradients of all weights.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Cut } from '../../backbone/cut.ts';
import type { Activation, Padding, Step } from '../../backbone/plan.ts';
import { convolve, spatialMean, squeezeExcite, type ConvGradient, type Weights } from './layers.ts';
import { addTensor, type Parameter } from './parameters.ts';

/** A step that has been run. */
interface Ran {
  readonly y: tf.Tensor4D;
  /** From the gradient to y to those to the maps that the step read, by name; adds those of its weights up. */
  readonly backward: (dy: tf.Tensor4D, gradient: Float32Array) => [string, tf.Tensor4D][];
}

interface Pass {
  readonly steps: ReadonlyMap<string, Ran>;
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
    const steps = new Map<string, Ran>();
    for (const step of this.#cut.tailSteps) {
      const ran = this.#run(step, maps);
      maps.set(step.name, ran.y);
      steps.set(step.name, ran);
    }
    return { maps, steps };
  }

  #run(step: Step, maps: ReadonlyMap<string, tf.Tensor4D>): Ran {
    const x = maps.get(step.input)!;
    const toInput = (dx: () => tf.Tensor4D): [string, tf.Tensor4D][] =>
      step.input === this.#cut.from ? [] : [[step.input, dx()]];
    switch (step.op) {
      case 'conv':
      case 'depthwise':
      case 'dense': {
        const { y, backward } = convolve(x, this.#weights(step));
        return {
          y,
          backward: (dy, gradient) => {
            const result = backward(dy);
            this.#add(gradient, step.weights, step.bias, result);
            return toInput(result.dx);
          },
        };
      }
      case 'squeeze-excite': {
        const { y, backward } = squeezeExcite(x, ...this.#gates(step));
        return {
          y,
          backward: (dy, gradient) => {
            const { dx, reduce, expand } = backward(dy);
            this.#add(gradient, step.reduceWeights, step.reduceBias, reduce);
            this.#add(gradient, step.expandWeights, step.expandBias, expand);
            return toInput(dx);
          },
        };
      }
      case 'add': {
        const names = [step.input, step.other].filter((name) => name !== this.#cut.from);
        return {
          y: tf.add(x, maps.get(step.other)!),
          backward: (dy) => names.map((name) => [name, dy.clone()]),
        };
      }
      case 'mean':
        return { y: spatialMean(x), backward: (dy) => toInput(() => spread(dy, x.shape)) };
    }
  }

  #codes({ maps }: Pass): tf.Tensor2D {
    const means = this.#cut.tailTaps.map(({ step, channels }) =>
      tf.reshape<tf.Rank.R2>(spatialMean(maps.get(step)!), [-1, channels]),
    );
    return means.length === 1 ? means[0] : tf.concat2d(means, 1);
  }

  #backward({ maps, steps }: Pass, dCodes: tf.Tensor2D, gradient: Float32Array): void {
    const gradients = this.#tapGradients(maps, dCodes);
    for (const step of this.#cut.tailSteps.toReversed()) {
      const dy = gradients.get(step.name);
      // Steps behind the last tap have no part in the loss.
      if (dy === undefined) continue;
      const inputs = tf.tidy(() => steps.get(step.name)!.backward(dy, gradient));
      dy.dispose();
      gradients.delete(step.name);
      for (const [name, dx] of inputs) {
        const before = gradients.get(name);
        gradients.set(name, before === undefined ? dx : tf.add(before, dx));
        if (before !== undefined) tf.dispose([before, dx]);
      }
    }
  }

  /** Gradient of the loss to each tapped map. */
  #tapGradients(maps: ReadonlyMap<string, tf.Tensor4D>, dCodes: tf.Tensor2D): Map<string, tf.Tensor4D> {
    const gradients = new Map<string, tf.Tensor4D>();
    const sizes = this.#cut.tailTaps.map((tap) => tap.channels);
    const parts = tf.split(dCodes, sizes, 1);
    for (const [i, { step, channels }] of this.#cut.tailTaps.entries()) {
      const { shape } = maps.get(step)!;
      gradients.set(step, spread(tf.reshape(parts[i], [shape[0], 1, 1, channels]), shape));
    }
    return gradients;
  }

  #add(gradient: Float32Array, weights: string, bias: string, { dFilter, dBias }: ConvGradient): void {
    addTensor(gradient, dFilter, this.#parameters.get(weights)!.offset);
    addTensor(gradient, dBias, this.#parameters.get(bias)!.offset);
  }

  #weights(step: Extract<Step, { op: 'conv' | 'depthwise' | 'dense' }>): Weights {
    if (step.op === 'dense') return this.#matrix(step.weights, step.bias, step.activation);
    const { stride, padding, activation } = step;
    const [height, width, third, fourth = 1] = this.#parameters.get(step.weights)!.shape;
    const filter = this.#tensor4D(step.weights, [height, width, third, fourth]);
    return { kind: step.op, filter, bias: this.#bias(step.bias), stride, padding, activation };
  }

  #gates(step: Extract<Step, { op: 'squeeze-excite' }>): [reduce: Weights, expand: Weights] {
    return [
      this.#matrix(step.reduceWeights, step.reduceBias, 'relu'),
      this.#matrix(step.expandWeights, step.expandBias, 'hard-sigmoid'),
    ];
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

/** The gradient to a map from that to its mean over space, in which every pixel has the same share. */
function spread(dMean: tf.Tensor4D, shape: [number, number, number, number]): tf.Tensor4D {
  return tf.add(tf.zeros<tf.Rank.R4>(shape), tf.div(dMean, shape[1] * shape[2]));
}
