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
import { inSinglePrecision } from '../../safetensors.ts';
import type { Backbone } from '../load.ts';
import type { Padding, Step } from '../plan.ts';
import { filterOf, squeezeExciteFilters } from '../simd/filters.ts';
import type { Filter } from '../simd/kernels/filter.ts';

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

const SQRT_6 = Math.sqrt(6);

/** The affine map that an activation wants its input to be given in. */
const ACTIVATION_INPUT: Readonly<Record<Activation, { scale: number; shift: number }>> = {
  none: { scale: 1, shift: 0 },
  relu: { scale: 1, shift: 0 },
  relu6: { scale: 1, shift: 0 },
  'hard-swish': { scale: 1 / SQRT_6, shift: 0 },
  'hard-sigmoid': { scale: 1 / 6, shift: 1 / 2 },
};

/** Puts a step's convolutions on the backend: one, of squeeze-and-excite both, else none. The caller owns their tensors. */
export function prepareConvolutions(step: Step, backbone: Backbone): Convolution[] {
  switch (step.op) {
    case 'conv':
    case 'dense':
      return [prepare(filterOf(backbone, step), 'conv')];
    case 'depthwise':
      return [prepare(filterOf(backbone, step), 'depthwise')];
    case 'squeeze-excite':
      return squeezeExciteFilters(backbone, step).map((filter) => prepare(filter, 'conv'));
    case 'add':
    case 'mean':
      return [];
  }
}

function prepare(
  { weights, bias, height, width, inputs, outputs, stride, padding, activation }: Filter,
  kind: Convolution['kind'],
): Convolution {
  const { scale, shift } = ACTIVATION_INPUT[activation];
  const scaled = inSinglePrecision(weights).map((w) => w * scale);
  const channels = kind === 'conv' ? ([inputs, outputs] as const) : ([outputs, 1] as const);
  return {
    kind,
    stride,
    padding,
    activation,
    filter: tf.tensor4d(scaled, [height, width, ...channels]),
    bias: tf.tensor1d(inSinglePrecision(bias).map((b) => b * scale + shift)),
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
