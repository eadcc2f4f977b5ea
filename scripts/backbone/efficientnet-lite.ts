/**
 * EfficientNet-Lite0 (TensorFlow's efficientnet/lite: EfficientNet of Tan & Le 2019 without squeeze-and-excite, with ReLU6) as
 * a plan: walks the architecture as the package `efficientnet-lite-pytorch` names it, folds each batch norm, and names the taps.
 */
import type { Activation, Padding, Step, Tap } from '../../src/backbone/plan.ts';
import { foldBatchNorm, foldInputNormalisation, toHwio, type BatchNormParameters } from './fold.ts';
import type { Network, NetworkTensor } from './mobilenet-v3.ts';
import type { TorchTensor } from './torch-pickle.ts';

interface Stage {
  readonly blocks: number;
  readonly kernel: 3 | 5;
  /** Of its first block; the others have 1. */
  readonly stride: 1 | 2;
  /** Channels of the depthwise convolution to those of the block's input. */
  readonly expansion: 1 | 6;
  readonly out: number;
}

const STEM_CHANNELS = 32;
const LAST_CHANNELS = 1280;
const STAGES: readonly Stage[] = [
  { blocks: 1, kernel: 3, stride: 1, expansion: 1, out: 16 },
  { blocks: 2, kernel: 3, stride: 2, expansion: 6, out: 24 },
  { blocks: 2, kernel: 5, stride: 2, expansion: 6, out: 40 },
  { blocks: 3, kernel: 3, stride: 2, expansion: 6, out: 80 },
  { blocks: 3, kernel: 5, stride: 1, expansion: 6, out: 112 },
  { blocks: 4, kernel: 5, stride: 2, expansion: 6, out: 192 },
  { blocks: 1, kernel: 3, stride: 1, expansion: 6, out: 320 },
];
const EPSILON = 1e-3;
/** The network reads (x − 127) / 128, here in units of 255 as `foldInputNormalisation` wants them. */
const MEAN = 127;
const DEVIATION = 128;
/** What it was trained at, and sides at which "same" padding comes out alike: multiples of 32. */
const SIDE = 224;
const SIDES = [128, 160, 192, 224, 288];

/** The stem's and the first blocks' filters span orders of magnitude, and are few: they keep single precision. */
const SINGLE_PRECISION_BLOCKS = 3;

/**
 * Blocks whose output's mean and deviation are tapped. Measured on linear heads: fewer of either lose accuracy, earlier ones
 * add none.
 */
const MEANS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const DEVIATIONS = [3, 4, 5, 6, 7, 8, 9, 10];

/** @throws Error where the file lacks a tensor or has one of another shape. */
export function efficientNetLite0(source: ReadonlyMap<string, TorchTensor>): Network {
  return new Builder(source).network();
}

interface Layer {
  readonly op: 'conv' | 'depthwise';
  /** Names of the source's convolution and of its batch norm. */
  readonly convolution: string;
  readonly norm: string;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly activation: Activation;
}

class Builder {
  readonly #source: ReadonlyMap<string, TorchTensor>;
  readonly #steps: Step[] = [];
  readonly #tensors = new Map<string, NetworkTensor>();
  /** The latest step and its channels. */
  #latest = 'input';
  #channels = 3;
  /** Names and channels of the blocks' outputs. */
  readonly #outputs: { readonly step: string; readonly channels: number }[] = [];

  constructor(source: ReadonlyMap<string, TorchTensor>) {
    this.#source = source;
  }

  network(): Network {
    const whole = { kernel: 1, stride: 1, activation: 'relu6' } as const;
    const stem = { ...whole, out: STEM_CHANNELS, kernel: 3, stride: 2 };
    this.#layer('stem', { op: 'conv', convolution: '_conv_stem', norm: '_bn0', ...stem });
    for (const stage of STAGES) {
      for (let i = 0; i < stage.blocks; i++) this.#block({ ...stage, stride: i === 0 ? stage.stride : 1 });
    }
    const last = { ...whole, out: LAST_CHANNELS };
    this.#layer('last', { op: 'conv', convolution: '_conv_head', norm: '_bn1', ...last });
    const input = { height: SIDE, width: SIDE, channels: 3, padValue: [MEAN, MEAN, MEAN], sides: SIDES };
    return {
      plan: {
        format: 'headwater-plan/1',
        name: 'efficientnet-lite0',
        version: '1',
        input,
        steps: this.#steps,
        taps: this.#taps(),
      },
      tensors: this.#tensors,
    };
  }

