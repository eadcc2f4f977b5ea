/** The operators of graph models that compute a map, and what their attributes and constants mean. */
import { ACTIVATION_TABLE } from '../../../src/backbone/activations.ts';
import type { Padding } from '../../../src/backbone/plan.ts';
import type { GraphNode } from './def.ts';
import { invalid, unsupported } from '../model-error.ts';
import { multiply } from '../products.ts';
import * as symbolic from '../symbolic.ts';
import type { Value } from '../symbolic.ts';
import type { ModelTensor } from '../weights.ts';

/** What a node stands for: a map, a constant, or what no tap needs: arithmetic on shapes, and vectors joined. */
export type Meaning =
  | { readonly kind: 'map'; readonly value: Value }
  | { readonly kind: 'constant'; readonly tensor: ModelTensor }
  | { readonly kind: 'shape' };

/** A node, and what it reads. */
export class Operands {
  readonly node: GraphNode;
  readonly #meanings: ReadonlyMap<string, Meaning>;

  constructor(node: GraphNode, meanings: ReadonlyMap<string, Meaning>) {
    this.node = node;
    this.#meanings = meanings;
  }

  at(index: number): Meaning {
    const meaning = this.#meanings.get(this.node.inputs[index] ?? '');
    if (meaning === undefined) throw invalid(`${describe(this.node)} lacks its input ${index}`);
    return meaning;
  }

  map(index: number): Value {
    const meaning = this.at(index);
    if (meaning.kind !== 'map') throw unsupported(`${describe(this.node)} reads no map`);
    return meaning.value;
  }

  constant(index: number): ModelTensor {
    const meaning = this.at(index);
    if (meaning.kind !== 'constant')
      throw unsupported(`input ${index} of ${describe(this.node)} is no constant`);
    return meaning.tensor;
  }
}

type Operator = (read: Operands) => Value;

/** Activations, as operators of their own and fused into convolutions and fully connected layers. */
const CLIPS = new Map<string, (x: Value) => Value>(
  Object.values(ACTIVATION_TABLE).flatMap(({ clip }) =>
    clip?.graph === undefined ? [] : [[clip.graph, (x: Value) => symbolic.clip(x, clip.low, clip.high)]],
  ),
);

export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries<Operator>({
    ...Object.fromEntries([...CLIPS].map(([op, clip]) => [op, (read: Operands) => clip(read.map(0))])),
    Conv2D: convolution,
    _FusedConv2D: convolution,
    DepthwiseConv2dNative: convolution,
    FusedDepthwiseConv2dNative: convolution,
    MatMul: matMul,
    _FusedMatMul: matMul,
    FusedBatchNorm: batchNorm,
    FusedBatchNormV2: batchNorm,
    FusedBatchNormV3: batchNorm,
    Maximum: bound,
    Minimum: bound,
    BiasAdd: arithmetic,
    Add: arithmetic,
    AddV2: arithmetic,
    Sub: arithmetic,
    Mul: arithmetic,
    RealDiv: arithmetic,
    Mean: mean,
    AvgPool: averagePool,
    Pad: pad,
    Reshape: reshape,
    Squeeze: reshape,
    // Of no use to a code: what follows the softmax stands for the logits.
    Softmax: (read) => read.map(0),
  }),
);

function convolution(read: Operands): Value {
  const { node } = read;
  const depthwise = node.op.includes('Depthwise');
  const [, stride, across] = node.integers('strides');
  const { shape, values } = read.constant(1);
  if (stride === undefined || stride !== across || stride < 1)
    throw unsupported(`'${node.name}' has two strides`);
  if (node.integers('dilations').some((dilation) => dilation !== 1))
    throw unsupported(`'${node.name}' is dilated`);
  if ((node.text('data_format') ?? 'NHWC') !== 'NHWC')
    throw unsupported(`'${node.name}' has its channels first`);
  if (shape.length !== 4 || (depthwise && shape[3] !== 1)) {
    throw unsupported(`the kernel of '${node.name}' is [${shape.join(', ')}]`);
  }
  const padding = node.text('padding') ?? 'VALID';
  const x = read.map(0);
  const input = padding === 'EXPLICIT' ? symbolic.pad(x, explicitPadding(node)) : x;
  const kernel = { shape: depthwise ? shape.slice(0, 3) : shape, values };
  const kind = depthwise ? 'depthwise' : 'conv';
  return fused(read, symbolic.convolve(kind, node.name, input, kernel, stride, padding === 'SAME'));
}

function explicitPadding(node: GraphNode): Padding {
  const sides = node.integers('explicit_paddings');
  if (!areBorders(sides)) throw unsupported(`'${node.name}' is padded by ${sides.join(', ')}`);
  return sidesToPadding(sides);
}

function matMul(read: Operands): Value {
  const { node } = read;
  if (node.flag('transpose_a') || node.flag('transpose_b')) throw unsupported(`'${node.name}' transposes`);
  return fused(read, symbolic.dense(node.name, read.map(0), read.constant(1)));
}

/** What the converter has fused: a bias first, an activation last. */
function fused(read: Operands, linear: Value): Value {
  const { node } = read;
  let value = linear;
  let next = 2;
  for (const op of node.texts('fused_ops')) {
    if (op === 'BiasAdd') value = symbolic.shift(value, read.constant(next++).values);
    else if (op === 'FusedBatchNorm') throw unsupported(`'${node.name}' is fused with a batch norm`);
    else {
      const clip = CLIPS.get(op);
      if (clip === undefined) throw unsupported(`'${node.name}' is fused with '${op.slice(0, 60)}'`);
      value = clip(value);
    }
  }
  return value;
}

