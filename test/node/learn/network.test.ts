// For its cpu backend, and for the gradients of operations, which tfjs-core alone does not register in Node.
import * as everything from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cutAt, type Activation, type Backbone, type Cut } from '../../../src/backbone/index.ts';
import { useWasmBackend } from '../../../src/backbone/tfjs/backend.ts';
import { registerGradients } from '../../../src/backbone/tfjs/gradients.ts';
import { TrainableNetwork } from '../../../src/learn/fine-tune/network.ts';
import { gather, layOut, type Parameter } from '../../../src/learn/fine-tune/parameters.ts';
import { randomFor } from '../../../src/random.ts';
import { mobileNet, gradientsWasm, tfjsWasm } from '../backbone/files.ts';
import { smallBackbone } from './small-backbone.ts';

beforeAll(async () => registerGradients(tfjsWasm(), gradientsWasm()));

describe('the gradients of a trainable network', () => {
  test.each([1, 2, 3, 4])(
    'are those of automatic differentiation on the cpu backend, backbone %i',
    async (seed) => {
      const backbone = smallBackbone(seed);
      const cut = cutAt(backbone.plan, 'stem');
      const parameters = layOut(cut.tailSteps, backbone);
      const values = gather(parameters, backbone);
      const random = randomFor(seed, 8);
      const { height, width, channels } = backbone.shapes.get('stem')!;
      const shape: [number, number, number, number] = [3, height, width, channels];
      const input = Float32Array.from({ length: 3 * height * width * channels }, () => 2 * random() - 1);
      const direction = Float32Array.from({ length: 3 * 22 }, () => 2 * random() - 1);
      useWasmBackend();
      const network = new TrainableNetwork(cut, parameters);
      network.load(values);
      const found = new Float32Array(values.length);
      const map = tf.tensor4d(input, shape);
      network.accumulate(map, () => tf.tensor2d(direction, [3, 22]), found);
      map.dispose();
      network.dispose();

      await everything.setBackend('cpu');
      const reference = tf.tidy(() => {
        const variables = parameters.map(({ offset, length, shape }) =>
          tf.tensor(values.slice(offset, offset + length), [...shape]),
        );
        const loss = (...tensors: tf.Tensor[]): tf.Scalar => {
          const byName = new Map(parameters.map(({ name }, i) => [name, tensors[i]]));
          return tf.sum(
            tf.mul(taped(cut, tf.tensor4d(input, shape), byName), tf.tensor2d(direction, [3, 22])),
          );
        };
        return tf
          .grads(loss)(variables)
          .flatMap((grad) => [...grad.dataSync<'float32'>()]);
      });
      for (const { name, offset, length } of parameters) {
        const expected = Float32Array.from(reference.slice(offset, offset + length));
        const off = expected.map((slope, i) => slope - found[offset + i]);
        expect(norm(off) / norm(expected), name).toBeLessThan(1e-4);
      }
    },
  );
});

/** The loss and its gradient at some parameters: the sum of the codes times `direction`, in double precision. */
function slopes(
  cut: Cut,
  parameters: readonly Parameter[],
  input: tf.Tensor4D,
  direction: Float32Array,
): (values: Float32Array) => { loss: number; gradient: Float32Array } {
  const network = new TrainableNetwork(cut, parameters);
  onTestFinished(() => network.dispose());
  return (values) => {
    const gradient = new Float32Array(values.length);
    let loss = 0;
    network.load(values);
    network.accumulate(
      input,
      (codes) => {
        loss = codes.dataSync<'float32'>().reduce((sum, value, i) => sum + value * direction[i], 0);
        return tf.tensor2d(direction, codes.shape);
      },
      gradient,
    );
    return { loss, gradient };
  };
}

/** The likeliest first. */
const STEPS = [3e-4, 1e-3, 1e-4, 3e-3, 3e-5, 1e-2, 1e-5];
const CLOSE = 1e-3;

function prepare(
  backbone: Backbone,
  from: string,
  seed: number,
): {
  parameters: readonly Parameter[];
  values: Float32Array;
  at: ReturnType<typeof slopes>;
} {
  useWasmBackend();
  const random = randomFor(seed, 9);
  const uniform = (length: number): Float32Array => Float32Array.from({ length }, () => 2 * random() - 1);
  const cut = cutAt(backbone.plan, from);
  const parameters = layOut(cut.tailSteps, backbone);
  const { height, width, channels } = backbone.shapes.get(from)!;
  const input = tf.tensor4d(uniform(height * width * channels), [1, height, width, channels]);
  onTestFinished(() => input.dispose());
  const direction = uniform(cut.tailTaps.reduce((sum, tap) => sum + tap.channels, 0));
  return {
    parameters,
    values: gather(parameters, backbone),
    at: slopes(cut, parameters, input, direction),
  };
}

