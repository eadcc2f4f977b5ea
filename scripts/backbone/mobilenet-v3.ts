/**
 * torchvision's MobileNetV3-Small (Howard et al. 2019; torchvision/models/mobilenetv3.py) as a plan: walks the
 * architecture, folds each batch norm, and names the taps of the CNN code.
 */
import type { Activation, Padding, Plan, Step } from '../../src/backbone/plan.ts';
import type { BatchNormParameters, Folded } from './fold.ts';
import { foldBatchNorm, foldInputNormalisation, toHwio } from './fold.ts';
import type { GgufFile, GgufTensor } from './gguf.ts';

/** The plan but for the hash of a weights file that is yet to be written, and the weights. */
export interface Network {
  readonly plan: Omit<Plan, 'weightsSha256'>;
  readonly tensors: Map<string, NetworkTensor>;
}

export interface NetworkTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Whether half precision will do. */
  readonly half: boolean;
}

interface Bottleneck {
  readonly kernel: number;
  readonly expanded: number;
  readonly out: number;
  readonly squeezeExcite: boolean;
  readonly activation: Activation;
  readonly stride: number;
}

/** torchvision's table for the small network: kernel, expanded and output channels, SE, activation, stride. */
const BOTTLENECKS: readonly Bottleneck[] = [
  { kernel: 3, expanded: 16, out: 16, squeezeExcite: true, activation: 'relu', stride: 2 },
  { kernel: 3, expanded: 72, out: 24, squeezeExcite: false, activation: 'relu', stride: 2 },
  { kernel: 3, expanded: 88, out: 24, squeezeExcite: false, activation: 'relu', stride: 1 },
  { kernel: 5, expanded: 96, out: 40, squeezeExcite: true, activation: 'hard-swish', stride: 2 },
  { kernel: 5, expanded: 240, out: 40, squeezeExcite: true, activation: 'hard-swish', stride: 1 },
  { kernel: 5, expanded: 240, out: 40, squeezeExcite: true, activation: 'hard-swish', stride: 1 },
  { kernel: 5, expanded: 120, out: 48, squeezeExcite: true, activation: 'hard-swish', stride: 1 },
  { kernel: 5, expanded: 144, out: 48, squeezeExcite: true, activation: 'hard-swish', stride: 1 },
  { kernel: 5, expanded: 288, out: 96, squeezeExcite: true, activation: 'hard-swish', stride: 2 },
  { kernel: 5, expanded: 576, out: 96, squeezeExcite: true, activation: 'hard-swish', stride: 1 },
  { kernel: 5, expanded: 576, out: 96, squeezeExcite: true, activation: 'hard-swish', stride: 1 },
];
const STEM_CHANNELS = 16;

/**
 * The stem and the first bottlenecks keep single precision: their folded filters span five orders of magnitude, and in
 * half precision they alone make nine tenths of the error in the codes. They are 10,000 of 900,000 weights.
 */
const SINGLE_PRECISION_BOTTLENECKS = 3;

/** Bottlenecks whose activated depthwise output is tapped; measured to serve linear heads best together. */
const TAPPED_BOTTLENECKS = [3, 5, 7, 9, 10];

/** The network up to its last tap: pictures to CNN codes. */
export function mobileNetV3Small(gguf: GgufFile): Network {
  const builder = new Builder(gguf);
  const last = builder.features();
  const taps = [
    ...TAPPED_BOTTLENECKS.map((index) => ({
      name: `b${index}`,
      step: `b${index}.depthwise`,
      channels: BOTTLENECKS[index].expanded,
    })),
    { name: 'last', step: last, channels: builder.channels },
  ];
  return builder.network('mobilenet-v3-small', taps);
}

/** The whole network with its pretrained classifier: pictures to logits, to check that the import is right. */
export function mobileNetV3SmallClassifier(gguf: GgufFile): Network {
  const builder = new Builder(gguf);
  builder.features();
  const logits = builder.classifier();
  return builder.network('mobilenet-v3-small-classifier', [
    { name: logits, step: logits, channels: builder.channels },
  ]);
}

