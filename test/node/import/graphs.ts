/**
 * Graph models made in the tests, with the operators of published MobileNets: batch norms that nobody has folded, hard
 * activations written out, explicit padding, biases added one way or the other.
 */
import type { Attributes, TfjsModel } from '../../../src/export/tfjs-graph-def.ts';
import { TfjsGraph } from '../../../src/export/tfjs-graph-def.ts';
import { readModelFiles } from '../../../trainer/import/model-files.ts';
import type { ModelFiles } from '../../../trainer/import/model-files.ts';
import { random } from '../backbone/random.ts';

const INT32 = { type: 'DT_INT32' };

/** Nodes under names of their own, with random weights. */
export class GraphMaker {
  readonly graph = new TfjsGraph();
  readonly #next: () => number;
  #count = 0;

  constructor(seed: number) {
    this.#next = random(seed);
  }

  op(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.graph.node(op, `${op}_${this.#count++}`, inputs, attributes);
  }

  numbers(shape: readonly number[], low: number, high: number): string {
    const length = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length }, () => low + (high - low) * this.#next());
    return this.graph.constant(`Const_${this.#count++}`, shape, values);
  }

  scalar(value: number): string {
    return this.graph.constant(`Const_${this.#count++}`, [], Float32Array.of(value));
  }

  integers(shape: readonly number[], values: readonly number[]): string {
    return this.graph.constant(`Const_${this.#count++}`, shape, Int32Array.from(values));
  }

  conv(
    input: string,
    [kernel, ins, outs]: readonly number[],
    stride: number,
    padding: string,
    more: Attributes = {},
  ): string {
    const reach = Math.sqrt(3 / (kernel * kernel * ins));
    const weights = this.numbers([kernel, kernel, ins, outs], -reach, reach);
    return this.op('Conv2D', [input, weights], convolution(stride, padding, more));
  }

  depthwise(input: string, [kernel, channels]: readonly number[], stride: number, padding: string): string {
    const weights = this.numbers([kernel, kernel, channels, 1], -1 / kernel, 1.5 / kernel);
    return this.op('DepthwiseConv2dNative', [input, weights], convolution(stride, padding));
  }

  batchNorm(input: string, channels: number, op = 'FusedBatchNormV3'): string {
    const bounds = [[0.8, 1.4], [-0.2, 0.5], [-0.2, 0.2], [0.5, 1.5]]; // prettier-ignore
    const parameters = bounds.map(([low, high]) => this.numbers([channels], low, high));
    const attributes = { epsilon: { float: 1e-3 }, is_training: false, data_format: 'NHWC' };
    return this.op(op, [input, ...parameters], attributes);
  }

  pad(input: string, [top, bottom, left, right]: readonly number[]): string {
    return this.op('Pad', [input, this.integers([4, 2], [0, 0, top, bottom, left, right, 0, 0])], {
      Tpaddings: INT32,
    });
  }

  mean(input: string, keep: boolean): string {
    return this.op('Mean', [input, this.integers([2], [1, 2])], { keep_dims: keep, Tidx: INT32 });
  }

  /** relu6(x + 3) / 6 */
  hardSigmoid(input: string): string {
    const clipped = this.op('Relu6', [this.op('AddV2', [input, this.scalar(3)])]);
    return this.op('Mul', [clipped, this.scalar(Math.fround(1 / 6))]);
  }
}

function convolution(stride: number, padding: string, more: Attributes = {}): Attributes {
  return { strides: [1, stride, stride, 1], padding, dilations: [1, 1, 1, 1], data_format: 'NHWC', ...more };
}

/** V1: the picture scaled inside, 'SAME' throughout, ReLU6; a classifier of one 1×1 convolution, squeezed. */
export function v1(size: number): GraphMaker {
  const g = new GraphMaker(1);
  const input = g.graph.input('input', [-1, size, size, 3]);
  let x = g.op('Sub', [g.op('Mul', [input, g.scalar(2)]), g.scalar(1)]);
  x = g.op('Relu6', [g.batchNorm(g.conv(x, [3, 3, 8], 2, 'SAME'), 8, 'FusedBatchNorm')]);
  let channels = 8;
  for (const [stride, outs] of [
    [1, 16],
    [2, 24],
    [1, 24],
    [2, 32],
  ]) {
    // prettier-ignore
    x = g.op('Relu6', [g.batchNorm(g.depthwise(x, [3, channels], stride, 'SAME'), channels)]);
    x = g.op('Relu6', [g.batchNorm(g.conv(x, [1, channels, outs], 1, 'SAME'), outs)]);
    channels = outs;
  }
  const side = Math.ceil(size / 8);
  const pooled = g.op('AvgPool', [x], {
    ksize: [1, side, side, 1],
    strides: [1, 2, 2, 1],
    padding: 'VALID',
    data_format: 'NHWC',
  });
  const logits = g.op('BiasAdd', [g.conv(pooled, [1, channels, 10], 1, 'SAME'), g.numbers([10], -1, 1)]);
  g.op('Softmax', [g.op('Squeeze', [logits], { squeeze_dims: [1, 2] })]);
  return g;
}

