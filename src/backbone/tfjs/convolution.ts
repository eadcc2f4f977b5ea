/**
 * Convolutions with their activation on TensorFlow.js, in as few passes over the feature map as its WASM kernels
 * allow. ReLU and ReLU6 fuse; the hard activations don't, so their constants are folded into the weights beforehand:
 *
 *   hard-swish(x) = x · clip(x + 3, 0, 6) / 6 = u · clip(u + 3/√6, 0, √6)  with u = x/√6   (three passes, not five)
 *   hard-sigmoid(x) = clip(x + 3, 0, 6) / 6 = clip(x/6 + 1/2, 0, 1)                         (one pass)
 *
 * (Howard et al. 2019, section 5.2, for the hard activations.)
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Activation, fusedByTfjs } from '../activations.ts';
import type { Padding } from '../plan.ts';

/** Weights on the backend, with the activation's constants folded in. */
export interface Convolution {
  readonly kind: 'conv' | 'depthwise';
  /** conv: [kernel height, kernel width, in, out]; depthwise: [kernel height, kernel width, channels, 1]. */
  readonly filter: tf.Tensor4D;
  readonly bias: tf.Tensor1D;
  readonly stride: number;
  readonly padding: Padding;
  readonly activation: Activation;
}

export interface ConvolutionSource {
  readonly kind: 'conv' | 'depthwise';
  readonly weights: Float32Array;
  readonly shape: readonly [number, number, number, number];
  readonly bias: Float32Array;
  readonly stride: number;
  readonly padding: Padding;
  readonly activation: Activation;
}

const SQRT_6 = Math.sqrt(6);

/** The affine map that an activation wants its input to be given in. */
const ACTIVATION_INPUT: Readonly<Record<Activation, { scale: number; shift: number }>> = {
  none: { scale: 1, shift: 0 },
  relu: { scale: 1, shift: 0 },
  relu6: { scale: 1, shift: 0 },
  'hard-swish': { scale: 1 / SQRT_6, shift: 0 },
  'hard-sigmoid': { scale: 1 / 6, shift: 1 / 2 },
};

/** Puts a convolution's weights on the backend. The caller owns its two tensors. */
export function prepareConvolution(source: ConvolutionSource): Convolution {
  const { scale, shift } = ACTIVATION_INPUT[source.activation];
  const { kind, stride, padding, activation } = source;
  return {
    kind,
    stride,
    padding,
    activation,
    filter: tf.tensor4d(source.weights.map((w) => w * scale), [...source.shape]), // prettier-ignore
    bias: tf.tensor1d(source.bias.map((b) => b * scale + shift)),
  };
}

/**
 * @param x [pictures, height, width, channels]; stays the caller's.
 * @param padding other than the convolution's own when x already is padded.
 * @returns a new map, activated. Intermediate maps are the surrounding tidy's.
 */
export function convolve(
  x: tf.Tensor4D,
  convolution: Convolution,
  padding = convolution.padding,
): tf.Tensor4D {
  const [top, bottom, left, right] = padding;
  const { filter, bias, stride, activation } = convolution;
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], [top, bottom], [left, right], [0, 0]]; // prettier-ignore
  const options = { x, filter, bias, strides: stride, activation: fusedByTfjs(activation) };
  const u =
    convolution.kind === 'conv'
      ? tf.fused.conv2d({ ...options, pad })
      : tf.fused.depthwiseConv2d({ ...options, pad: untyped(pad) });
  switch (activation) {
    case 'none':
    case 'relu':
    case 'relu6':
      return u;
    case 'hard-swish':
      return tf.mul(u, tf.clipByValue(tf.add(u, 3 / SQRT_6), 0, SQRT_6));
    case 'hard-sigmoid':
      return tf.clipByValue(u, 0, 1);
  }
}

/** The types of the depthwise convolution forget explicit padding, which it takes as the other does. */
function untyped(pad: tf.backend_util.ExplicitPadding): number {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return pad as unknown as number;
}
