/**
 * Reads a TensorFlow.js graph model of the MobileNet family into symbolic values: the graph as TensorFlow wrote it, or as
 * its converter optimised it (batch norms folded, biases and activations fused).
 */
import { readGraph, type GraphNode } from './def.ts';
import { describe, Operands, OPERATORS, type Meaning } from './operators.ts';
import type { MakeInput } from '../layers/model.ts';
import { invalid, unsupported } from '../model-error.ts';
import { isPixel, type Value } from '../symbolic.ts';
import { tensorNamed, type ModelTensor } from '../weights.ts';

interface GraphModel {
  /** Name of the node where the picture comes in. */
  readonly input: string;
  /** Maps by the names of their nodes, each after those it is made of. */
  readonly values: ReadonlyMap<string, Value>;
}

const PLAIN_OPS = ['Placeholder', 'Const', 'Identity', 'StopGradient', 'NoOp'];
const SHAPE_OPS = ['Shape', 'StridedSlice', 'Pack', 'Prod', 'ExpandDims', 'ConcatV2', 'Cast'];
const KNOWN = new Set([...PLAIN_OPS, ...SHAPE_OPS, ...OPERATORS.keys()]);

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
  const [input, second] = nodes.filter(({ op }) => op === 'Placeholder');
  if (second !== undefined) throw unsupported(`it has a second input, '${second.name}'`);
  const meanings = new Map<string, Meaning>();
  const values = new Map<string, Value>();
  for (const node of nodes) {
    const meaning = meaningOf(new Operands(node, meanings), weights, makeInput);
    meanings.set(node.name, meaning);
    if (meaning.kind === 'map') values.set(node.name, meaning.value);
  }
  if (input === undefined) throw invalid('it has no input');
  return { input: input.name, values };
}

function meaningOf(read: Operands, weights: ReadonlyMap<string, ModelTensor>, makeInput: MakeInput): Meaning {
  const { node } = read;
  switch (node.op) {
    case 'Const':
      return { kind: 'constant', tensor: tensorNamed(weights, node.name) };
    case 'NoOp':
      return { kind: 'shape' };
    case 'Placeholder':
      return { kind: 'map', value: makeInput(pictureShape(node)) };
    case 'Identity':
    case 'StopGradient':
      return read.at(0);
    default:
      return computed(read);
  }
}

/** Arithmetic on shapes ends in a Reshape, which is the identity wherever plans have one. */
function computed(read: Operands): Meaning {
  const { node } = read;
  const operands = node.inputs.map((_, index) => read.at(index));
  const operator = OPERATORS.get(node.op);
  if (operator === undefined) {
    if (node.op === 'Shape' || !operands.some(isFeatureMap)) return { kind: 'shape' };
    throw unsupported(`${describe(node)} joins or cuts feature maps`);
  }
  return operands[0]?.kind === 'shape' ? operands[0] : { kind: 'map', value: operator(read) };
}

function isFeatureMap(meaning: Meaning): boolean {
  return meaning.kind === 'map' && !isPixel(meaning.value);
}

function pictureShape(node: GraphNode): { height: number; width: number; channels: number } {
  const [, height, width, channels, ...more] = node.shape() ?? [];
  if (channels === undefined || more.length > 0) throw unsupported(`its input '${node.name}' is no picture`);
  return { height, width, channels };
}
