/**
 * EfficientNet-Lite0 (tensorflow/tpu, models/official/efficientnet/lite) as a plan: walks the architecture, folds each
 * batch norm, and names the taps of the CNN code.
 */
import type { Activation, Padding, Tap } from '../../src/backbone/plan.ts';
import { type Network, NetworkBuilder, type SourceTensor } from './network.ts';
import { withRanges } from './ranges.ts';

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
export function efficientNetLite0(state: ReadonlyMap<string, SourceTensor>): Network {
  const builder = new NetworkBuilder(state, EPSILON, {
    mean: Array<number>(3).fill(MEAN / 255),
    deviation: Array<number>(3).fill(DEVIATION / 255),
  });
  addConvolution(builder, 'stem', ['_conv_stem', '_bn0'], STEM_CHANNELS, 3, 2);
  const outputs: Output[] = [];
  for (const stage of STAGES)
    for (let i = 0; i < stage.blocks; i++)
      outputs.push(addBlock(builder, outputs.length, stage, i === 0 ? stage.stride : 1));
  addConvolution(builder, 'last', ['_conv_head', '_bn1'], LAST_CHANNELS, 1, 1);
  return withRanges(builder.network('efficientnet-lite0', SIDE, tapsOf(outputs), SIDES), WIDE_STEPS);
}

/** The step that a block ends with, and its channels. */
type Output = Pick<Tap, 'step' | 'channels'>;

function tapsOf(outputs: readonly Output[]): Tap[] {
  const tapped = ({ first, last }: typeof MEAN_BLOCKS, more: Pick<Tap, 'statistic'>, kind: string): Tap[] =>
    outputs
      .map((output, index) => ({ name: `b${index}.${kind}`, ...output, ...more }))
      .slice(first, last + 1);
  return [
    ...tapped(MEAN_BLOCKS, {}, 'mean'),
    ...tapped(DEVIATION_BLOCKS, { statistic: 'deviation' }, 'deviation'),
    { name: 'last.mean', step: 'last', channels: LAST_CHANNELS },
  ];
}

function addBlock(
  builder: NetworkBuilder,
  index: number,
  { kernel, expansion, out }: Stage,
  stride: number,
): Output {
  const { latest: input, channels } = builder;
  const name = `b${index}`;
  const source = `_blocks.${index}.`;
  builder.half = index >= SINGLE_PRECISION_BLOCKS;
  if (expansion !== 1) {
    const expand = [`${source}_expand_conv`, `${source}_bn0`] as const;
    addConvolution(builder, `${name}.expand`, expand, channels * expansion, 1, 1);
  }
  const depthwise = [`${source}_depthwise_conv`, `${source}_bn1`] as const;
  addConvolution(builder, `${name}.depthwise`, depthwise, builder.channels, kernel, stride, 'relu6', 'depthwise'); // prettier-ignore
  addConvolution(builder, `${name}.project`, [`${source}_project_conv`, `${source}_bn2`], out, 1, 1, 'none');
  if (stride === 1 && out === channels)
    builder.push({ op: 'add', name: `${name}.add`, input: builder.latest, other: input });
  return { step: builder.latest, channels: out };
}

/** @param source names of convolution and batch norm. */
function addConvolution(
  builder: NetworkBuilder,
  name: string,
  source: readonly [string, string],
  out: number,
  kernel: number,
  stride: number,
  activation: Activation = 'relu6',
  op: 'conv' | 'depthwise' = 'conv',
): void {
  const padding = samePadding(kernel, stride);
  builder.convolution({ op, name, source, out, kernel, stride, padding, activation });
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