class Builder {
  readonly #gguf: GgufFile;
  readonly #steps: Step[] = [];
  readonly #tensors = new Map<string, NetworkTensor>();
  readonly #epsilon: number;
  readonly #mean: number[];
  readonly #deviation: number[];
  /** The latest step and its channels. */
  #latest = 'input';
  channels = 3;
  /** Whether the filters read now may be rounded to half precision. */
  #half = false;

  constructor(gguf: GgufFile) {
    this.#gguf = gguf;
    this.#epsilon = this.#number('mobilenet.bn_eps');
    this.#mean = ['r', 'g', 'b'].map((c) => this.#number(`mobilenet.mean_${c}`));
    this.#deviation = ['r', 'g', 'b'].map((c) => this.#number(`mobilenet.std_${c}`));
  }

  /** Stem, bottlenecks and last convolution. Returns the last step's name. */
  features(): string {
    this.#conv('stem', 'features.0', STEM_CHANNELS, 3, 2, 'hard-swish');
    for (const [index, bottleneck] of BOTTLENECKS.entries()) this.#bottleneck(index, bottleneck);
    this.#conv('last', `features.${BOTTLENECKS.length + 1}`, this.channels * 6, 1, 1, 'hard-swish');
    return 'last';
  }

  classifier(): string {
    this.#push({ op: 'mean', name: 'pool', input: this.#latest });
    this.#dense('hidden', 'classifier.0', 'hard-swish');
    this.#dense('logits', 'classifier.3', 'none');
    return 'logits';
  }

  network(name: string, taps: Plan['taps']): Network {
    const side = this.#number('mobilenet.image_size');
    return {
      plan: {
        format: 'headwater-plan/1',
        name,
        version: '1',
        input: {
          height: side,
          width: side,
          channels: 3,
          padValue: this.#mean.map((m) => Math.fround(255 * m)),
        },
        steps: this.#steps,
        taps,
      },
      tensors: this.#tensors,
    };
  }

