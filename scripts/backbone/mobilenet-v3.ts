/**
 * torchvision's MobileNetV3-Small (Howard et al. 2019; torchvision/models/mobilenetv3.py) as a plan: walks the
 * architecture, folds each batch norm, and names the taps of the CNN code.
 */
import type { Activation, Padding, Plan } from '../../src/backbone/plan.ts';
import { toHwio } from './fold.ts';
import type { GgufFile } from './gguf.ts';
import { NetworkBuilder, type Network } from './network.ts';

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
  readonly #mean: readonly number[];
  readonly #builder: NetworkBuilder;

  constructor(gguf: GgufFile) {
    this.#gguf = gguf;
    this.#mean = ['r', 'g', 'b'].map((c) => this.#number(`mobilenet.mean_${c}`));
    const deviation = ['r', 'g', 'b'].map((c) => this.#number(`mobilenet.std_${c}`));
    const epsilon = this.#number('mobilenet.bn_eps');
    this.#builder = new NetworkBuilder(gguf.tensors, epsilon, { mean: this.#mean, deviation });
  }

  get channels(): number {
    return this.#builder.channels;
  }

  /** Stem, bottlenecks and last convolution. Returns the last step's name. */
  features(): string {
    this.#conv('stem', 'features.0', STEM_CHANNELS, 3, 2, 'hard-swish');
    for (const [index, bottleneck] of BOTTLENECKS.entries()) this.#bottleneck(index, bottleneck);
    this.#conv('last', `features.${BOTTLENECKS.length + 1}`, this.channels * 6, 1, 1, 'hard-swish');
    return 'last';
  }

  classifier(): string {
    this.#builder.push({ op: 'mean', name: 'pool', input: this.#builder.latest });
    this.#dense('hidden', 'classifier.0', 'hard-swish');
    this.#dense('logits', 'classifier.3', 'none');
    return 'logits';
  }

  network(name: string, taps: Plan['taps']): Network {
    const side = this.#number('mobilenet.image_size');
    const padValue = this.#mean.map((m) => Math.fround(255 * m));
    const { steps, tensors } = this.#builder;
    return {
      plan: {
        format: 'headwater-plan/1',
        name,
        version: '1',
        input: { height: side, width: side, channels: 3, padValue },
        steps,
        taps,
      },
      tensors,
    };
  }

  #bottleneck(index: number, { kernel, expanded, out, squeezeExcite, activation, stride }: Bottleneck): void {
    this.#builder.half = index >= SINGLE_PRECISION_BOTTLENECKS;
    const name = `b${index}`;
    const source = `features.${index + 1}.block`;
    const { latest: input, channels: inputChannels } = this.#builder;
    let part = 0;
    if (expanded !== inputChannels) {
      this.#conv(`${name}.expand`, `${source}.${part++}`, expanded, 1, 1, activation);
    }
    this.#conv(`${name}.depthwise`, `${source}.${part++}`, expanded, kernel, stride, activation, 'depthwise');
    if (squeezeExcite) this.#squeezeExcite(`${name}.squeeze-excite`, `${source}.${part++}`);
    this.#conv(`${name}.project`, `${source}.${part}`, out, 1, 1, 'none');
    if (stride === 1 && out === inputChannels) {
      this.#builder.push({ op: 'add', name: `${name}.add`, input: this.#builder.latest, other: input });
    }
  }

  #conv(
    name: string,
    source: string,
    out: number,
    kernel: number,
    stride: number,
    activation: Activation,
    op: 'conv' | 'depthwise' = 'conv',
  ): void {
    const side = (kernel - 1) / 2;
    const padding: Padding = [side, side, side, side];
    const names = [`${source}.0`, `${source}.1`] as const;
    this.#builder.convolution({ op, name, source: names, out, kernel, stride, padding, activation });
  }

  #squeezeExcite(name: string, source: string): void {
    const { channels, half } = this.#builder;
    const reduceBias = this.#builder.read(`${source}.fc1.bias`);
    const squeezed = reduceBias.length;
    const [down, up] = [
      [squeezed, channels, 1, 1],
      [channels, squeezed, 1, 1],
    ];
    const reduce = toHwio(this.#builder.read(`${source}.fc1.weight`, down), down);
    const expand = toHwio(this.#builder.read(`${source}.fc2.weight`, up), up);
    const expandBias = this.#builder.read(`${source}.fc2.bias`, [channels]);
    const put = (part: string, shape: number[], values: Float32Array, rounded = false): string =>
      this.#builder.put(`${name}.${part}`, shape, values, rounded);
    this.#builder.push({
      op: 'squeeze-excite',
      name,
      input: this.#builder.latest,
      reduceWeights: put('reduce.weights', [channels, squeezed], reduce, half),
      reduceBias: put('reduce.bias', [squeezed], reduceBias),
      expandWeights: put('expand.weights', [squeezed, channels], expand, half),
      expandBias: put('expand.bias', [channels], expandBias),
    });
  }

  #dense(name: string, source: string, activation: Activation): void {
    const bias = this.#builder.read(`${source}.bias`);
    const { channels } = this.#builder;
    const values = this.#builder.read(`${source}.weight`, [bias.length, channels]);
    const transposed = toHwio(values, [bias.length, channels, 1, 1]);
    this.#builder.push({
      op: 'dense',
      name,
      input: this.#builder.latest,
      weights: this.#builder.put(`${name}.weights`, [channels, bias.length], transposed, true),
      bias: this.#builder.put(`${name}.bias`, [bias.length], bias),
      activation,
    });
    this.#builder.channels = bias.length;
  }

  #number(key: string): number {
    const value = this.#gguf.metadata.get(key);
    if (typeof value !== 'number') throw new Error(`The source's metadata have no number ${key}.`);
    return value;
  }
}
