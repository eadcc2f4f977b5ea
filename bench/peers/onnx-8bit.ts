/**
 * A backbone with ranges as an 8-bit ONNX model: a float model in which every value and weight passes through
 * QuantizeLinear and DequantizeLinear, which ONNX Runtime fuses into integer operators (its "QDQ" format).
 */
import type { Backbone } from '../../src/backbone/index.ts';
import { type Ranges, rangesOf } from '../../src/backbone/ranges.ts';
import { CODES, OnnxGraph } from '../../src/export/index.ts';
import { convKernel, depthwiseKernel } from '../../src/export/onnx-kernels.ts';
import { OnnxTarget } from '../../src/export/onnx.ts';
import { type Convolution, PICTURE, writeBackbone } from '../../src/export/walk.ts';
import { type Affine, affineOf, affineOfPixels, eightBitLayer } from './eight-bits.ts';

/** Reads uint8 `pixels` [n, height, width, channels], gives float `codes` [n, D]. @throws HeadwaterError as `rangesOf`. */
export function onnx8Bit(backbone: Backbone): Uint8Array {
  const graph = new OnnxGraph();
  writeBackbone(backbone, new EightBitTarget(graph, backbone));
  graph.output(CODES, 'float32', ['n', backbone.codeLength]);
  return graph.encode(`${backbone.plan.name} in 8 bits`);
}

/** Statistics are of floats, as its base writes them. */
class EightBitTarget extends OnnxTarget {
  readonly #graph: OnnxGraph;
  readonly #backbone: Backbone;
  readonly #ranges: Ranges;
  readonly #affine = new Map<string, Affine>();

  constructor(graph: OnnxGraph, backbone: Backbone) {
    super(graph, backbone, 'pixels');
    this.#graph = graph;
    this.#backbone = backbone;
    this.#ranges = rangesOf(backbone);
  }

  override picture(): void {
    const { height, width, channels, padValue } = this.#backbone.plan.input;
    const pixels = this.#graph.input('pixels', 'uint8', ['n', height, width, channels]);
    const turned = this.#graph.node('Transpose', `${PICTURE}/turned`, [pixels], { perm: [0, 3, 1, 2] });
    this.#dequantise(PICTURE, turned, affineOfPixels(padValue));
  }

  override uncentred(): string {
    throw new Error('In 8 bits only a convolution reads the picture.');
  }

  override convolution(layer: Convolution): void {
    const { name, input, stride, padding, depthwise } = layer;
    const kernel = depthwise
      ? depthwiseKernel(layer.weights, layer.shape)
      : convKernel(layer.weights, layer.shape);
    const perOutput = kernel.values.length / kernel.shape[0];
    const inputScale = this.#affine.get(input)!.scale;
    const numbers = eightBitLayer(layer, kernel.values, (i) => Math.floor(i / perOutput), inputScale);
    const [top, bottom, left, right] = padding;
    const weights = this.#constant(`${name}/weights`, kernel.shape, numbers.weights, numbers.weightScales);
    const bias = this.#constant(`${name}/bias`, [layer.bias.length], numbers.bias, numbers.biasScales);
    const sums = this.#graph.node('Conv', `${name}/sums`, [input, weights, bias], {
      group: depthwise ? layer.bias.length : 1,
      kernel_shape: kernel.shape.slice(2),
      strides: [stride, stride],
      pads: [top, left, bottom, right],
    });
    this.#quantise(name, sums);
  }

  override add(name: string, a: string, b: string): void {
    this.#quantise(name, this.#graph.node('Add', `${name}/sums`, [a, b]));
  }

  override scale(): void {
    throw new Error('The 8-bit models have no squeeze-and-excite.');
  }

  /** Saturation to the step's range, which ends where its activation does, takes the activation's place. */
  #quantise(name: string, sums: string): void {
    const affine = affineOf(this.#ranges.of.get(name)!);
    const integers = this.#graph.node('QuantizeLinear', `${name}/integers`, [
      sums,
      ...this.#scalars(name, affine),
    ]);
    this.#dequantise(name, integers, affine);
  }

  #dequantise(name: string, integers: string, affine: Affine): void {
    this.#affine.set(name, affine);
    const scalars = this.#scalars(`${name}/again`, affine);
    this.#graph.node('DequantizeLinear', name, [integers, ...scalars]);
  }

  #scalars(name: string, { scale, zero }: Affine): string[] {
    return [
      this.#graph.constant(`${name}/scale`, [], Float32Array.of(scale)),
      this.#graph.constant(`${name}/zero`, [], Uint8Array.of(zero)),
    ];
  }

  /** Integers with a scale for each place of the first axis. */
  #constant(
    name: string,
    shape: readonly number[],
    values: Int8Array | Int32Array,
    scales: Float32Array,
  ): string {
    const zeros = values instanceof Int8Array ? new Int8Array(scales.length) : new Int32Array(scales.length);
    const inputs = [
      this.#graph.constant(`${name}/integers`, shape, values),
      this.#graph.constant(`${name}/scales`, [scales.length], scales),
      this.#graph.constant(`${name}/zeros`, [scales.length], zeros),
    ];
    return this.#graph.node('DequantizeLinear', name, inputs, { axis: 0 });
  }
}
