/**
 * Writes a backbone, or a head with its backbone, as a TFLite model, which LiteRT runs on phones, in browsers and on
 * microcontrollers: one picture in, CNN codes and probabilities out.
 */
import { ACTIVATION_TABLE } from '../backbone/activations.ts';
import type { Backbone, Padding } from '../backbone/index.ts';
import type { Head } from '../head/index.ts';
import { type Bounds, FloatTarget } from './float-target.ts';
import { identityOf, writeHead } from './head.ts';
import * as fb from './flatbuffer.ts';
import { networkOf } from './network.ts';
import { type IntegerOutput, type Operator, type TensorType, TfliteFile, TYPE } from './tflite-file.ts';
import { CODES, type Convolution, PICTURE, PIXELS, PROBABILITIES, type TapValue, writeBackbone } from './walk.ts'; // prettier-ignore

/** What the model reads under the name `pixels`, [1, height, width, channels], from 0 to 255. */
export type TfliteInput = Extract<TensorType, 'uint8' | 'float32'>;

const { none: NONE, relu6: RELU6 } = ACTIVATION_TABLE;
/** Padding. */
const SAME = 0;
const VALID = 1;

/** @param input what decoders give where absent. @returns a model with the output `codes`, [1, D]. */
export function planToTflite(backbone: Backbone, input: TfliteInput = 'uint8'): Uint8Array {
  const file = new TfliteFile();
  file.output(writeBackbone(backbone, new TfliteTarget(file, backbone, input)));
  return file.encode(backbone.plan.name, identityOf(backbone.plan));
}

/**
 * @returns a model with the outputs `codes`, [1, D], and `probabilities`, [1, C]. Its metadata hold the labels as a JSON
 * list under `labels`. The head's out-of-distribution statistics are not part of it.
 * @throws HeadwaterError `backbone_mismatch` when the head was made for another backbone.
 */
export function headToTflite(head: Head, backbone: Backbone): Uint8Array {
  const file = new TfliteFile();
  const network = networkOf(head, backbone);
  file.output(writeHead(head, network, new TfliteTarget(file, network.backbone, 'uint8')));
  file.output(PROBABILITIES);
  const identity = { ...identityOf(backbone.plan), labels: JSON.stringify(head.labels) };
  return file.encode(`${backbone.plan.name} with a head`, identity);
}

/** Writes a plan's steps into a TFLite model, in floats. */
export class TfliteTarget extends FloatTarget {
  readonly #file: TfliteFile;
  readonly #input: TfliteInput;

  constructor(file: TfliteFile, backbone: Backbone, input: TfliteInput) {
    super(backbone);
    this.#file = file;
    this.#input = input;
  }

  picture(): void {
    const { height, width, channels, padValue } = this.backbone.plan.input;
    const shape = [1, height, width, channels];
    const pixels = this.#file.input(PIXELS, this.#input, shape);
    if (this.#input === 'uint8') {
      const types: fb.Field[] = [[0, fb.int8(TYPE.uint8)], [1, fb.int8(TYPE.float32)]]; // prettier-ignore
      this.operator('cast', this.uncentred(), [pixels], types);
    }
    const centre = this.channels(`${PICTURE}/centre`, Float32Array.from(padValue));
    this.operator('sub', PICTURE, [this.uncentred(), centre]);
  }

  uncentred(): string {
    return this.#input === 'uint8' ? `${PICTURE}/numbers` : PIXELS;
  }