/**
 * How far the loss's slope along the gradient of some parameters is from what differences of the loss say, at the step
 * that shows it best: large ones cross the kinks of activations, small ones drown in rounding.
 */
function error({ values, at }: ReturnType<typeof prepare>, chosen: readonly Parameter[]): number {
  const { gradient } = at(values);
  const along = new Float32Array(values.length);
  for (const { offset, length } of chosen) along.set(gradient.subarray(offset, offset + length), offset);
  const size = norm(along);
  const moved = (by: number): Float32Array => values.map((value, i) => value + (by * along[i]) / size);
  let least = Infinity;
  for (const step of STEPS) {
    const [above, below] = [moved(step), moved(-step)];
    // What single precision made of the step counts, not what it should have been.
    const expected = gradient.reduce((sum, slope, i) => sum + slope * (above[i] - below[i]), 0);
    const found = at(above).loss - at(below).loss;
    least = Math.min(least, Math.abs(found - expected) / Math.abs(expected));
    if (least < CLOSE) break;
  }
  return least;
}

describe('central differences over a whole network', () => {
  test.each([1, 2, 3])('agree for each tensor of a small one, backbone %i', (seed) => {
    const network = prepare(smallBackbone(seed), 'stem', seed);
    for (const parameter of network.parameters) {
      expect(error(network, [parameter]), parameter.name).toBeLessThan(CLOSE);
    }
  });

  test('agree for all tensors together of the one that fine-tune trains', () => {
    const network = prepare(mobileNet(), 'b3.project', 1);
    expect(error(network, network.parameters)).toBeLessThan(CLOSE);
  });
});

/** The tail in TensorFlow.js's own differentiable operations, to the joined means of its taps. */
function taped(cut: Cut, input: tf.Tensor4D, tensors: ReadonlyMap<string, tf.Tensor>): tf.Tensor {
  const maps = new Map<string, tf.Tensor4D>([[cut.from, input]]);
  const dense = (x: tf.Tensor, weights: string, bias: string): tf.Tensor =>
    tf.add(tf.matMul(tf.reshape(x, [x.shape[0], -1]), tensors.get(weights)!), tensors.get(bias)!);
  for (const step of cut.tailSteps) {
    const x = maps.get(step.input)!;
    if (step.op === 'conv' || step.op === 'depthwise') {
      const weights = tensors.get(step.weights)!;
      const filter = tf.reshape<tf.Rank.R4>(weights, [
        weights.shape[0],
        weights.shape[1] ?? 1,
        x.shape[3],
        -1,
      ]);
      const [top, bottom, left, right] = step.padding;
      const pad: tf.backend_util.ExplicitPadding = [[0, 0], [top, bottom], [left, right], [0, 0]]; // prettier-ignore
      const convolve = step.op === 'conv' ? tf.conv2d : tf.depthwiseConv2d;
      const u = tf.add(convolve(x, filter, step.stride, pad), tensors.get(step.bias)!);
      maps.set(
        step.name,
        tf.reshape<tf.Rank.R4>(activated(u, step.activation), [
          u.shape[0],
          u.shape[1] ?? 1,
          u.shape[2] ?? 1,
          -1,
        ]),
      );
    } else if (step.op === 'squeeze-excite') {
      const reduced = tf.relu(dense(tf.mean(x, [1, 2]), step.reduceWeights, step.reduceBias));
      const factors = activated(dense(reduced, step.expandWeights, step.expandBias), 'hard-sigmoid');
      maps.set(step.name, tf.mul(x, tf.reshape(factors, [x.shape[0], 1, 1, -1])));
    } else if (step.op === 'add') {
      maps.set(step.name, tf.add(x, maps.get(step.other)!));
    }
  }
  return tf.concat(cut.tailTaps.map(({ step }) => tf.mean(maps.get(step)!, [1, 2])), 1); // prettier-ignore
}

function activated(u: tf.Tensor, activation: Activation): tf.Tensor {
  const gate = (): tf.Tensor => tf.div(tf.clipByValue(tf.add(u, 3), 0, 6), 6);
  switch (activation) {
    case 'none':
      return u;
    case 'relu':
      return tf.relu(u);
    case 'relu6':
      return tf.clipByValue(u, 0, 6);
    case 'hard-swish':
      return tf.mul(u, gate());
    case 'hard-sigmoid':
      return gate();
  }
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