  #bottleneck(index: number, { kernel, expanded, out, squeezeExcite, activation, stride }: Bottleneck): void {
    this.#half = index >= SINGLE_PRECISION_BOTTLENECKS;
    const name = `b${index}`;
    const source = `features.${index + 1}.block`;
    const input = this.#latest;
    const inputChannels = this.channels;
    let part = 0;
    if (expanded !== inputChannels) {
      this.#conv(`${name}.expand`, `${source}.${part++}`, expanded, 1, 1, activation);
    }
    this.#depthwise(`${name}.depthwise`, `${source}.${part++}`, kernel, stride, activation);
    if (squeezeExcite) this.#squeezeExcite(`${name}.squeeze-excite`, `${source}.${part++}`);
    this.#conv(`${name}.project`, `${source}.${part}`, out, 1, 1, 'none');
    if (stride === 1 && out === inputChannels) {
      this.#push({ op: 'add', name: `${name}.add`, input: this.#latest, other: input });
    }
  }

  #conv(
    name: string,
    source: string,
    out: number,
    kernel: number,
    stride: number,
    activation: Activation,
  ): void {
    const shape = [out, this.channels, kernel, kernel];
    const raw = this.#tensor(`${source}.0.weight`, shape);
    let folded = foldBatchNorm(raw.values, this.#batchNorm(name, `${source}.1`, out), this.#epsilon);
    if (this.#latest === 'input') folded = foldInputNormalisation(folded, this.#mean, this.#deviation);
    const values = toHwio(folded.weights, shape);
    const weights = this.#put(`${name}.weights`, [kernel, kernel, this.channels, out], values, this.#half);
    this.#pushConvolution('conv', name, weights, folded, { kernel, stride, activation });
    this.channels = out;
  }

  #depthwise(name: string, source: string, kernel: number, stride: number, activation: Activation): void {
    const { channels } = this;
    const raw = this.#tensor(`${source}.0.weight`, [channels, 1, kernel, kernel]);
    const folded = foldBatchNorm(raw.values, this.#batchNorm(name, `${source}.1`, channels), this.#epsilon);
    // A depthwise filter is a convolution of one input channel.
    const values = toHwio(folded.weights, raw.shape);
    const weights = this.#put(`${name}.weights`, [kernel, kernel, channels], values, this.#half);
    this.#pushConvolution('depthwise', name, weights, folded, { kernel, stride, activation });
  }

  #pushConvolution(
    op: 'conv' | 'depthwise',
    name: string,
    weights: string,
    { bias }: Folded,
    { kernel, stride, activation }: { kernel: number; stride: number; activation: Activation },
  ): void {
    const side = (kernel - 1) / 2;
    const padding: Padding = [side, side, side, side];
    const batchNorm = { gamma: `${name}.gamma`, beta: `${name}.beta` };
    const biasName = this.#put(`${name}.bias`, [bias.length], bias, false);
    this.#push({
      op,
      name,
      input: this.#latest,
      weights,
      bias: biasName,
      stride,
      padding,
      activation,
      batchNorm,
    });
  }

  #squeezeExcite(name: string, source: string): void {
    const { channels } = this;
    const squeezed = this.#any(`${source}.fc1.bias`).values.length;
    const reduce = this.#tensor(`${source}.fc1.weight`, [squeezed, channels, 1, 1]);
    const expand = this.#tensor(`${source}.fc2.weight`, [channels, squeezed, 1, 1]);
    const put = (part: string, shape: number[], values: Float32Array, half: boolean): string =>
      this.#put(`${name}.${part}`, shape, values, half);
    this.#push({
      op: 'squeeze-excite',
      name,
      input: this.#latest,
      reduceWeights: put(
        'reduce.weights',
        [channels, squeezed],
        toHwio(reduce.values, reduce.shape),
        this.#half,
      ),
      reduceBias: put('reduce.bias', [squeezed], this.#any(`${source}.fc1.bias`).values, false),
      expandWeights: put(
        'expand.weights',
        [squeezed, channels],
        toHwio(expand.values, expand.shape),
        this.#half,
      ),
      expandBias: put(
        'expand.bias',
        [channels],
        this.#tensor(`${source}.fc2.bias`, [channels]).values,
        false,
      ),
    });
  }

  #dense(name: string, source: string, activation: Activation): void {
    const bias = this.#any(`${source}.bias`).values;
    const { values } = this.#tensor(`${source}.weight`, [bias.length, this.channels]);
    const transposed = toHwio(values, [bias.length, this.channels, 1, 1]);
    this.#push({
      op: 'dense',
      name,
      input: this.#latest,
      weights: this.#put(`${name}.weights`, [this.channels, bias.length], transposed, true),
      bias: this.#put(`${name}.bias`, [bias.length], bias, false),
      activation,
    });
    this.channels = bias.length;
  }

  #batchNorm(name: string, source: string, channels: number): BatchNormParameters {
    const read = (part: string): Float32Array => this.#tensor(`${source}.${part}`, [channels]).values;
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

  #put(name: string, shape: readonly number[], values: Float32Array, half: boolean): string {
    this.#tensors.set(name, { shape, values, half });
    return name;
  }

  #tensor(name: string, shape: readonly number[]): GgufTensor {
    const tensor = this.#any(name);
    if (tensor.shape.join() !== shape.join()) {
      throw new Error(`The source's tensor ${name} is [${tensor.shape.join()}], not [${shape.join()}].`);
    }
    return tensor;
  }

  #any(name: string): GgufTensor {
    const tensor = this.#gguf.tensors.get(name);
    if (tensor === undefined) throw new Error(`The source has no tensor ${name}.`);
    return tensor;
  }

  #number(key: string): number {
    const value = this.#gguf.metadata.get(key);
    if (typeof value !== 'number') throw new Error(`The source's metadata have no number ${key}.`);
    return value;
  }
}
