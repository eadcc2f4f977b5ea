/**
 * Reads a TensorFlow.js graph model of the MobileNet family into symbolic values: the graph as TensorFlow wrote it, or as
 * its converter optimised it (batch norms folded, biases and activations fused).
 */
import { readGraph, type GraphNode } from './def.ts';
import {
  explicitPadding,
  FUSED_ACTIVATIONS,
  KNOWN,
  SHAPE_OPS,
  sidesToPadding,
  withConstant,
} from './operators.ts';
import type { MakeInput } from '../layers/model.ts';
import { invalid, unsupported } from '../model-error.ts';
import { multiply } from '../products.ts';
import * as symbolic from '../symbolic.ts';
import type { Value } from '../symbolic.ts';
import type { ModelTensor } from '../weights.ts';

/** What a node stands for: a map, a constant, or what no tap needs: arithmetic on shapes, and vectors joined. */
type Meaning =
  | { readonly kind: 'map'; readonly value: Value }
  | { readonly kind: 'constant'; readonly tensor: ModelTensor }
  | { readonly kind: 'shape' };

export interface GraphModel {
  /** Name of the node where the picture comes in. */
  readonly input: string;
  /** Maps by the names of their nodes, each after those it is made of. */
  readonly values: ReadonlyMap<string, Value>;
}

/** @throws ModelError naming the operators that are not known, all of them. */
export function readGraphModel(
  topology: unknown,
  weights: ReadonlyMap<string, ModelTensor>,
  makeInput: MakeInput,
): GraphModel {
  const nodes = readGraph(topology);
  const unknown = nodes.filter(({ op }) => !KNOWN.has(op)).map(({ name, op }) => `${name} (${op})`);
  if (unknown.length > 0) {
    throw unsupported(`it has operators that plans cannot express: ${unknown.slice(0, 20).join(', ')}`);
  }
  const reader = new GraphReader(weights, makeInput);
  for (const node of nodes) reader.read(node);
  if (reader.input === undefined) throw invalid('it has no input');
  return { input: reader.input, values: reader.maps };
}

class GraphReader {
  readonly maps = new Map<string, Value>();
  input: string | undefined;
  readonly #meanings = new Map<string, Meaning>();
  readonly #weights: ReadonlyMap<string, ModelTensor>;
  readonly #makeInput: MakeInput;

  constructor(weights: ReadonlyMap<string, ModelTensor>, makeInput: MakeInput) {
    this.#weights = weights;
    this.#makeInput = makeInput;
  }

  read(node: GraphNode): void {
    const meaning = this.#meaning(node);
    this.#meanings.set(node.name, meaning);
    if (meaning.kind === 'map') this.maps.set(node.name, meaning.value);
  }