  convolution(layer: Convolution): void {
    const { name, activation } = layer;
    switch (activation) {
      case 'none':
      case 'relu':
      case 'relu6':
        this.#linear(name, layer, ACTIVATION_TABLE[activation].clip.tflite);
        return;
      case 'hard-swish':
        this.operator('hardSwish', name, [this.#linear(`${name}/linear`, layer, NONE.clip.tflite)]);
        return;
      case 'hard-sigmoid':
        this.#hardSigmoid(name, this.#linear(`${name}/linear`, layer, NONE.clip.tflite));
    }
  }

  mean(name: string, input: string): void {
    const [n, , , channels] = this.#file.shapeOf(input);
    const space = this.#file.constant(`${name}/axes`, [2], Int32Array.of(1, 2));
    this.#file.operator('mean', name, [input, space], [n, 1, 1, channels], [[0, fb.int8(1)]]);
  }

  codes(taps: readonly TapValue[]): string {
    const parts = taps.map(({ name, channels, value }) => {
      const shape = this.#file.constant(`${name}/shape`, [2], Int32Array.of(1, channels));
      return this.#file.operator('reshape', `${name}/code`, [value, shape], [1, channels], [[0, fb.int32s([1, channels])]]); // prettier-ignore
    });
    return this.#file.operator('concatenation', CODES, parts, [1, this.backbone.codeLength], [[0, fb.int32(1)]]); // prettier-ignore
  }

  constant(name: string, shape: readonly number[], values: Float32Array): string {
    return this.#file.constant(name, shape, values);
  }

  operator(operator: Operator, name: string, inputs: readonly string[], options?: fb.Field[]): string {
    return this.#file.operator(operator, name, inputs, this.#file.shapeOf(inputs[0]), options);
  }

  protected clipped(name: string, input: string, [low, high]: Bounds): string {
    const [above, clipped] = [`${name}/above`, `${name}/clipped`];
    // Runtimes fuse a ReLU with what is before it.
    if (low === 0) this.operator('relu', above, [input]);
    else this.operator('maximum', above, [input, this.scalar(`${name}/low`, low)]);
    return this.operator('minimum', clipped, [above, this.scalar(`${name}/high`, high)]);
  }

  classify(codes: string, weights: Float32Array, bias: Float32Array): void {
    const rows = this.constant('head/weights', [bias.length, weights.length / bias.length], weights);
    const shift = this.constant('head/bias', [bias.length], bias);
    const scores = [1, bias.length];
    const logits = this.#file.operator('fullyConnected', 'head/logits', [codes, rows, shift], scores);
    this.#file.operator('softmax', PROBABILITIES, [logits], scores, [[0, fb.float32(1)]]);
  }

  /** relu6(x + 3) / 6 (Howard et al. 2019). */
  #hardSigmoid(name: string, linear: string): void {
    const three = this.scalar(`${name}/three`, 3);
    const sixth = this.scalar(`${name}/sixth`, 1 / 6);
    const clipped = this.operator(
      'add',
      `${name}/clipped`,
      [linear, three],
      [[0, fb.int8(RELU6.clip.tflite)]],
    );
    this.operator('mul', name, [clipped, sixth]);
  }

  #linear(name: string, layer: Convolution, fused: number): string {
    const { shape, values } = kernelOf(layer);
    const kernel = this.#file.constant(`${name}/weights`, shape, values);
    const bias = this.#file.constant(`${name}/bias`, [layer.bias.length], layer.bias);
    return convolve(this.#file, name, layer, [kernel, bias], fused);
  }
}

/** Weights in TFLite's layout: [out, height, width, in], or [1, height, width, channels] where they are depthwise. */
export function kernelOf({ shape, weights, bias, depthwise }: Convolution): {
  readonly shape: readonly number[];
  readonly values: Float32Array;
} {
  if (depthwise) return { shape: [1, ...shape], values: weights };
  const [height, width, ins] = shape;
  return { shape: [bias.length, height, width, ins], values: outsFirst(weights, bias.length) };
}

/**
 * Adds a convolution of any kind.
 * @param constants names of its weights and its bias. @param fused what becomes of each sum: an ActivationFunctionType.
 * @param output floats where absent. @returns the name.
 */
export function convolve(
  file: TfliteFile,
  name: string,
  layer: Convolution,
  constants: readonly [weights: string, bias: string],
  fused: number,
  output?: IntegerOutput,
): string {
  const { bias, depthwise, stride } = layer;
  const { input, padding, height, width } = padded(file, layer);
  const strides: fb.Field[] = [[0, fb.int8(padding)], [1, fb.int32(stride)], [2, fb.int32(stride)]]; // prettier-ignore
  const options: fb.Field[] = depthwise
    ? [...strides, [3, fb.int32(1)], [4, fb.int8(fused)]]
    : [...strides, [3, fb.int8(fused)]];
  const operator = depthwise ? 'depthwiseConv2d' : 'conv2d';
  return file.operator(operator, name, [input, ...constants], [1, height, width, bias.length], options, output); // prettier-ignore
}

/** What a convolution reads and its output's size. Padding that TFLite doesn't know becomes a step of its own. */
function padded(file: TfliteFile, { name, input, shape, stride, padding }: Convolution): Padded {
  const [, inHeight, inWidth, channels] = file.shapeOf(input);
  const [top, bottom, left, right] = padding;
  const [tall, broad] = [inHeight + top + bottom, inWidth + left + right];
  const height = Math.floor((tall - shape[0]) / stride) + 1;
  const width = Math.floor((broad - shape[1]) / stride) + 1;
  if (top + bottom + left + right === 0) return { input, padding: VALID, height, width };
  if (isSame(padding, [inHeight, inWidth], shape, stride)) return { input, padding: SAME, height, width };
  const sides = Int32Array.of(0, 0, top, bottom, left, right, 0, 0);
  const paddings = file.constant(`${name}/paddings`, [4, 2], sides);
  const larger = [1, tall, broad, channels];
  const output = file.operator('pad', `${name}/padded`, [input, paddings], larger, [], file.integersOf(input)); // prettier-ignore
  return { input: output, padding: VALID, height, width };
}

interface Padded {
  readonly input: string;
  readonly padding: number;
  readonly height: number;
  readonly width: number;
}

/** Whether the padding is what TensorFlow's SAME makes: as little as gives ceil(size / stride), the odd one at the end. */
function isSame(
  [top, bottom, left, right]: Padding,
  size: readonly number[],
  kernel: readonly number[],
  stride: number,
): boolean {
  return [[top, bottom], [left, right]].every(([before, after], i) => {
    const total = Math.max(0, (Math.ceil(size[i] / stride) - 1) * stride + kernel[i] - size[i]);
    return before === Math.floor(total / 2) && after === total - before;
  }); // prettier-ignore
}

/** [height × width × in, out] → [out, height × width × in]. */
function outsFirst(weights: Float32Array, outs: number): Float32Array {
  const size = weights.length / outs;
  const turned = new Float32Array(weights.length);
  for (let from = 0; from < weights.length; from++) turned[(from % outs) * size + Math.floor(from / outs)] = weights[from]; // prettier-ignore
  return turned;
}
