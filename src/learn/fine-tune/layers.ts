/**
 * Each kind of step with its gradient, on the TensorFlow.js backend. Explicit rather than taped: a plan has six kinds of
 * step, and this way what a step keeps for its gradient is known: its input, and its output before the activation (after it
 * for those that fuse).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Convolution } from '../../backbone/tfjs/convolution.ts';
import { HARD_SWISH, HARD_SWISH_GRADIENT } from '../../backbone/tfjs/gradients.ts';
import { type Activation, fusedByTfjs } from '../../backbone/activations.ts';

/** Those of a convolution, with nothing of its activation folded in. */
export type Weights = Convolution;

export interface ConvGradient {
  /** Computed when it is called: the first step of a tail has no use for it. */
  readonly dx: () => tf.Tensor4D;
  readonly dFilter: tf.Tensor4D;
  readonly dBias: tf.Tensor2D;
}

const KERNELS = {
  conv: {
    forward: tf.FusedConv2D,
    dInput: tf.Conv2DBackpropInput,
    dFilter: tf.Conv2DBackpropFilter,
  },
  depthwise: {
    forward: tf.FusedDepthwiseConv2D,
    dInput: tf.DepthwiseConv2dNativeBackpropInput,
    dFilter: tf.DepthwiseConv2dNativeBackpropFilter,
  },
};

function run(name: string, inputs: tf.NamedTensorMap, attributes?: tf.NamedAttrMap): tf.Tensor4D {
  return tf.engine().runKernel<tf.Tensor4D>(name, inputs, attributes);
}

/** @returns the activated output, and what takes the gradient to it back. */
export function convolve(
  x: tf.Tensor4D,
  weights: Weights,
): { y: tf.Tensor4D; backward: (dy: tf.Tensor4D) => ConvGradient } {
  const { kind, filter, bias, stride, activation } = weights;
  const [top, bottom, left, right] = weights.padding;
  const pad = [[0, 0], [top, bottom], [left, right], [0, 0]]; // prettier-ignore
  const geometry = { strides: stride, pad, dilations: 1, dataFormat: 'NHWC' };
  const { forward, dInput, dFilter } = KERNELS[kind];
  const u = run(forward, { x, filter, bias }, { ...geometry, activation: fusedByTfjs(activation) });
  const { y, gradient } = activate(u, activation);
  const backward = (dy: tf.Tensor4D): ConvGradient => {
    const du = tf.tidy(() => gradient(dy));
    return {
      dx: () => run(dInput, { dy: du, filter }, { ...geometry, inputShape: x.shape }),
      dFilter: run(dFilter, { x, dy: du }, { ...geometry, filterShape: filter.shape }),
      dBias: sumToChannels(du),
    };
  };
  return { y, backward };
}

/** @param u the convolution's output, to which ReLUs have been applied already. */
function activate(
  u: tf.Tensor4D,
  activation: Activation,
): { y: tf.Tensor4D; gradient: (dy: tf.Tensor4D) => tf.Tensor4D } {
  switch (activation) {
    case 'none':
      return { y: u, gradient: (dy) => dy };
    case 'relu':
      return { y: u, gradient: (dy) => tf.mul(dy, tf.step(u)) };
    case 'relu6':
      return { y: u, gradient: (dy) => tf.mul(dy, tf.mul(tf.step(u), tf.step(tf.sub(6, u)))) };
    case 'hard-swish':
      return { y: run(HARD_SWISH, { x: u }), gradient: (dy) => run(HARD_SWISH_GRADIENT, { x: u, dy }) };
    case 'hard-sigmoid':
      return {
        y: tf.tidy(() => tf.clipByValue(tf.add(tf.mul(u, 1 / 6), 0.5), 0, 1)),
        gradient: (dy) => tf.mul(tf.mul(dy, 1 / 6), tf.mul(tf.step(tf.add(u, 3)), tf.step(tf.sub(3, u)))),
      };
  }
}

/** Σ over pictures and space: [1, channels]. A product with ones: the backend's own sum over outer axes is slow. */
function sumToChannels(map: tf.Tensor4D): tf.Tensor2D {
  const channels = map.shape[3];
  return tf.tidy(() => {
    const rows = tf.reshape<tf.Rank.R2>(map, [map.size / channels, channels]);
    return tf.matMul(tf.ones<tf.Rank.R2>([1, rows.shape[0]]), rows);
  });
}

/** Mean over space, [pictures, 1, 1, channels]; pooling is the quickest way to it. */
export function spatialMean(x: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = x.shape;
  return height * width === 1 ? x.clone() : tf.avgPool(x, [height, width], 1, 'valid');
}

export interface SqueezeExciteGradient {
  readonly dx: () => tf.Tensor4D;
  readonly reduce: ConvGradient;
  readonly expand: ConvGradient;
}

/** x · expand(reduce(mean(x))). */
export function squeezeExcite(
  x: tf.Tensor4D,
  reduce: Weights,
  expand: Weights,
): { y: tf.Tensor4D; backward: (dy: tf.Tensor4D) => SqueezeExciteGradient } {
  const reduced = convolve(spatialMean(x), reduce);
  const factors = convolve(reduced.y, expand);
  const backward = (dy: tf.Tensor4D): SqueezeExciteGradient => {
    const pixels = x.shape[1] * x.shape[2];
    const dFactors = tf.tidy(() => tf.mul<tf.Tensor4D>(spatialMean(tf.mul(dy, x)), pixels));
    const expand = factors.backward(dFactors);
    const reduce = reduced.backward(expand.dx());
    const dx = (): tf.Tensor4D =>
      tf.tidy(() => tf.add<tf.Tensor4D>(tf.mul(dy, factors.y), tf.div(reduce.dx(), pixels)));
    return { dx, reduce, expand };
  };
  return { y: tf.mul(x, factors.y), backward };
}
