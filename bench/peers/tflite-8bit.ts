/** A backbone with ranges as an 8-bit TFLite model, as LiteRT's own converter quantises: int8, weights by channel. */
import { ACTIVATION_TABLE } from '../../src/backbone/activations.ts';
import type { Backbone } from '../../src/backbone/index.ts';
import { type Ranges, rangesOf } from '../../src/backbone/ranges.ts';
import { convolve, kernelOf, TfliteTarget } from '../../src/export/tflite.ts';
import { type IntegerOutput, type Quantisation, TfliteFile } from '../../src/export/tflite-file.ts';
import { type Convolution, PICTURE, PIXELS, writeBackbone } from '../../src/export/walk.ts';
import { type Affine, affineOf, affineOfPixels, eightBitLayer } from './eight-bits.ts';

/** Signed integers are unsigned ones less this. */
const SIGNED = 128;

/** Reads uint8 `pixels` [1, height, width, channels], gives float codes [1, D]. @throws HeadwaterError as `rangesOf`. */
export function tflite8Bit(backbone: Backbone): Uint8Array {
  const file = new TfliteFile();
  file.output(writeBackbone(backbone, new EightBitTarget(file, backbone)));
  return file.encode(`${backbone.plan.name} in 8 bits`);
}

/** Statistics are of floats, as its base writes them. */
class EightBitTarget extends TfliteTarget {
  readonly #file: TfliteFile;
  readonly #backbone: Backbone;
  readonly #ranges: Ranges;

  constructor(file: TfliteFile, backbone: Backbone) {
    super(file, backbone, 'uint8');
    this.#file = file;
    this.#backbone = backbone;
    this.#ranges = rangesOf(backbone);
  }

  override picture(): void {
    const { height, width, channels, padValue } = this.#backbone.plan.input;
    const affine = affineOfPixels(padValue);
    const shape = [1, height, width, channels];
    const unsigned = quantisation([affine.scale], affine.zero);
    const pixels = this.#file.input(PIXELS, 'uint8', shape, unsigned);
    this.#file.operator('quantize', PICTURE, [pixels], shape, [], signed(affine));
  }

  override uncentred(): string {
    throw new Error('In 8 bits only a convolution reads the picture.');
  }

  override convolution(layer: Convolution): void {
    const { name, input, bias, depthwise, activation } = layer;
    const { clip } = ACTIVATION_TABLE[activation];
    if (clip === undefined) throw new Error(`The 8-bit models have no ${activation}.`);
    const { shape, values } = kernelOf(layer);
    const outs = bias.length;
    const perOutput = values.length / outs;
    const channelOf = depthwise ? (i: number) => i % outs : (i: number) => Math.floor(i / perOutput);
    const inputScale = this.#file.integersOf(input)!.quantisation.scales[0];
    const numbers = eightBitLayer(layer, values, channelOf, inputScale);
    const axis = depthwise ? shape.length - 1 : 0;
    const weights = this.#file.constant(`${name}/weights`, shape, numbers.weights, quantisation(numbers.weightScales, 0, axis)); // prettier-ignore
    const shift = this.#file.constant(`${name}/bias`, [outs], numbers.bias, quantisation(numbers.biasScales, 0)); // prettier-ignore
    convolve(this.#file, name, layer, [weights, shift], clip.tflite, this.#output(name));
  }

  override mean(name: string, input: string): void {
    super.mean(name, this.#asFloats(input));
  }

  override deviation(name: string, input: string, mean: string): void {
    super.deviation(name, this.#asFloats(input), mean);
  }

  override add(name: string, a: string, b: string): void {
    this.#file.operator('add', name, [a, b], this.#file.shapeOf(a), [], this.#output(name));
  }

  override scale(): void {
    throw new Error('The 8-bit models have no squeeze-and-excite.');
  }

  #output(name: string): IntegerOutput {
    return signed(affineOf(this.#ranges.of.get(name)!));
  }

  /** A map that more than one statistic reads is turned into floats once. Squares of differences are floats already. */
  #asFloats(map: string): string {
    if (this.#file.integersOf(map) === undefined) return map;
    const name = `${map}/floats`;
    if (this.#file.has(name)) return name;
    return this.#file.operator('dequantize', name, [map], this.#file.shapeOf(map));
  }
}

function signed({ scale, zero }: Affine): IntegerOutput {
  return { type: 'int8', quantisation: quantisation([scale], zero - SIGNED) };
}

function quantisation(scales: Iterable<number>, zero: number, axis = 0): Quantisation {
  return { scales: Float32Array.from(scales), zero, axis };
}
