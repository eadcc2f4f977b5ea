/**
 * Writes a backbone as an ONNX model, so that any runtime computes the same CNN codes from the same pixels. Same
 * weights in 32 bits, same steps; the layout changes from channels last to ONNX's channels first.
 */
import type { Backbone } from '../backbone/index.ts';
import { ACTIVATION_TABLE } from '../backbone/activations.ts';
import { castTarget, OnnxGraph } from './onnx-graph.ts';
import { convKernel, depthwiseKernel } from './onnx-kernels.ts';
import type { Bounds, RoundingTarget } from './rounding-walk.ts';
import { type Convolution, PICTURE, type TapValue, writeBackbone } from './walk.ts';

/**
 * What the model reads, under the same name.
 * - `pixels`: uint8 [n, height, width, channels], what a decoder gives and what the project's own engines read.
 * - `planes`: float32 [n, channels, height, width], the pixel (0 to 255) minus `plan.input.padValue` of its channel
 *   (rounded, where the Worker computes with integers): the layout that ONNX runtimes like best, prepared by the host.
 */
export type OnnxInput = 'pixels' | 'planes';

export interface OnnxOptions {
  /** Default `pixels`. */
  readonly input?: OnnxInput;
}

/** The model's output: float32 [n, D]. */
export const CODES = 'codes';

/** Beyond every sum of whole numbers. */
const LARGEST_SUM = 2 ** 31;

/** The backbone as an ONNX model (operator set 17): n pictures in, CNN codes [n, D] out under the name `codes`. */
export function planToOnnx(backbone: Backbone, options: OnnxOptions = {}): Uint8Array {
  const { plan } = backbone;
  const graph = new OnnxGraph();
  writeBackbone(backbone, new OnnxTarget(graph, backbone, options.input ?? 'pixels'));
  graph.output(CODES, 'float32', ['n', backbone.codeLength]);
  return graph.encode(plan.name, {
    backbone: `${plan.name} ${plan.version}`,
    weights_sha256: plan.weightsSha256,
  });
}

/** Writes a plan's steps into an ONNX graph, in floats. */
export class OnnxTarget implements RoundingTarget {
  readonly #graph: OnnxGraph;
  readonly #backbone: Backbone;
  readonly #input: OnnxInput;
  #uncentred: string | undefined;

  constructor(graph: OnnxGraph, backbone: Backbone, input: OnnxInput) {
    this.#graph = graph;
    this.#backbone = backbone;
    this.#input = input;
  }

  picture(): void {
    const graph = this.#graph;
    const { height, width, channels } = this.#backbone.plan.input;
    if (this.#input === 'planes') {
      const planes = graph.input(this.#input, 'float32', ['n', channels, height, width]);
      graph.node('Identity', PICTURE, [planes]);
      return;
    }
    const pixels = graph.input(this.#input, 'uint8', ['n', height, width, channels]);
    const turned = graph.node('Transpose', `${PICTURE}/turned`, [pixels], { perm: [0, 3, 1, 2] });
    const numbers = graph.node('Cast', `${PICTURE}/numbers`, [turned], { to: castTarget('float32') });
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
    const scalars = onnx.scalars.map((value) =>
      graph.constant(`${name}/${value}`, [], Float32Array.of(value)),
    );
    graph.node(onnx.operator, name, [linear, ...scalars], onnx.attributes);
  }

  mean(name: string, input: string): void {
    this.#graph.node('GlobalAveragePool', name, [input]);
  }

  deviation(name: string, input: string, mean: string): void {
    const difference = this.#graph.node('Sub', `${name}/difference`, [input, mean]);
    const square = this.#graph.node('Mul', `${name}/square`, [difference, difference]);
    const variance = this.#graph.node('GlobalAveragePool', `${name}/variance`, [square]);
    this.#graph.node('Sqrt', name, [variance]);
  }

  add(name: string, a: string, b: string): void {
    this.#graph.node('Add', name, [a, b]);
  }

  scale(name: string, map: string, factors: string): void {
    this.#graph.node('Mul', name, [map, factors]);
  }

  rounded(name: string, input: string, [low, high]: Bounds, way: 'nearest' | 'down'): void {
    const bounds = [this.#scalar(`${name}/low`, low), this.#scalar(`${name}/high`, high)];
    const clipped = this.#graph.node('Clip', `${name}/clipped`, [input, ...bounds]);
    this.#graph.node(way === 'down' ? 'Floor' : 'Round', name, [clipped]);
  }

  /** ONNX Runtime puts factors behind a convolution into its weights and begins its sums with what is added: not behind this. */
  apart(convolution: string): string {
    const name = `${convolution}/apart`;
    const bounds = [-LARGEST_SUM, LARGEST_SUM].map((bound, i) => this.#scalar(`${name}/${i}`, bound));
    return this.#graph.node('Clip', name, [convolution, ...bounds]);
  }

  scaled(name: string, input: string, factors: Float32Array): void {
    const shape = [1, factors.length, 1, 1];
    this.#graph.node('Mul', name, [input, this.#graph.constant(`${name}/factors`, shape, factors)]);
  }

  shifted(name: string, input: string, by: number): void {
    this.#graph.node('Add', name, [input, this.#scalar(`${name}/by`, by)]);
  }

  codes(taps: readonly TapValue[]): string {
    const parts = taps.map((tap) =>
      this.#graph.node('Flatten', `${tap.name}/code`, [tap.value], { axis: 1 }),
    );
    return this.#graph.node('Concat', CODES, parts, { axis: 1 });
  }

  #scalar(name: string, value: number): string {
    return this.#graph.constant(name, [], Float32Array.of(value));
  }

  #centre(name: string): string {
    const { channels, padValue } = this.#backbone.plan.input;
    return this.#graph.constant(name, [1, channels, 1, 1], Float32Array.from(padValue));
  }
}