function batchNorm(read: Operands): Value {
  const { node } = read;
  if (node.flag('is_training')) throw unsupported(`'${node.name}' is a batch norm in training`);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => read.constant(index).values);
  return symbolic.batchNorm(read.map(0), { gamma, beta, mean, variance }, node.float('epsilon', 1e-4));
}

function arithmetic(read: Operands): Value {
  const { node } = read;
  const [a, b] = [read.at(0), read.at(1)];
  if (a.kind === 'map' && b.kind === 'map') {
    if (node.op === 'Mul') return multiply(node.name, a.value, b.value);
    if (node.op === 'Add' || node.op === 'AddV2') return symbolic.add(node.name, a.value, b.value);
    throw unsupported(`${describe(node)} joins two maps`);
  }
  const [x, constant] = a.kind === 'map' ? [a, b] : [b, a];
  if (x.kind !== 'map' || constant.kind !== 'constant') throw unsupported(`${describe(node)} reads no map`);
  return withConstant(node, x.value, constant.tensor, a.kind !== 'map');
}

/**
 * x and a constant, added, subtracted, multiplied or divided.
 * @param swapped whether the constant comes first.
 */
function withConstant(node: GraphNode, x: Value, constant: ModelTensor, swapped: boolean): Value {
  const numbers = perChannel(constant, x, node);
  const constantly = (value: number): Float64Array => new Float64Array(numbers.length).fill(value);
  const negated = numbers.map((value) => -value);
  switch (node.op) {
    case 'Mul':
      return symbolic.affine(x, numbers, constantly(0));
    case 'RealDiv':
      if (swapped) throw unsupported(`'${node.name}' divides by a map`);
      return symbolic.affine(x, numbers.map((value) => 1 / value), constantly(0)); // prettier-ignore
    case 'Sub':
      return symbolic.affine(x, constantly(swapped ? -1 : 1), swapped ? numbers : negated);
    default:
      return symbolic.affine(x, constantly(1), numbers);
  }
}

/** A constant as one number a channel; it may be one number for all. */
function perChannel({ shape, values }: ModelTensor, x: Value, node: GraphNode): Float64Array {
  // One number for all; of a grey picture, which is made from a colour one, there is but one channel.
  const isGrey = x.root.op === 'input' && x.root.luma !== undefined;
  if (values.length === 1) return new Float64Array(isGrey ? 1 : x.shape.channels).fill(values[0]);
  if (shape.at(-1) !== values.length || values.length !== x.shape.channels) {
    throw unsupported(`${describe(node)} has a constant of shape [${shape.join(', ')}]`);
  }
  return Float64Array.from(values);
}

function bound(read: Operands): Value {
  const { node } = read;
  const [a, b] = [read.at(0), read.at(1)];
  const [x, constant] = a.kind === 'map' ? [a, b] : [b, a];
  if (x.kind !== 'map' || constant.kind !== 'constant' || constant.tensor.values.length !== 1) {
    throw unsupported(`${describe(node)} compares with something other than one number`);
  }
  const [limit] = constant.tensor.values;
  const [low, high] = node.op === 'Maximum' ? [limit, Infinity] : [-Infinity, limit];
  return symbolic.clip(x.value, low, high);
}

function mean(read: Operands): Value {
  const { name } = read.node;
  const axes = Array.from(read.constant(1).values, (axis) => (axis + 4) % 4).sort((a, b) => a - b);
  if (axes.join() !== '1,2') throw unsupported(`'${name}' averages over the axes ${axes.join(', ')}`);
  return symbolic.mean(name, read.map(0));
}

function averagePool(read: Operands): Value {
  const { node } = read;
  const x = read.map(0);
  const [, height, width] = node.integers('ksize');
  const whole = height === x.shape.height && width === x.shape.width && node.text('padding') !== 'SAME';
  if (!whole) throw unsupported(`'${node.name}' averages over less than the whole map`);
  return symbolic.mean(node.name, x);
}

function pad(read: Operands): Value {
  const { values, shape } = read.constant(1);
  const sides = Array.from(values);
  const spatial = shape[0] === 4 && sides.every((side, i) => side === 0 || (i >= 2 && i < 6));
  if (!spatial || !areBorders(sides)) {
    throw unsupported(`'${read.node.name}' pads in another way than around the map`);
  }
  return symbolic.pad(read.map(0), sidesToPadding(sides));
}

function reshape(read: Operands): Value {
  const x = read.map(0);
  if (!symbolic.isPixel(x)) throw unsupported(`${describe(read.node)} reads more than one pixel`);
  return x;
}

/** Two a dimension, none of them larger than a convolution's kernel. */
function areBorders(sides: readonly number[]): boolean {
  return sides.length === 8 && sides.every((side) => side >= 0 && side <= 31);
}

/** Of [batch, batch, top, bottom, left, right, channels, channels]. */
function sidesToPadding([, , top, bottom, left, right]: readonly number[]): Padding {
  return [top, bottom, left, right];
}

export function describe({ name, op }: GraphNode): string {
  return `'${name}' (${op})`;
}