  #meaning(node: GraphNode): Meaning {
    switch (node.op) {
      case 'Const':
        return { kind: 'constant', tensor: this.#weight(node.name) };
      case 'NoOp':
        return { kind: 'shape' };
      case 'Placeholder':
        return map(this.#placeholder(node));
      case 'Identity':
      case 'StopGradient':
        return this.#argument(node, 0);
      default:
        return this.#isAside(node) ? { kind: 'shape' } : map(this.#compute(node));
    }
  }

  /** Arithmetic on shapes ends in a Reshape, which is the identity wherever plans have one. */
  #isAside(node: GraphNode): boolean {
    const read = node.inputs.map((_, index) => this.#argument(node, index));
    if (!SHAPE_OPS.includes(node.op)) return read[0]?.kind === 'shape';
    if (node.op === 'Shape' || !read.some(isFeatureMap)) return true;
    throw unsupported(`'${node.name}' (${node.op}) joins or cuts feature maps`);
  }

  #compute(node: GraphNode): Value {
    switch (node.op) {
      case 'Conv2D':
      case '_FusedConv2D':
      case 'DepthwiseConv2dNative':
      case 'FusedDepthwiseConv2dNative':
        return this.#convolution(node);
      case 'MatMul':
      case '_FusedMatMul':
        return this.#matMul(node);
      case 'FusedBatchNorm':
      case 'FusedBatchNormV2':
      case 'FusedBatchNormV3':
        return this.#batchNorm(node);
      case 'Relu':
        return symbolic.clip(this.#map(node, 0), 0, Infinity);
      case 'Relu6':
        return symbolic.clip(this.#map(node, 0), 0, 6);
      case 'Maximum':
      case 'Minimum':
        return this.#bound(node);
      case 'BiasAdd':
      case 'Add':
      case 'AddV2':
      case 'Sub':
      case 'Mul':
      case 'RealDiv':
        return this.#arithmetic(node);
      case 'Mean':
        return this.#mean(node);
      case 'AvgPool':
        return this.#averagePool(node);
      case 'Pad':
        return this.#pad(node);
      case 'Reshape':
      case 'Squeeze':
        return this.#reshape(node);
      // Of no use to a code: what follows the softmax stands for the logits.
      case 'Softmax':
        return this.#map(node, 0);
      default:
        throw unsupported(`it has an operator that plans cannot express: ${node.name} (${node.op})`);
    }
  }

  #placeholder(node: GraphNode): Value {
    if (this.input !== undefined) throw unsupported(`it has a second input, '${node.name}'`);
    const [, height, width, channels, ...more] = node.shape() ?? [];
    if (channels === undefined || more.length > 0)
      throw unsupported(`its input '${node.name}' is no picture`);
    this.input = node.name;
    return this.#makeInput({ height, width, channels });
  }

  #convolution(node: GraphNode): Value {
    const depthwise = node.op.includes('Depthwise');
    const [, stride, across] = node.integers('strides');
    const { shape, values } = this.#constant(node, 1);
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
    const input =
      padding === 'EXPLICIT' ? symbolic.pad(this.#map(node, 0), explicitPadding(node)) : this.#map(node, 0);
    const kernel = { shape: depthwise ? shape.slice(0, 3) : shape, values };
    const kind = depthwise ? 'depthwise' : 'conv';
    const linear = symbolic.convolve(kind, node.name, input, kernel, stride, padding === 'SAME');
    return this.#fused(node, linear);
  }

  #matMul(node: GraphNode): Value {
    if (node.flag('transpose_a') || node.flag('transpose_b')) throw unsupported(`'${node.name}' transposes`);
    return this.#fused(node, symbolic.dense(node.name, this.#map(node, 0), this.#constant(node, 1)));
  }

  /** What the converter has fused: a bias first, an activation last. */
  #fused(node: GraphNode, linear: Value): Value {
    let value = linear;
    let next = 2;
    for (const op of node.texts('fused_ops')) {
      if (op === 'BiasAdd') value = symbolic.shift(value, this.#constant(node, next++).values);
      else if (op === 'FusedBatchNorm') throw unsupported(`'${node.name}' is fused with a batch norm`);
      else {
        const clip = FUSED_ACTIVATIONS.get(op);
        if (clip === undefined) throw unsupported(`'${node.name}' is fused with '${op.slice(0, 60)}'`);
        value = symbolic.clip(value, clip.low, clip.high);
      }
    }
    return value;
  }

