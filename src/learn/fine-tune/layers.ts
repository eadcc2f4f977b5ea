/**
 * Each kind of step with its gradient, on the TensorFlow.js backend. Explicit rather than taped: a plan has six kinds of
 * step, and this way what a step keeps for its gradient is known and freed as soon as that has been taken.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Convolution } from '../../backbone/tfjs/convolution.ts';
import { HARD_SWISH, HARD_SWISH_GRADIENT } from '../../backbone/tfjs/gradients.ts';
import { type Activation, fusedByTfjs } from '../../backbone/activations.ts';

/** Those of a convolution, with nothing of its activation folded in. */
export type Weights = Convolution;

/** What a convolution's gradient needs: its input, and its output before (hard) or after (ReLU) the activation. */
export interface ConvTrace {
  readonly x: tf.Tensor4D;
  readonly output: tf.Tensor4D;
}

export interface ConvGradient {
  /** Absent where it is not needed. */
  readonly dx: tf.Tensor4D | undefined;
  readonly dFilter: tf.Tensor4D;
  readonly dBias: tf.Tensor2D;
}

type ExplicitPadding = [[number, number], [number, number], [number, number], [number, number]];

/** @returns the activated output and what the gradient needs. `trace.output` is `y` itself except for hard activations. */
export function convForward(x: tf.Tensor4D, weights: Weights): { y: tf.Tensor4D; trace: ConvTrace } {
  const { kind, filter, bias, activation } = weights;
  const name = kind === 'conv' ? tf.FusedConv2D : tf.FusedDepthwiseConv2D;
  const attributes = { ...geometry(weights), dataFormat: 'NHWC', activation: fusedByTfjs(activation) };
  const output = tf.engine().runKernel<tf.Tensor4D>(name, { x, filter, bias }, attributes);
  return { y: activate(output, activation), trace: { x, output } };
}

function activate(u: tf.Tensor4D, activation: Activation): tf.Tensor4D {
  switch (activation) {
    case 'none':
    case 'relu':
    case 'relu6':
      return u;
    case 'hard-swish':
      return tf.engine().runKernel<tf.Tensor4D>(HARD_SWISH, { x: u });
    case 'hard-sigmoid':
      return tf.tidy(() => tf.clipByValue(tf.add(tf.mul(u, 1 / 6), 0.5), 0, 1));
  }
}

/** @param dy gradient to the activated output. */
export function convBackward(
  dy: tf.Tensor4D,
  trace: ConvTrace,
  weights: Weights,
  wantsInput: boolean,
): ConvGradient {
  const { kind, filter } = weights;
  const depthwise = kind === 'depthwise';
  const shared = { ...geometry(weights), dataFormat: 'NHWC' };
  const { x } = trace;
  const du = activationGradient(dy, trace.output, weights.activation);
  const dFilter = tf
    .engine()
    .runKernel<tf.Tensor4D>(
      depthwise ? tf.DepthwiseConv2dNativeBackpropFilter : tf.Conv2DBackpropFilter,
      { x, dy: du },
      { ...shared, filterShape: filter.shape },
    );
  const dx = wantsInput
    ? tf
        .engine()
        .runKernel<tf.Tensor4D>(
          depthwise ? tf.DepthwiseConv2dNativeBackpropInput : tf.Conv2DBackpropInput,
          { dy: du, filter },
          { ...shared, inputShape: x.shape },
        )
    : undefined;
  return { dx, dFilter, dBias: sumToChannels(du) };
}

function geometry({ stride, padding }: Weights): {
  strides: number;
  pad: ExplicitPadding;
  dilations: number;
} {
  const [top, bottom, left, right] = padding;
  return { strides: stride, pad: [[0, 0], [top, bottom], [left, right], [0, 0]], dilations: 1 }; // prettier-ignore
}

function activationGradient(dy: tf.Tensor4D, output: tf.Tensor4D, activation: Activation): tf.Tensor4D {
  switch (activation) {
    case 'none':
      return dy;
    case 'relu':
      return tf.tidy(() => tf.mul(dy, tf.step(output)));
    case 'relu6':
      return tf.tidy(() => tf.mul(dy, tf.mul(tf.step(output), tf.step(tf.sub(6, output)))));
    case 'hard-swish':
      return tf.engine().runKernel<tf.Tensor4D>(HARD_SWISH_GRADIENT, { x: output, dy });
    case 'hard-sigmoid':
      return tf.tidy(() =>
        tf.mul(tf.mul(dy, 1 / 6), tf.mul(tf.step(tf.add(output, 3)), tf.step(tf.sub(3, output)))),
      );
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

export interface SqueezeExciteTrace {
  readonly x: tf.Tensor4D;
  readonly factors: tf.Tensor4D;
  readonly reduce: ConvTrace;
  readonly expand: ConvTrace;
}

/** x · expand(reduce(mean(x))). */
export function squeezeExciteForward(
  x: tf.Tensor4D,
  reduce: Weights,
  expand: Weights,
): { y: tf.Tensor4D; trace: SqueezeExciteTrace } {
  const reduced = convForward(spatialMean(x), reduce);
  const expanded = convForward(reduced.y, expand);
  const trace = { x, factors: expanded.y, reduce: reduced.trace, expand: expanded.trace };
  return { y: tf.mul(x, expanded.y), trace };
}

export function squeezeExciteBackward(
  dy: tf.Tensor4D,
  trace: SqueezeExciteTrace,
  reduce: Weights,
  expand: Weights,
): { dx: tf.Tensor4D; reduce: ConvGradient; expand: ConvGradient } {
  const { x, factors } = trace;
  const pixels = x.shape[1] * x.shape[2];
  const dFactors = tf.tidy(() => tf.mul<tf.Tensor4D>(spatialMean(tf.mul(dy, x)), pixels));
  const expandGradient = convBackward(dFactors, trace.expand, expand, true);
  const reduceGradient = convBackward(expandGradient.dx!, trace.reduce, reduce, true);
  const dx = tf.tidy(() => tf.add<tf.Tensor4D>(tf.mul(dy, factors), tf.div(reduceGradient.dx!, pixels)));
  return { dx, reduce: reduceGradient, expand: expandGradient };
}
