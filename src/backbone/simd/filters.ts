/** The weights of a plan's steps, as the kernels' filters. */
import type { Activation } from '../activations.ts';
import type { Backbone } from '../load.ts';
import type * as plan from '../plan.ts';
import type { Filter } from './kernels/filter.ts';
import { NO_PADDING } from './map.ts';

export function filterOf(
  backbone: Backbone,
  step: plan.ConvStep | plan.DepthwiseStep | plan.DenseStep,
): Filter {
  const filter = filterNamed(backbone, step.weights, step.bias, step.activation);
  return step.op === 'dense' ? filter : { ...filter, stride: step.stride, padding: step.padding };
}

/** Both layers of a squeeze-and-excite step. */
export function squeezeExciteFilters(
  backbone: Backbone,
  { reduceWeights, reduceBias, expandWeights, expandBias }: plan.SqueezeExciteStep,
): [reduce: Filter, expand: Filter] {
  return [
    filterNamed(backbone, reduceWeights, reduceBias, 'relu'),
    filterNamed(backbone, expandWeights, expandBias, 'hard-sigmoid'),
  ];
}

/** The 1×1 convolution that changes nothing. */
export function identityFilter(channels: number, padding: plan.Padding): Filter {
  const weights = new Float32Array(channels * channels);
  for (let i = 0; i < channels; i++) weights[i * channels + i] = 1;
  return {
    name: 'identity',
    weights,
    bias: new Float32Array(channels),
    height: 1,
    width: 1,
    inputs: channels,
    outputs: channels,
    stride: 1,
    padding,
    activation: 'none',
  };
}

/** @param weights [inputs, outputs], or those of a convolution. */
function filterNamed(
  { tensors, tensorShapes }: Backbone,
  weights: string,
  bias: string,
  activation: Activation,
): Filter {
  const shape = tensorShapes.get(weights)!;
  const [height, width] = shape.length === 2 ? [1, 1] : shape;
  const outputs = shape.at(-1)!;
  const inputs = shape.length === 3 ? 1 : shape.at(-2)!;
  const values = { weights: tensors.get(weights)!, bias: tensors.get(bias)! };
  const still = { stride: 1, padding: NO_PADDING, activation };
  return { name: `${weights} and ${bias}`, ...values, height, width, inputs, outputs, ...still };
}