  #taps(): Tap[] {
    const of = (block: number, statistic: 'mean' | 'deviation'): Tap => {
      const tap = { name: `b${block}.${statistic}`, ...this.#outputs[block] };
      return statistic === 'mean' ? tap : { ...tap, statistic };
    };
    return [
      ...MEANS.map((block) => of(block, 'mean')),
      ...DEVIATIONS.map((block) => of(block, 'deviation')),
      { name: 'last.mean', step: 'last', channels: LAST_CHANNELS },
    ];
  }

  /** An inverted residual block (Sandler et al. 2018). */
  #block({ kernel, stride, expansion, out }: Stage): void {
    const [name, source] = [`b${this.#outputs.length}`, `_blocks.${this.#outputs.length}`];
    const [input, channels] = [this.#latest, this.#channels];
    const wide = channels * expansion;
    const still = { kernel: 1, stride: 1 } as const;
    if (expansion > 1) {
      const expand = { convolution: `${source}._expand_conv`, norm: `${source}._bn0`, out: wide };
      this.#layer(`${name}.expand`, { op: 'conv', ...expand, ...still, activation: 'relu6' });
    }
    const depthwise = { convolution: `${source}._depthwise_conv`, norm: `${source}._bn1`, out: wide };
    this.#layer(`${name}.depthwise`, { op: 'depthwise', ...depthwise, kernel, stride, activation: 'relu6' });
    const project = { convolution: `${source}._project_conv`, norm: `${source}._bn2`, out };
    this.#layer(`${name}.project`, { op: 'conv', ...project, ...still, activation: 'none' });
    if (stride === 1 && out === channels)
      this.#push({ op: 'add', name: `${name}.add`, input: this.#latest, other: input });
    this.#outputs.push({ step: this.#latest, channels: out });
  }

  #layer(name: string, { op, convolution, norm, out, kernel, stride, activation }: Layer): void {
    const ins = op === 'conv' ? this.#channels : 1;
    const shape = [out, ins, kernel, kernel];
    const raw = this.#tensor(`${convolution}.weight`, shape);
    let folded = foldBatchNorm(raw, this.#batchNorm(name, norm, out), EPSILON);
    if (this.#latest === 'input') {
      const [mean, deviation] = [MEAN, DEVIATION].map((value) => Array<number>(3).fill(value / 255));
      folded = foldInputNormalisation(folded, mean, deviation);
    }
    const wanted = op === 'conv' ? [kernel, kernel, ins, out] : [kernel, kernel, out];
    const half = this.#outputs.length >= SINGLE_PRECISION_BLOCKS;
    this.#put(`${name}.weights`, wanted, toHwio(folded.weights, shape), half);
    this.#put(`${name}.bias`, [out], folded.bias, false);
    this.#push({
      op,
      name,
      input: this.#latest,
      weights: `${name}.weights`,
      bias: `${name}.bias`,
      stride,
      padding: samePadding(kernel, stride),
      activation,
      batchNorm: { gamma: `${name}.gamma`, beta: `${name}.beta` },
    });
    this.#channels = out;
  }

  #batchNorm(name: string, source: string, channels: number): BatchNormParameters {
    const read = (part: string): Float32Array => this.#tensor(`${source}.${part}`, [channels]);
    const norm = {
      gamma: read('weight'),
      beta: read('bias'),
      mean: read('running_mean'),
      variance: read('running_var'),
    };
    this.#put(`${name}.gamma`, [channels], norm.gamma, false);
    this.#put(`${name}.beta`, [channels], norm.beta, false);
    return norm;
  }

  #push(step: Step): void {
    this.#steps.push(step);
    this.#latest = step.name;
  }

  #put(name: string, shape: readonly number[], values: Float32Array, half: boolean): void {
    this.#tensors.set(name, { shape, values, half });
  }

  #tensor(name: string, shape: readonly number[]): Float32Array {
    const tensor = this.#source.get(name);
    if (tensor === undefined) throw new Error(`The source has no tensor ${name}.`);
    if (tensor.shape.join() !== shape.join())
      throw new Error(`The source's tensor ${name} is [${tensor.shape.join()}], not [${shape.join()}].`);
    return tensor.values;
  }
}

/**
 * TensorFlow's "same": as little as gives an output of ceil(side / stride), the odd one behind. Of even sides, which all are
 * whose output is halved here, it depends on kernel and stride alone.
 */
function samePadding(kernel: number, stride: number): Padding {
  const total = kernel - stride;
  const [before, after] = [Math.floor(total / 2), Math.ceil(total / 2)];
  return [before, after, before, after];
}
