/**
 * EfficientNet-Lite0 (tensorflow/tpu, models/official/efficientnet/lite) as a plan: walks the architecture, folds each
 * batch norm, and names the taps of the CNN code.
 */
import type { Activation, Padding, Tap } from '../../src/backbone/plan.ts';
import { NetworkBuilder, type Network } from './network.ts';
import { withRanges } from './ranges.ts';
import type { TorchTensor } from './torch-file.ts';

/** Inverted residual blocks of one kind, one after the other: the first has the stride and changes the channels. */
interface Stage {
  readonly blocks: number;
  readonly kernel: number;
  readonly stride: number;
  /** Channels between expansion and projection, as a multiple of the block's input. */
  readonly expansion: number;
  readonly out: number;
}

const STAGES: readonly Stage[] = [
  { blocks: 1, kernel: 3, stride: 1, expansion: 1, out: 16 },
  { blocks: 2, kernel: 3, stride: 2, expansion: 6, out: 24 },
  { blocks: 2, kernel: 5, stride: 2, expansion: 6, out: 40 },
  { blocks: 3, kernel: 3, stride: 2, expansion: 6, out: 80 },
  { blocks: 3, kernel: 5, stride: 1, expansion: 6, out: 112 },
  { blocks: 4, kernel: 5, stride: 2, expansion: 6, out: 192 },
  { blocks: 1, kernel: 3, stride: 1, expansion: 6, out: 320 },
];
const STEM_CHANNELS = 32;
const LAST_CHANNELS = 1280;
const EPSILON = 1e-3;

/** Pictures are normalised as (x − 127)/128. */
const MEAN = 127;
const DEVIATION = 128;

const SIDE = 224;
/** Multiples of 32: every map that is halved has an even side, where `samePadding` holds. */
const SIDES = [128, 160, 192, 224, 288];

/**
 * The stem and the first blocks keep single precision: their folded filters span the most orders of magnitude. They are
 * 13,000 of 3.4 million weights.
 */
const SINGLE_PRECISION_BLOCKS = 3;

/** The steps that lose most in 8 bits, 8 % of the work: on integers they compute in 16. */
const WIDE_STEPS = ['stem', 'b0.depthwise', 'b0.project', 'b1.expand', 'b1.depthwise'];

/** Blocks whose output's means and deviations are tapped; measured to serve linear heads best for their number. */
const MEAN_BLOCKS = { first: 3, last: 15 };
const DEVIATION_BLOCKS = { first: 3, last: 10 };

/**
 * @param state of PyTorch's network, by its names.
 * @throws Error when a tensor is missing or has another shape.
 */
export function efficientNetLite0(state: ReadonlyMap<string, TorchTensor>): Network {
  const builder = new Builder(state);
  builder.features();
  return withRanges(builder.network(), WIDE_STEPS);
}

class Builder {
  readonly #builder: NetworkBuilder;
  /** The step that each block ends with, and its channels. */
  readonly #outputs: { step: string; channels: number }[] = [];

  constructor(state: ReadonlyMap<string, TorchTensor>) {
    this.#builder = new NetworkBuilder(state, EPSILON, {
      mean: [MEAN, MEAN, MEAN].map((mean) => mean / 255),
      deviation: [DEVIATION, DEVIATION, DEVIATION].map((deviation) => deviation / 255),
    });
  }

  /** Stem, blocks and last convolution. */
  features(): void {
    this.#conv('stem', ['_conv_stem', '_bn0'], STEM_CHANNELS, 3, 2);
    for (const stage of STAGES) {
      for (let i = 0; i < stage.blocks; i++) this.#block(stage, i === 0 ? stage.stride : 1);
    }
    this.#conv('last', ['_conv_head', '_bn1'], LAST_CHANNELS, 1, 1);
  }

  network(): Network {
    const { steps, tensors } = this.#builder;
    const padValue = [MEAN, MEAN, MEAN];
    return {
      plan: {
        format: 'headwater-plan/1',
        name: 'efficientnet-lite0',
        version: '1',
        input: { height: SIDE, width: SIDE, channels: 3, padValue, sides: SIDES },
        steps,
        taps: this.#taps(),
      },
      tensors,
    };
  }

  #taps(): Tap[] {
    const blocks = this.#outputs.map(({ step, channels }, index) => ({ index, step, channels }));
    const within = ({ first, last }: { first: number; last: number }): typeof blocks =>
      blocks.filter(({ index }) => index >= first && index <= last);
    return [
      ...within(MEAN_BLOCKS).map(({ index, step, channels }) => ({ name: `b${index}.mean`, step, channels })),
      ...within(DEVIATION_BLOCKS).map(({ index, step, channels }) => {
        return { name: `b${index}.deviation`, step, channels, statistic: 'deviation' as const };
      }),
      { name: 'last.mean', step: 'last', channels: LAST_CHANNELS },
    ];
  }

  #block({ kernel, expansion, out }: Stage, stride: number): void {
    const index = this.#outputs.length;
    const { latest: input, channels } = this.#builder;
    const name = `b${index}`;
    const source = `_blocks.${index}.`;
    this.#builder.half = index >= SINGLE_PRECISION_BLOCKS;
    if (expansion !== 1) {
      this.#conv(`${name}.expand`, [`${source}_expand_conv`, `${source}_bn0`], channels * expansion, 1, 1);
    }
    const depthwise = [`${source}_depthwise_conv`, `${source}_bn1`] as const;
    this.#conv(`${name}.depthwise`, depthwise, this.#builder.channels, kernel, stride, 'relu6', 'depthwise');
    this.#conv(`${name}.project`, [`${source}_project_conv`, `${source}_bn2`], out, 1, 1, 'none');
    if (stride === 1 && out === channels) {
      this.#builder.push({ op: 'add', name: `${name}.add`, input: this.#builder.latest, other: input });
    }
    this.#outputs.push({ step: this.#builder.latest, channels: out });
  }

  /** @param source names of convolution and batch norm. */
  #conv(
    name: string,
    source: readonly [string, string],
    out: number,
    kernel: number,
    stride: number,
    activation: Activation = 'relu6',
    op: 'conv' | 'depthwise' = 'conv',
  ): void {
    const padding = samePadding(kernel, stride);
    this.#builder.convolution({ op, name, source, out, kernel, stride, padding, activation });
  }
}

/**
 * TensorFlow's padding "same" for a map whose side is a multiple of the stride: kernel − stride rows and columns in all,
 * the odd one at the end.
 */
function samePadding(kernel: number, stride: number): Padding {
  const total = kernel - stride;
  const before = Math.floor(total / 2);
  return [before, total - before, before, total - before];
}
