/**
 * Writes a backbone, or a head with its backbone, as a TensorFlow.js graph model that `tf.loadGraphModel` reads: pixels
 * as float32 [n, height, width, channels] from 0 to 255 in, CNN codes and probabilities out.
 */
import type { Backbone } from '../backbone/index.ts';
import { type Activation, ACTIVATION_TABLE } from '../backbone/activations.ts';
import type { Head } from '../head/index.ts';
import { networkOf, scaledHead } from './network.ts';
import { CODES } from './onnx.ts';
import { PROBABILITIES } from './onnx-head.ts';
import type { Attributes, TfjsModel } from './tfjs-graph-def.ts';
import { TfjsGraph } from './tfjs-graph-def.ts';
import { type Bounds, type RoundingTarget, writeNetwork } from './rounding-walk.ts';
import { type Convolution, PICTURE, type TapValue, writeBackbone } from './walk.ts';

/** The model's input. */
export const PIXELS = 'pixels';

/** @returns a model with the output `codes`, [n, D]. */
export function planToTfjsGraph(backbone: Backbone): TfjsModel {
  const graph = new TfjsGraph();
  writeBackbone(backbone, new TfjsTarget(graph, backbone));
  graph.output(CODES, [-1, backbone.codeLength]);
  return graph.build({ backbone: identityOf(backbone) });
}

/**
 * @returns a model with the outputs `codes`, [n, D], and `probabilities`, [n, C]; labels in its user-defined metadata.
 * @throws HeadwaterError `backbone_mismatch` when the head was made for another backbone.
 */
export function headToTfjsGraph(head: Head, backbone: Backbone): TfjsModel {
  const graph = new TfjsGraph();
  const network = networkOf(head, backbone);
  const codes = writeNetwork(network, new TfjsTarget(graph, network.backbone));
  const { labels, codeLength, mean } = head;
  const { inverse, weights, bias } = scaledHead(head);
  const centred = graph.node('Sub', 'head/centred', [
    codes,
    graph.constant('head/mean', [1, codeLength], mean),
  ]);
  const scale = graph.constant('head/inverse_deviation', [1, codeLength], inverse);
  const standardised = graph.node('Mul', 'head/standardised', [centred, scale]);
  const kernel = graph.constant('head/weights', [labels.length, codeLength], weights);
  const product = graph.node('MatMul', 'head/product', [standardised, kernel], { transpose_b: true });
  const logits = graph.node('AddV2', 'head/logits', [
    product,
    graph.constant('head/bias', [labels.length], bias),
  ]);
  graph.node('Softmax', PROBABILITIES, [logits]);
  graph.output(CODES, [-1, codeLength]);
  graph.output(PROBABILITIES, [-1, labels.length]);
  return graph.build({ backbone: identityOf(backbone), labels });
}

function identityOf({ plan }: Backbone): Record<string, string> {
  return { name: plan.name, version: plan.version, weights_sha256: plan.weightsSha256 };
}

class TfjsTarget implements RoundingTarget {
  readonly #graph: TfjsGraph;
  readonly #backbone: Backbone;
  #axes: string | undefined;
  #three: string | undefined;
  #sixth: string | undefined;

  constructor(graph: TfjsGraph, backbone: Backbone) {
    this.#graph = graph;
    this.#backbone = backbone;
  }

  picture(): void {
    const { height, width, channels, padValue } = this.#backbone.plan.input;
    const pixels = this.#graph.input(PIXELS, [-1, height, width, channels]);
    const centre = this.#graph.constant(`${PICTURE}/centre`, [channels], Float32Array.from(padValue));
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

  deviation(name: string, input: string, mean: string): void {
    const square = this.#graph.node('SquaredDifference', `${name}/square`, [input, mean]);
    this.mean(`${name}/variance`, square);
    this.#graph.node('Sqrt', name, [`${name}/variance`]);
  }

  add(name: string, a: string, b: string): void {
    this.#graph.node('AddV2', name, [a, b]);
  }

  scale(name: string, map: string, factors: string): void {
    this.#graph.node('Mul', name, [map, factors]);
  }

  rounded(name: string, input: string, [low, high]: Bounds, way: 'nearest' | 'down'): void {
    const bounds = [this.#scalar(`${name}/low`, low), this.#scalar(`${name}/high`, high)];
    const clipped = this.#graph.node('ClipByValue', `${name}/clipped`, [input, ...bounds]);
    this.#graph.node(way === 'down' ? 'Floor' : 'Round', name, [clipped]);
  }

  apart(convolution: string): string {
    return convolution;
  }

  scaled(name: string, input: string, factors: Float32Array): void {
    this.#graph.node('Mul', name, [
      input,
      this.#graph.constant(`${name}/factors`, [factors.length], factors),
    ]);
  }

  shifted(name: string, input: string, by: number): void {
    this.#graph.node('AddV2', name, [input, this.#scalar(`${name}/by`, by)]);
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
    this.#three ??= this.#scalar('three', 3);
    this.#sixth ??= this.#scalar('sixth', 1 / 6);
    const shifted = this.#graph.node('AddV2', `${prefix}/shifted`, [linear, this.#three]);
    const clipped = this.#graph.node('Relu6', `${prefix}/clipped`, [shifted]);
    return this.#graph.node('Mul', name, [clipped, this.#sixth]);
  }

  #scalar(name: string, value: number): string {
    return this.#graph.constant(name, [], Float32Array.of(value));
  }

  #padded({ name, input, padding: [top, bottom, left, right] }: Convolution): string {
    if (top + bottom + left + right === 0) return input;
    const sides = Int32Array.of(0, 0, top, bottom, left, right, 0, 0);
    const paddings = this.#graph.constant(`${name}/paddings`, [4, 2], sides);
    return this.#graph.node('Pad', `${name}/padded`, [input, paddings], { Tpaddings: { type: 'DT_INT32' } });
  }
}
