/** The operators of graph models that are known, and what their attributes and constants mean. */
import { ACTIVATION_TABLE } from '../../../src/backbone/activations.ts';
import type { Padding } from '../../../src/backbone/plan.ts';
import type { GraphNode } from './def.ts';
import { unsupported } from '../model-error.ts';
import { affine, type Value } from '../symbolic.ts';
import type { ModelTensor } from '../weights.ts';

/** What convolutions and fully connected layers may be fused with. */
export const FUSED_ACTIVATIONS: ReadonlyMap<string, { readonly low: number; readonly high: number }> =
  new Map(
    Object.values(ACTIVATION_TABLE).flatMap(({ clip }) =>
      clip?.graph === undefined ? [] : [[clip.graph, clip]],
    ),
  );

export const SHAPE_OPS = ['Shape', 'StridedSlice', 'Pack', 'Prod', 'ExpandDims', 'ConcatV2', 'Cast'];
// prettier-ignore
export const KNOWN = new Set([
  ...SHAPE_OPS,
  'Placeholder', 'Const', 'Identity', 'StopGradient', 'NoOp', 'Conv2D', '_FusedConv2D', 'DepthwiseConv2dNative',
  'FusedDepthwiseConv2dNative', 'FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3', 'BiasAdd', 'Relu', 'Relu6',
  'Add', 'AddV2', 'Sub', 'Mul', 'RealDiv', 'Maximum', 'Minimum', 'Mean', 'AvgPool', 'Pad', 'Reshape', 'Squeeze',
  'MatMul', '_FusedMatMul', 'Softmax',
]);

/**
 * x and a constant, added, subtracted, multiplied or divided.
 * @param swapped whether the constant comes first.
 */
export function withConstant(node: GraphNode, x: Value, constant: ModelTensor, swapped: boolean): Value {
  const numbers = perChannel(constant, x, node);
  const constantly = (value: number): Float64Array => new Float64Array(numbers.length).fill(value);
  const negated = numbers.map((value) => -value);
  switch (node.op) {
    case 'Mul':
      return affine(x, numbers, constantly(0));
    case 'RealDiv':
      if (swapped) throw unsupported(`'${node.name}' divides by a map`);
      return affine(x, numbers.map((value) => 1 / value), constantly(0)); // prettier-ignore
    case 'Sub':
      return swapped ? affine(x, constantly(-1), numbers) : affine(x, constantly(1), negated);
    default:
      return affine(x, constantly(1), numbers);
  }
}

/** A constant as one number a channel; it may be one number for all. */
function perChannel({ shape, values }: ModelTensor, x: Value, node: GraphNode): Float64Array {
  // One number for all; of a grey picture, which is made from a colour one, there is but one channel.
  const isGrey = x.root.op === 'input' && x.root.luma !== undefined;
  if (values.length === 1) return new Float64Array(isGrey ? 1 : x.shape.channels).fill(values[0]);
  if (shape.at(-1) !== values.length || values.length !== x.shape.channels) {
    throw unsupported(`'${node.name}' (${node.op}) has a constant of shape [${shape.join(', ')}]`);
  }
  return Float64Array.from(values);
}

export function explicitPadding(node: GraphNode): Padding {
  const sides = node.integers('explicit_paddings');
  if (sides.length !== 8 || sides.some((side) => side < 0 || side > 31)) {
    throw unsupported(`'${node.name}' is padded by ${sides.join(', ')}`);
  }
  return sidesToPadding(sides);
}

/** Of [batch, batch, top, bottom, left, right, channels, channels]. */
export function sidesToPadding([, , top, bottom, left, right]: readonly number[]): Padding {
  return [top, bottom, left, right];
}