/** V2: padding of its own before strides, residuals, fused convolutions beside plain ones, a fully connected classifier. */
export function v2(size: number): GraphMaker {
  const g = new GraphMaker(2);
  let x = g.graph.input('input', [-1, -1, -1, 3]);
  const fused = (input: string, shape: readonly number[], ops: readonly string[]): string =>
    g.op('_FusedConv2D', [input, g.numbers([1, 1, ...shape], -0.5, 0.5), g.numbers([shape[1]], -0.3, 0.6)], {
      ...convolution(1, 'VALID'),
      fused_ops: ops,
      num_args: 1,
    });
  x = g.op('Relu6', [g.batchNorm(g.conv(g.pad(x, [0, 1, 0, 1]), [3, 3, 8], 2, 'VALID'), 8)]);
  for (const stride of [1, 2, 1]) {
    let y = fused(x, [8, 24], ['BiasAdd', 'Relu6']);
    const padded = stride === 2 ? g.pad(y, [0, 1, 0, 1]) : y;
    y = g.depthwise(padded, [3, 24], stride, stride === 2 ? 'VALID' : 'SAME');
    y = g.op('Minimum', [g.op('Maximum', [g.batchNorm(y, 24), g.scalar(0)]), g.scalar(6)]);
    y = g.op('AddV2', [g.conv(y, [1, 24, 8], 1, 'SAME'), g.numbers([8], -0.3, 0.3)]);
    x = stride === 1 ? g.op('AddV2', [x, y]) : y;
  }
  const pooled = g.mean(fused(x, [8, 40], ['BiasAdd', 'Relu6']), false);
  const shape = g.op('Shape', [pooled]);
  const bound = (value: number): string => g.integers([1], [value]);
  const rows = g.op('StridedSlice', [shape, bound(0), bound(1), bound(1)], { shrink_axis_mask: 1 });
  const flat = g.op('Reshape', [pooled, g.op('Pack', [rows, g.integers([], [40])], { axis: 0, N: 2 })]);
  g.op('Softmax', [
    g.op('BiasAdd', [g.op('MatMul', [flat, g.numbers([40, 7], -0.5, 0.5)]), g.numbers([7], -1, 1)]),
  ]);
  if (size < 8) throw new RangeError('too small');
  return g;
}

/** V3: hard-swish and squeeze-and-excitation written out, 5×5 kernels, explicit padding, a layer after the mean. */
export function v3(size: number): GraphMaker {
  const g = new GraphMaker(3);
  const input = g.graph.input('input', [-1, size, size, 3]);
  let x = g.op('AddV2', [g.op('Mul', [input, g.scalar(1 / 127.5)]), g.scalar(-1)]);
  const explicit = { explicit_paddings: [0, 0, 1, 0, 0, 1, 0, 0] };
  x = g.batchNorm(g.conv(x, [3, 3, 8], 2, 'EXPLICIT', explicit), 8);
  x = g.op('Mul', [x, g.hardSigmoid(x)]);
  for (const stride of [2, 1]) {
    let y = g.batchNorm(g.conv(x, [1, 8, 16], 1, 'SAME'), 16);
    // The other way of writing it: x · relu6(x + 3) first, the sixth afterwards.
    y = g.op('Mul', [g.op('Mul', [y, g.op('Relu6', [g.op('Add', [g.scalar(3), y])])]), g.scalar(1 / 6)]);
    y = g.batchNorm(g.depthwise(y, [5, 16], stride, 'SAME'), 16);
    y = g.op('Mul', [g.hardSigmoid(y), y]);
    const squeezed = g.op('Relu', [
      g.op('BiasAdd', [g.conv(g.mean(y, true), [1, 16, 4], 1, 'SAME'), g.numbers([4], 0, 1)]),
    ]);
    const gate = g.hardSigmoid(
      g.op('BiasAdd', [g.conv(squeezed, [1, 4, 16], 1, 'SAME'), g.numbers([16], -1, 1)]),
    );
    y = g.batchNorm(g.conv(g.op('Mul', [y, gate]), [1, 16, 8], 1, 'SAME'), 8);
    x = stride === 1 ? g.op('Add', [x, y]) : y;
  }
  x = g.batchNorm(g.conv(x, [1, 8, 32], 1, 'SAME'), 32);
  x = g.mean(g.op('Mul', [x, g.hardSigmoid(x)]), true);
  x = g.op('BiasAdd', [g.conv(x, [1, 32, 64], 1, 'SAME'), g.numbers([64], -1, 1)]);
  g.op('Identity', [g.op('Mul', [x, g.hardSigmoid(x)])]);
  return g;
}

/** The model as the importer gets it. */
export function filesOf({ json, shards }: TfjsModel): Promise<ModelFiles> {
  const parts = new Map(shards).set('model.json', new TextEncoder().encode(JSON.stringify(json)));
  return readModelFiles((path) => {
    const part = parts.get(path);
    return part === undefined ? Promise.reject(new Error(`no ${path}`)) : Promise.resolve(part);
  });
}
