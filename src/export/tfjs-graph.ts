/**
 * Writes a backbone, or a head with its backbone, as a TensorFlow.js graph model that `tf.loadGraphModel` reads: pixels
 * as float32 [n, height, width, channels] from 0 to 255 in, CNN codes and probabilities out.
 */
import type { Backbone } from '../backbone/index.ts';
import type { Activation, ConvStep, DepthwiseStep, SqueezeExciteStep, Step } from '../backbone/plan.ts';
import type { Head } from '../head/index.ts';
import { networkOf, scaledHead } from './network.ts';
import { centredBias, convKernel, depthwiseKernel } from './onnx-kernels.ts';
import { CODES } from './onnx.ts';
import { PROBABILITIES } from './onnx-head.ts';
import type { Attributes, TfjsModel } from './tfjs-graph-def.ts';
import { TfjsGraph } from './tfjs-graph-def.ts';

/** The model's input. */
export const PIXELS = 'pixels';
/** The plan's name of the picture; in the graph, the picture centred on padValue, so that zeros may pad it. */
const PICTURE = 'input';

const FUSED: Partial<Record<Activation, string>> = { relu: 'Relu', relu6: 'Relu6' };

/** @returns a model with the output `codes`, [n, D]. */
export function planToTfjsGraph(backbone: Backbone): TfjsModel {
  const graph = new TfjsGraph();
  new GraphWriter(graph, backbone).write();
  graph.output(CODES, [-1, backbone.codeLength]);
  return graph.build({ backbone: identityOf(backbone) });
}

/**
 * @returns a model with the outputs `codes`, [n, D], and `probabilities`, [n, C]; labels in its user-defined metadata.
 * @throws HeadwaterError `backbone_mismatch` when the head was made for another backbone.
 */
