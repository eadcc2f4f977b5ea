/**
 * Writes a backbone, or a head with its backbone, as a TensorFlow.js graph model that `tf.loadGraphModel` reads: pixels
 * as float32 [n, height, width, channels] from 0 to 255 in, CNN codes and probabilities out.
 */
import { type Activation, ACTIVATION_TABLE } from '../backbone/activations.ts';
import type { Backbone } from '../backbone/index.ts';
import type { Head } from '../head/index.ts';
import { type Bounds, FloatTarget, type Operator } from './float-target.ts';
import { writeHead } from './head.ts';
import { networkOf } from './network.ts';
import { type Attributes, TfjsGraph, type TfjsModel } from './tfjs-graph-def.ts';
import { CODES, type Convolution, PICTURE, PIXELS, PROBABILITIES, type TapValue, writeBackbone } from './walk.ts'; // prettier-ignore

/** @returns a model with the output `codes`, [n, D]. */
export function planToTfjsGraph(backbone: Backbone): TfjsModel {
  const graph = new TfjsGraph();
  writeBackbone(backbone, new TfjsTarget(graph, backbone));
  graph.output(CODES, [-1, backbone.codeLength]);
  return graph.build({ backbone: namesOf(backbone) });
}

/**
 * @returns a model with the outputs `codes`, [n, D], and `probabilities`, [n, C]; labels in its user-defined metadata.
 * @throws HeadwaterError `backbone_mismatch` when the head was made for another backbone.
 */
export function headToTfjsGraph(head: Head, backbone: Backbone): TfjsModel {
  const graph = new TfjsGraph();
  const network = networkOf(head, backbone);
  writeHead(head, network, new TfjsTarget(graph, network.backbone));
  graph.output(CODES, [-1, head.codeLength]);
  graph.output(PROBABILITIES, [-1, head.labels.length]);
  return graph.build({ backbone: namesOf(backbone), labels: head.labels });
}

function namesOf({ plan }: Backbone): Record<string, string> {
  return { name: plan.name, version: plan.version, weights_sha256: plan.weightsSha256 };
}

const OPERATORS = { add: 'AddV2', sub: 'Sub', mul: 'Mul', sqrt: 'Sqrt', floor: 'Floor', round: 'Round' };

class TfjsTarget extends FloatTarget {
  readonly #graph: TfjsGraph;
  #axes: string | undefined;
  #three: string | undefined;
  #sixth: string | undefined;

  constructor(graph: TfjsGraph, backbone: Backbone) {
    super(backbone);
    this.#graph = graph;
  }

  picture(): void {
    const { height, width, channels, padValue } = this.backbone.plan.input;
    const pixels = this.#graph.input(PIXELS, [-1, height, width, channels]);
    const centre = this.channels(`${PICTURE}/centre`, Float32Array.from(padValue));
    this.#graph.node('Sub', PICTURE, [pixels, centre]);
  }

  uncentred(): string {
    return PIXELS;
  }

  convolution(layer: Convolution): void {
    const { name, bias, shape, stride, depthwise, activation } = layer;
    const { clip } = ACTIVATION_TABLE[activation];
    const kernelShape = depthwise ? [...shape, 1] : shape;
    const inputs = [
      this.#padded(layer),
      this.#graph.constant(`${name}/weights`, kernelShape, layer.weights),
      this.#graph.constant(`${name}/bias`, [bias.length], bias),
    ];
    const op = depthwise ? 'FusedDepthwiseConv2dNative' : '_FusedConv2D';
    const linear = this.#graph.node(op, clip !== undefined ? name : `${name}/linear`, inputs, {
      strides: [1, stride, stride, 1],
      dilations: [1, 1, 1, 1],
      padding: 'VALID',
      data_format: 'NHWC',
      fused_ops: clip?.graph === undefined ? ['BiasAdd'] : ['BiasAdd', clip.graph],
      num_args: 1,
      epsilon: { float: 0 },
    });
    this.#curve(activation, name, linear);
  }

  mean(name: string, input: string): void {
    this.#axes ??= this.#graph.constant('space', [2], Int32Array.of(1, 2));
    const options: Attributes = { keep_dims: true, Tidx: { type: 'DT_INT32' } };
    this.#graph.node('Mean', name, [input, this.#axes], options);
  }

  override deviation(name: string, input: string, mean: string): void {
    const square = this.#graph.node('SquaredDifference', `${name}/square`, [input, mean]);
    this.mean(`${name}/variance`, square);
    this.#graph.node('Sqrt', name, [`${name}/variance`]);
  }

  codes(taps: readonly TapValue[]): string {
    const graph = this.#graph;
    const parts = taps.map(({ name, channels, value }) => {
      const shape = graph.constant(`${name}/shape`, [2], Int32Array.of(-1, channels));
      return graph.node('Reshape', `${name}/code`, [value, shape]);
    });
    if (parts.length === 1) return graph.node('Identity', CODES, parts);
    const axis = graph.constant(`${CODES}/axis`, [], Int32Array.of(1));
    return graph.node('ConcatV2', CODES, [...parts, axis], { N: parts.length, Tidx: { type: 'DT_INT32' } });
  }

  constant(name: string, shape: readonly number[], values: Float32Array): string {
    return this.#graph.constant(name, shape, values);
  }

  operator(operator: Operator, name: string, inputs: readonly string[]): string {
    return this.#graph.node(OPERATORS[operator], name, inputs);
  }

  protected clipped(name: string, input: string, [low, high]: Bounds): string {
    const bounds = [this.scalar(`${name}/low`, low), this.scalar(`${name}/high`, high)];
    return this.#graph.node('ClipByValue', `${name}/clipped`, [input, ...bounds]);
  }

  classify(codes: string, weights: Float32Array, bias: Float32Array): void {
    const rows = this.constant('head/weights', [bias.length, weights.length / bias.length], weights);
    const product = this.#graph.node('MatMul', 'head/product', [codes, rows], { transpose_b: true });
    const logits = this.operator('add', 'head/logits', [product, this.channels('head/bias', bias)]);
    this.#graph.node('Softmax', PROBABILITIES, [logits]);
  }

  /** What convolutions can't be fused with. */
  #curve(activation: Activation, name: string, linear: string): string {
    switch (activation) {
      case 'none':
      case 'relu':
      case 'relu6':
        return linear;
      case 'hard-sigmoid':
        return this.#hardSigmoid(name, name, linear);
      case 'hard-swish':
        return this.#graph.node('Mul', name, [linear, this.#hardSigmoid(`${name}/gate`, name, linear)]);
    }
  }

  /** relu6(x + 3) / 6; hard-swish(x) is x times that (Howard et al. 2019). @param prefix of what is in between. */
  #hardSigmoid(name: string, prefix: string, linear: string): string {
    this.#three ??= this.scalar('three', 3);
    this.#sixth ??= this.scalar('sixth', 1 / 6);
    const shifted = this.#graph.node('AddV2', `${prefix}/shifted`, [linear, this.#three]);
    const clipped = this.#graph.node('Relu6', `${prefix}/clipped`, [shifted]);
    return this.#graph.node('Mul', name, [clipped, this.#sixth]);
  }

  #padded({ name, input, padding: [top, bottom, left, right] }: Convolution): string {
    if (top + bottom + left + right === 0) return input;
    const sides = Int32Array.of(0, 0, top, bottom, left, right, 0, 0);
    const paddings = this.#graph.constant(`${name}/paddings`, [4, 2], sides);
    return this.#graph.node('Pad', `${name}/padded`, [input, paddings], { Tpaddings: { type: 'DT_INT32' } });
  }
}
