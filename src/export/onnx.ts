/**
 * Writes a backbone, or a head with its backbone, as an ONNX model, so that any runtime computes the same from the same pixels. Same
 * weights in 32 bits, same steps; the layout changes from channels last to ONNX's channels first.
 */
import { ACTIVATION_TABLE } from '../backbone/activations.ts';
import type { Backbone } from '../backbone/index.ts';
import type { Head } from '../head/index.ts';
import { type Bounds, FloatTarget, type Operator } from './float-target.ts';
import { identityOf, writeHead } from './head.ts';
import { networkOf } from './network.ts';
import { ELEMENT_TYPE, OnnxGraph } from './onnx-graph.ts';
import { convKernel, depthwiseKernel } from './onnx-kernels.ts';
import { CODES, type Convolution, PICTURE, PROBABILITIES, type TapValue, writeBackbone } from './walk.ts'; // prettier-ignore

/**
 * What the model reads, under the same name.
 * - `pixels`: uint8 [n, height, width, channels], what a decoder gives and what the project's own engines read.
 * - `planes`: float32 [n, channels, height, width], the pixel (0 to 255) minus `plan.input.padValue` of its channel
 *   (rounded, where the Worker computes with integers): the layout that ONNX runtimes like best, prepared by the host.
 */
export type OnnxInput = 'pixels' | 'planes';

/** Beyond every sum of whole numbers. */
const LARGEST_SUM = 2 ** 31;

/** The backbone as an ONNX model (operator set 17): n pictures in, CNN codes [n, D] out under the name `codes`. */
export function planToOnnx(backbone: Backbone, input: OnnxInput = 'pixels'): Uint8Array {
  const { plan } = backbone;
  const graph = new OnnxGraph();
  writeBackbone(backbone, new OnnxTarget(graph, backbone, input));
  graph.output(CODES, 'float32', ['n', backbone.codeLength]);
  return graph.encode(plan.name, identityOf(plan));
}

/**
 * @returns an ONNX model (operator set 17) with the outputs `codes` [n, D] and `probabilities` [n, C]. Its metadata name
 * the labels as a JSON list under `labels`. The head's out-of-distribution statistics are not part of it.
 * @throws HeadwaterError `backbone_mismatch` when the head was made for another backbone.
 */
export function headToOnnx(head: Head, backbone: Backbone): Uint8Array {
  const network = networkOf(head, backbone);
  const graph = new OnnxGraph();
  writeHead(head, network, new OnnxTarget(graph, network.backbone, 'pixels'));
  graph.output(CODES, 'float32', ['n', head.codeLength]);
  graph.output(PROBABILITIES, 'float32', ['n', head.labels.length]);
  const identity = { ...identityOf(head.backbone), labels: JSON.stringify(head.labels) };
  return graph.encode(`${backbone.plan.name} with a head`, identity);
}

const OPERATORS = { add: 'Add', sub: 'Sub', mul: 'Mul', sqrt: 'Sqrt', floor: 'Floor', round: 'Round' };

/** Writes a plan's steps into an ONNX graph, in floats. */
export class OnnxTarget extends FloatTarget {
  readonly #graph: OnnxGraph;
  readonly #input: OnnxInput;
  #uncentred: string | undefined;

  constructor(graph: OnnxGraph, backbone: Backbone, input: OnnxInput) {
    super(backbone);
    this.#graph = graph;
    this.#input = input;
  }

  picture(): void {
    const graph = this.#graph;
    const { height, width, channels } = this.backbone.plan.input;
    if (this.#input === 'planes') {
      const planes = graph.input(this.#input, 'float32', ['n', channels, height, width]);
      graph.node('Identity', PICTURE, [planes]);
      return;
    }
    const pixels = graph.input(this.#input, 'uint8', ['n', height, width, channels]);
    const turned = graph.node('Transpose', `${PICTURE}/turned`, [pixels], { perm: [0, 3, 1, 2] });
    const numbers = graph.node('Cast', `${PICTURE}/numbers`, [turned], { to: ELEMENT_TYPE.float32 });
    graph.node('Sub', PICTURE, [numbers, this.#centre(`${PICTURE}/centre`)]);
  }

  uncentred(): string {
    const centre = `${PICTURE}/uncentre`;
    this.#uncentred ??= this.#graph.node('Add', `${PICTURE}/uncentred`, [PICTURE, this.#centre(centre)]);
    return this.#uncentred;
  }

  convolution({ name, input, activation, stride, padding, bias, ...layer }: Convolution): void {
    const graph = this.#graph;
    const kernel = layer.depthwise
      ? depthwiseKernel(layer.weights, layer.shape)
      : convKernel(layer.weights, layer.shape);
    const [top, bottom, left, right] = padding;
    const inputs = [
      input,
      graph.constant(`${name}/weights`, kernel.shape, kernel.values),
      graph.constant(`${name}/bias`, [bias.length], bias),
    ];
    const linear = graph.node('Conv', activation === 'none' ? name : `${name}/linear`, inputs, {
      group: layer.depthwise ? bias.length : 1,
      kernel_shape: kernel.shape.slice(2),
      strides: [stride, stride],
      pads: [top, left, bottom, right],
    });
    const { onnx } = ACTIVATION_TABLE[activation];
    if (onnx === undefined) return;
    const scalars = onnx.scalars.map((value) => this.scalar(`${name}/${value}`, value));
    graph.node(onnx.operator, name, [linear, ...scalars], onnx.attributes);
  }

  mean(name: string, input: string): void {
    this.#graph.node('GlobalAveragePool', name, [input]);
  }

  /** ONNX Runtime puts factors behind a convolution into its weights and begins its sums with what is added: not behind this. */
  override apart(convolution: string): string {
    const name = `${convolution}/apart`;
    const bounds = [-LARGEST_SUM, LARGEST_SUM].map((bound, i) => this.scalar(`${name}/${i}`, bound));
    return this.#graph.node('Clip', name, [convolution, ...bounds]);
  }

  codes(taps: readonly TapValue[]): string {
    const parts = taps.map((tap) =>
      this.#graph.node('Flatten', `${tap.name}/code`, [tap.value], { axis: 1 }),
    );
    return this.#graph.node('Concat', CODES, parts, { axis: 1 });
  }

  constant(name: string, shape: readonly number[], values: Float32Array): string {
    return this.#graph.constant(name, shape, values);
  }

  protected override channels(name: string, values: Float32Array): string {
    return this.constant(name, [1, values.length, 1, 1], values);
  }

  operator(operator: Operator, name: string, inputs: readonly string[]): string {
    return this.#graph.node(OPERATORS[operator], name, inputs);
  }

  protected clipped(name: string, input: string, [low, high]: Bounds): string {
    const bounds = [this.scalar(`${name}/low`, low), this.scalar(`${name}/high`, high)];
    return this.#graph.node('Clip', `${name}/clipped`, [input, ...bounds]);
  }

  classify(codes: string, weights: Float32Array, bias: Float32Array): void {
    const rows = this.constant('head/weights', [bias.length, weights.length / bias.length], weights);
    const shift = this.constant('head/bias', [bias.length], bias);
    const logits = this.#graph.node('Gemm', 'head/logits', [codes, rows, shift], { transB: 1 });
    this.#graph.node('Softmax', PROBABILITIES, [logits], { axis: 1 });
  }

  #centre(name: string): string {
    return this.channels(name, Float32Array.from(this.backbone.plan.input.padValue));
  }
}