export function headToTfjsGraph(head: Head, backbone: Backbone): TfjsModel {
  const graph = new TfjsGraph();
  const codes = new GraphWriter(graph, networkOf(head, backbone)).write();
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

class GraphWriter {
  readonly #graph: TfjsGraph;
  readonly #backbone: Backbone;
  readonly #means = new Map<string, string>();
  #axes: string | undefined;
  #three: string | undefined;
  #sixth: string | undefined;

  constructor(graph: TfjsGraph, backbone: Backbone) {
    this.#graph = graph;
    this.#backbone = backbone;
  }

  /** @returns the name of the node that holds the codes, [n, D]. */
  write(): string {
    const graph = this.#graph;
    const { input, steps, taps } = this.#backbone.plan;
    const pixels = graph.input(PIXELS, [-1, input.height, input.width, input.channels]);
    const centre = graph.constant(`${PICTURE}/centre`, [input.channels], Float32Array.from(input.padValue));
    graph.node('Sub', PICTURE, [pixels, centre]);
    for (const step of steps) this.#step(step);
    const parts = taps.map((tap) =>
      graph.node('Reshape', `${tap.name}/code`, [
        this.#mean(tap.step),
        graph.constant(`${tap.name}/shape`, [2], Int32Array.of(-1, tap.channels)),
      ]),
    );
    if (parts.length === 1) return graph.node('Identity', CODES, parts);
    const axis = graph.constant(`${CODES}/axis`, [], Int32Array.of(1));
    return graph.node('ConcatV2', CODES, [...parts, axis], { N: parts.length, Tidx: { type: 'DT_INT32' } });
  }

  #step(step: Step): void {
    switch (step.op) {
      case 'conv':
      case 'depthwise':
        this.#convolution(step);
        return;
      case 'squeeze-excite':
        this.#squeezeExcite(step);
        return;
      case 'add':
        this.#graph.node('AddV2', step.name, [this.#value(step.input), this.#value(step.other)]);
        return;
      case 'mean':
        this.#graph.node('Identity', step.name, [this.#mean(step.input)]);
        return;
      case 'dense':
        this.#dense(step.name, this.#value(step.input), step.weights, step.bias, step.activation);
    }
  }

  #convolution(step: ConvStep | DepthwiseStep): void {
    const { plan, tensors, tensorShapes } = this.#backbone;
    const [values, shape] = [tensors.get(step.weights)!, tensorShapes.get(step.weights)!];
    const depthwise = step.op === 'depthwise';
    const kernelShape = depthwise ? [...shape, 1] : shape;
    const bias = tensors.get(step.bias)!;
    const kernel = depthwise ? depthwiseKernel(values, shape) : convKernel(values, shape);
    const group = depthwise ? kernel.shape[0] : 1;
    const shifted = step.input === PICTURE ? centredBias(bias, kernel, plan.input.padValue, group) : bias;
    const input = this.#padded(step);
    this.#activated(
      depthwise ? 'FusedDepthwiseConv2dNative' : '_FusedConv2D',
      step.name,
      input,
      this.#graph.constant(`${step.name}/weights`, kernelShape, values),
      this.#graph.constant(`${step.name}/bias`, [bias.length], shifted),
      step.activation,
      step.stride,
    );
  }

  #padded({ name, input, padding: [top, bottom, left, right] }: ConvStep | DepthwiseStep): string {
    if (top + bottom + left + right === 0) return input;
    const sides = Int32Array.of(0, 0, top, bottom, left, right, 0, 0);
    const paddings = this.#graph.constant(`${name}/paddings`, [4, 2], sides);
    return this.#graph.node('Pad', `${name}/padded`, [input, paddings], { Tpaddings: { type: 'DT_INT32' } });
  }

  #activated(
    op: string,
    name: string,
    input: string,
    weights: string,
    bias: string,
    activation: Activation,
    stride: number,
  ): string {
    const fused = FUSED[activation];
    const isLast = activation === 'none' || fused !== undefined;
    const attributes: Attributes = {
      strides: [1, stride, stride, 1],
      dilations: [1, 1, 1, 1],
      padding: 'VALID',
      data_format: 'NHWC',
      fused_ops: fused === undefined ? ['BiasAdd'] : ['BiasAdd', fused],
      num_args: 1,
      epsilon: { float: 0 },
    };
    const linear = this.#graph.node(op, isLast ? name : `${name}/linear`, [input, weights, bias], attributes);
    if (isLast) return linear;
    const gateName = activation === 'hard-sigmoid' ? name : `${name}/gate`;
    this.#three ??= this.#graph.constant('three', [], Float32Array.of(3));
    this.#sixth ??= this.#graph.constant('sixth', [], Float32Array.of(1 / 6));
    // hard-sigmoid(x) = relu6(x + 3) / 6, hard-swish(x) = x · hard-sigmoid(x) (Howard et al. 2019).
    const shifted = this.#graph.node('AddV2', `${name}/shifted`, [linear, this.#three]);
    const clipped = this.#graph.node('Relu6', `${name}/clipped`, [shifted]);
    const gate = this.#graph.node('Mul', gateName, [clipped, this.#sixth]);
    return activation === 'hard-sigmoid' ? gate : this.#graph.node('Mul', name, [linear, gate]);
  }

  #squeezeExcite(step: SqueezeExciteStep): void {
    const { name } = step;
    const mean = this.#mean(step.input);
    const reduced = this.#dense(`${name}/reduce`, mean, step.reduceWeights, step.reduceBias, 'relu');
    const gate = this.#dense(`${name}/expand`, reduced, step.expandWeights, step.expandBias, 'hard-sigmoid');
    this.#graph.node('Mul', name, [this.#value(step.input), gate]);
  }

  /** A fully connected layer on [n, 1, 1, in], as a 1×1 convolution. */
  #dense(name: string, input: string, weights: string, bias: string, activation: Activation): string {
    const { tensors, tensorShapes } = this.#backbone;
    const [ins, outs] = tensorShapes.get(weights)!;
    const kernel = this.#graph.constant(`${name}/weights`, [1, 1, ins, outs], tensors.get(weights)!);
    const shift = this.#graph.constant(`${name}/bias`, [outs], tensors.get(bias)!);
    return this.#activated('_FusedConv2D', name, input, kernel, shift, activation, 1);
  }

  /** [n, 1, 1, channels]; one node however many read it. */
  #mean(step: string): string {
    const known = this.#means.get(step);
    if (known !== undefined) return known;
    this.#axes ??= this.#graph.constant('space', [2], Int32Array.of(1, 2));
    const options: Attributes = { keep_dims: true, Tidx: { type: 'DT_INT32' } };
    const name = this.#graph.node('Mean', `${step}/mean`, [this.#value(step), this.#axes], options);
    this.#means.set(step, name);
    return name;
  }

  /** What other steps than convolutions read: a step's output, or the picture as it came in. */
  #value(step: string): string {
    return step === PICTURE ? PIXELS : step;
  }
}