  #batchNorm(node: GraphNode): Value {
    if (node.flag('is_training')) throw unsupported(`'${node.name}' is a batch norm in training`);
    const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => this.#constant(node, index).values);
    return symbolic.batchNorm(
      this.#map(node, 0),
      { gamma, beta, mean, variance },
      node.float('epsilon', 1e-4),
    );
  }

  #arithmetic(node: GraphNode): Value {
    const [a, b] = [this.#argument(node, 0), this.#argument(node, 1)];
    if (a.kind === 'map' && b.kind === 'map') {
      if (node.op === 'Mul') return multiply(node.name, a.value, b.value);
      if (node.op === 'Add' || node.op === 'AddV2') return symbolic.add(node.name, a.value, b.value);
      throw unsupported(`'${node.name}' (${node.op}) joins two maps`);
    }
    const [x, constant] = a.kind === 'map' ? [a, b] : [b, a];
    if (x.kind !== 'map' || constant.kind !== 'constant')
      throw unsupported(`'${node.name}' (${node.op}) reads no map`);
    return withConstant(node, x.value, constant.tensor, a.kind !== 'map');
  }

  #bound(node: GraphNode): Value {
    const [a, b] = [this.#argument(node, 0), this.#argument(node, 1)];
    const [x, constant] = a.kind === 'map' ? [a, b] : [b, a];
    if (x.kind !== 'map' || constant.kind !== 'constant' || constant.tensor.values.length !== 1) {
      throw unsupported(`'${node.name}' (${node.op}) compares with something other than one number`);
    }
    const [limit] = constant.tensor.values;
    return node.op === 'Maximum'
      ? symbolic.clip(x.value, limit, Infinity)
      : symbolic.clip(x.value, -Infinity, limit);
  }

  #mean(node: GraphNode): Value {
    const axes = Array.from(this.#constant(node, 1).values, (axis) => (axis + 4) % 4).sort((a, b) => a - b);
    if (axes.join() !== '1,2') throw unsupported(`'${node.name}' averages over the axes ${axes.join(', ')}`);
    return symbolic.mean(node.name, this.#map(node, 0));
  }

  #averagePool(node: GraphNode): Value {
    const x = this.#map(node, 0);
    const [, height, width] = node.integers('ksize');
    const whole = height === x.shape.height && width === x.shape.width && node.text('padding') !== 'SAME';
    if (!whole) throw unsupported(`'${node.name}' averages over less than the whole map`);
    return symbolic.mean(node.name, x);
  }

  #pad(node: GraphNode): Value {
    const { values, shape } = this.#constant(node, 1);
    const sides = Array.from(values);
    const spatial = shape[0] === 4 && sides.every((side, i) => side === 0 || (i >= 2 && i < 6));
    if (!spatial || sides.length !== 8 || sides.some((side) => side < 0 || side > 31)) {
      throw unsupported(`'${node.name}' pads in another way than around the map`);
    }
    return symbolic.pad(this.#map(node, 0), sidesToPadding(sides));
  }

  #reshape(node: GraphNode): Value {
    const x = this.#map(node, 0);
    if (!symbolic.isPixel(x)) throw unsupported(`'${node.name}' (${node.op}) reads more than one pixel`);
    return x;
  }

  #argument(node: GraphNode, index: number): Meaning {
    const input = node.inputs[index];
    const meaning = input === undefined ? undefined : this.#meanings.get(input);
    if (meaning === undefined) throw invalid(`'${node.name}' (${node.op}) lacks its input ${index}`);
    return meaning;
  }

  #map(node: GraphNode, index: number): Value {
    const meaning = this.#argument(node, index);
    if (meaning.kind !== 'map') throw unsupported(`'${node.name}' (${node.op}) reads no map`);
    return meaning.value;
  }

  #constant(node: GraphNode, index: number): ModelTensor {
    const meaning = this.#argument(node, index);
    if (meaning.kind !== 'constant')
      throw unsupported(`input ${index} of '${node.name}' (${node.op}) is no constant`);
    return meaning.tensor;
  }

  #weight(name: string): ModelTensor {
    const tensor = this.#weights.get(name);
    if (tensor === undefined) throw invalid(`the manifest has no weight '${name}'`);
    return tensor;
  }
}

function isFeatureMap(meaning: Meaning): boolean {
  return meaning.kind === 'map' && !symbolic.isPixel(meaning.value);
}

function map(value: Value): Meaning {
  return { kind: 'map', value };
}
