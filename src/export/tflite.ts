/**
 * Writes a backbone, or a head with its backbone, as a TFLite model, which LiteRT runs on phones, in browsers and on
 * microcontrollers: one picture in, CNN codes and probabilities out.
 */
import { ACTIVATION_TABLE } from '../backbone/activations.ts';
import type { Backbone, Padding } from '../backbone/index.ts';
import type { Head } from '../head/index.ts';
import * as fb from './flatbuffer.ts';
import { networkOf, scaledHead } from './network.ts';
import { CODES } from './onnx.ts';
import { PROBABILITIES } from './onnx-head.ts';
import { type IntegerOutput, TfliteFile, tensorType, type TensorType } from './tflite-file.ts';
import { PIXELS } from './tfjs-graph.ts';
import { type Convolution, type GraphTarget, PICTURE, type TapValue, writeBackbone } from './walk.ts';

/** What the model reads under the name `pixels`, [1, height, width, channels], from 0 to 255. */
export type TfliteInput = Extract<TensorType, 'uint8' | 'float32'>;

export interface TfliteOptions {
  /** Default `uint8`, what decoders give. */
  readonly input?: TfliteInput;
}

const { none: NONE, relu6: RELU6 } = ACTIVATION_TABLE;
/** Padding. */
const SAME = 0;
const VALID = 1;

/** @returns a model with the output `codes`, [1, D]. */
export function planToTflite(backbone: Backbone, options: TfliteOptions = {}): Uint8Array {
  const file = new TfliteFile();
  file.output(writeBackbone(backbone, new TfliteTarget(file, backbone, options.input ?? 'uint8')));
  return file.encode(backbone.plan.name, identityOf(backbone));
}

/**
 * @returns a model with the outputs `codes`, [1, D], and `probabilities`, [1, C]. Its metadata hold the labels as a JSON
 * list under `labels`. The head's out-of-distribution statistics are not part of it.
 * @throws HeadwaterError `backbone_mismatch` when the head was made for another backbone.
 */
export function headToTflite(head: Head, backbone: Backbone, options: TfliteOptions = {}): Uint8Array {
  const file = new TfliteFile();
  const network = networkOf(head, backbone);
  const codes = writeBackbone(network, new TfliteTarget(file, network, options.input ?? 'uint8'));
  const { labels, codeLength, mean } = head;
  const { inverse, weights, bias } = scaledHead(head);
  const wide = [1, codeLength];
  const centred = file.operator('sub', 'head/centred', [codes, file.constant('head/mean', wide, mean)], wide);
  const scale = file.constant('head/inverse_deviation', wide, inverse);
  const standardised = file.operator('mul', 'head/standardised', [centred, scale], wide);
  const rows = file.constant('head/weights', [labels.length, codeLength], weights);
  const shift = file.constant('head/bias', [labels.length], bias);
  const scores = [1, labels.length];
  const logits = file.operator('fullyConnected', 'head/logits', [standardised, rows, shift], scores);
  file.operator('softmax', PROBABILITIES, [logits], scores, [[0, fb.float32(1)]]);
  file.output(codes);
  file.output(PROBABILITIES);
  const text = `${network.plan.name} with a head`;
  return file.encode(text, { ...identityOf(backbone), labels: JSON.stringify(labels) });
}

function identityOf({ plan }: Backbone): Record<string, string> {
  return { backbone: `${plan.name} ${plan.version}`, weights_sha256: plan.weightsSha256 };
}

/** Writes a plan's steps into a TFLite model, in floats. */
export class TfliteTarget implements GraphTarget {
  readonly #file: TfliteFile;
  readonly #backbone: Backbone;
  readonly #input: TfliteInput;

  constructor(file: TfliteFile, backbone: Backbone, input: TfliteInput) {
    this.#file = file;
    this.#backbone = backbone;
    this.#input = input;
  }

  picture(): void {
    const { height, width, channels, padValue } = this.#backbone.plan.input;
    const shape = [1, height, width, channels];
    const pixels = this.#file.input(PIXELS, this.#input, shape);
    if (this.#input === 'uint8') {
      const types = (['uint8', 'float32'] as const).map(tensorType);
      this.#file.operator(
        'cast',
        this.uncentred(),
        [pixels],
        shape,
        types.map((type, i): fb.Field => [i, fb.int8(type)]),
      );
    }
    const centre = this.#file.constant(`${PICTURE}/centre`, [channels], Float32Array.from(padValue));
    this.#file.operator('sub', PICTURE, [this.uncentred(), centre], shape);
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
      case 'hard-swish': {
        const linear = this.#linear(`${name}/linear`, layer, NONE.clip.tflite);
        this.#file.operator('hardSwish', name, [linear], this.#file.shapeOf(linear));
        return;
      }
      case 'hard-sigmoid':
        this.#hardSigmoid(name, this.#linear(`${name}/linear`, layer, NONE.clip.tflite));
    }
  }

  mean(name: string, input: string): void {
    const [n, , , channels] = this.#file.shapeOf(input);
    const space = this.#file.constant(`${name}/axes`, [2], Int32Array.of(1, 2));
    this.#file.operator('mean', name, [input, space], [n, 1, 1, channels], [[0, fb.int8(1)]]);
  }

  deviation(name: string, input: string, mean: string): void {
    const shape = this.#file.shapeOf(input);
    const difference = this.#file.operator('sub', `${name}/difference`, [input, mean], shape);
    const square = this.#file.operator('mul', `${name}/square`, [difference, difference], shape);
    this.mean(`${name}/variance`, square);
    this.#file.operator('sqrt', name, [`${name}/variance`], this.#file.shapeOf(mean));
  }

  add(name: string, a: string, b: string): void {
    this.#file.operator('add', name, [a, b], this.#file.shapeOf(a));
  }

  scale(name: string, map: string, factors: string): void {
    this.#file.operator('mul', name, [map, factors], this.#file.shapeOf(map));
  }

  codes(taps: readonly TapValue[]): string {
    const parts = taps.map(({ name, channels, value }) => {
      const shape = this.#file.constant(`${name}/shape`, [2], Int32Array.of(1, channels));
      return this.#file.operator('reshape', `${name}/code`, [value, shape], [1, channels], [[0, fb.int32s([1, channels])]]); // prettier-ignore
    });
    return this.#file.operator('concatenation', CODES, parts, [1, this.#backbone.codeLength], [[0, fb.int32(1)]]); // prettier-ignore
  }

  /** relu6(x + 3) / 6 (Howard et al. 2019). */
  #hardSigmoid(name: string, linear: string): void {
    const shape = this.#file.shapeOf(linear);
    const [three, sixth] = [3, 1 / 6].map((value, i) =>
      this.#file.constant(`${name}/${['three', 'sixth'][i]}`, [], Float32Array.of(value)),
    );
    const clipped = this.#file.operator('add', `${name}/clipped`, [linear, three], shape, [[0, fb.int8(RELU6.clip.tflite)]]); // prettier-ignore
    this.#file.operator('mul', name, [clipped, sixth], shape);
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
