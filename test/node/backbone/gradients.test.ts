import * as tf from '@tensorflow/tfjs-core';
// For its cpu backend, and for the gradients of operations, which tfjs-core alone does not register in Node.
import * as everything from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useWasmBackend } from '../../../src/backbone/tfjs/backend.ts';
import { registerGradients } from '../../../src/backbone/tfjs/gradients.ts';
import { gradientsWasm, tfjsWasm } from './files.ts';
import { between, random, type Random } from './random.ts';

type Shape4D = [number, number, number, number];

interface Layer {
  readonly kind: 'conv' | 'depthwise';
  readonly x: Shape4D;
  readonly filter: Shape4D;
  readonly stride: number;
  readonly pad: [[number, number], [number, number], [number, number], [number, number]];
}

/** The largest difference between two gradients, over the largest element of the reference. */
function relativeError(found: Float32Array, reference: Float32Array): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    difference = Math.max(difference, Math.abs(found[i] - reference[i]));
    size = Math.max(size, Math.abs(reference[i]));
  }
  return difference / size;
}

function values(next: Random, shape: readonly number[]): Float32Array {
  return Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => 2 * next() - 1);
}

function randomLayer(kind: Layer['kind'], next: Random): Layer {
  const [kernelHeight, kernelWidth] = [between(next, 1, 5), between(next, 1, 5)];
  const channels = between(next, 1, 19);
  const pad = (kernel: number): [number, number] => [
    between(next, 0, kernel - 1),
    between(next, 0, kernel - 1),
  ];
  return {
    kind,
    x: [between(next, 1, 3), between(next, 6, 17), between(next, 6, 17), channels],
    filter: [kernelHeight, kernelWidth, channels, kind === 'conv' ? between(next, 1, 19) : 1],
    stride: between(next, 1, 3),
    pad: [[0, 0], pad(kernelHeight), pad(kernelWidth), [0, 0]],
  };
}

function run(layer: Layer, x: tf.Tensor4D, filter: tf.Tensor4D): tf.Tensor4D {
  const convolve = layer.kind === 'conv' ? tf.conv2d : tf.depthwiseConv2d;
  return convolve(x, filter, layer.stride, layer.pad);
}

/** Gradients of Σ layer(x, filter) · direction to x and to the filter on the current backend. */
function gradients(layer: Layer, x: Float32Array, filter: Float32Array, seed: number): Float32Array[] {
  return tf.tidy(() => {
    const loss = (...[xTensor, filterTensor]: tf.Tensor[]): tf.Scalar => {
      const y = run(layer, tf.reshape(xTensor, layer.x), tf.reshape(filterTensor, layer.filter));
      const direction = tf.tensor4d(values(random(seed), y.shape), y.shape);
      return tf.sum(tf.mul(y, direction));
    };
    const xTensor = tf.tensor4d(x, layer.x);
    const filterTensor = tf.tensor4d(filter, layer.filter);
    const grads = tf.grads(loss)([xTensor, filterTensor]);
    return grads.map((grad) => grad.dataSync<'float32'>().slice());
  });
}

const KINDS: readonly Layer['kind'][] = ['conv', 'depthwise'];

describe.each(KINDS)('gradients of %s', (kind) => {
  beforeAll(async () => registerGradients(tfjsWasm(), gradientsWasm()));

  test.each(Array.from({ length: 25 }, (_, seed) => seed))(
    'agree with the cpu backend, shape %i',
    async (seed) => {
      const next = random(seed + 1);
      const layer = randomLayer(kind, next);
      const [x, filter] = [values(next, layer.x), values(next, layer.filter)];
      useWasmBackend();
      const before = tf.memory().numTensors;
      const found = gradients(layer, x, filter, seed);
      expect(tf.memory().numTensors).toBe(before);
      await everything.setBackend('cpu');
      const reference = gradients(layer, x, filter, seed);
      expect(relativeError(found[0], reference[0]), JSON.stringify(layer)).toBeLessThan(1e-4);
      expect(relativeError(found[1], reference[1]), JSON.stringify(layer)).toBeLessThan(1e-4);
    },
  );

  test.each([31, 32, 33])('agree with central differences, shape %i', (seed) => {
    const next = random(seed);
    const layer = randomLayer(kind, next);
    const [x, filter] = [values(next, layer.x), values(next, layer.filter)];
    useWasmBackend();
    const found = gradients(layer, x, filter, seed);
    const loss = (): number =>
      tf.tidy(() => {
        const y = run(
          layer,
          tf.tensor4d(x, layer.x),
          tf.tensor4d(filter, layer.filter),
        ).dataSync<'float32'>();
        const direction = values(random(seed), [y.length]);
        // Summed here in double precision: differences of single-precision sums would drown in rounding.
        return y.reduce((sum, value, i) => sum + value * direction[i], 0);
      });
    for (const [which, variable] of [x, filter].entries()) {
      const size = found[which].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (let sample = 0; sample < 12; sample++) {
        const i = between(next, 0, variable.length - 1);
        const kept = variable[i];
        // The layer is linear in each variable alone, so a large step is exact.
        variable[i] = kept + 1;
        const above = loss();
        variable[i] = kept - 1;
        const numeric = (above - loss()) / 2;
        variable[i] = kept;
        expect(Math.abs(found[which][i] - numeric) / size).toBeLessThan(1e-3);
      }
    }
  });
});
