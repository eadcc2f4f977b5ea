/**
 * torchvision's MobileNetV3-Small (Howard et al. 2019; torchvision/models/mobilenetv3.py) as a plan: walks the
 * architecture, folds each batch norm, and names the taps of the CNN code.
 */
import type { Activation, Padding } from '../../src/backbone/plan.ts';
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

/** The network up to its last tap: pictures to CNN codes. @throws Error when a number or tensor is missing. */
export function mobileNetV3Small({ metadata, tensors }: GgufFile): Network {
  const number = (key: string): number => {
    const value = metadata.get(`mobilenet.${key}`);
    if (typeof value !== 'number') throw new Error(`The source's metadata have no number mobilenet.${key}.`);
    return value;
  };
  const [mean, deviation] = ['mean', 'std'].map((kind) => ['r', 'g', 'b'].map((c) => number(`${kind}_${c}`)));
  const builder = new NetworkBuilder(tensors, number('bn_eps'), { mean, deviation });
  addConvolution(builder, 'stem', 'features.0', STEM_CHANNELS, 3, 2, 'hard-swish');
  for (const [index, bottleneck] of BOTTLENECKS.entries()) addBottleneck(builder, index, bottleneck);
  const source = `features.${BOTTLENECKS.length + 1}`;
  addConvolution(builder, 'last', source, builder.channels * 6, 1, 1, 'hard-swish');
  const taps = TAPPED_BOTTLENECKS.map((index) => ({
    name: `b${index}`,
    step: `b${index}.depthwise`,
    channels: BOTTLENECKS[index].expanded,
  }));
  const last = { name: 'last', step: 'last', channels: builder.channels };
  return builder.network('mobilenet-v3-small', number('image_size'), [...taps, last]);
}

function addBottleneck(builder: NetworkBuilder, index: number, bottleneck: Bottleneck): void {
  const { kernel, expanded, out, squeezeExcite, activation, stride } = bottleneck;
  builder.half = index >= SINGLE_PRECISION_BOTTLENECKS;
  const name = `b${index}`;
  const source = `features.${index + 1}.block`;
  const { latest: input, channels } = builder;
  let part = 0;
  if (expanded !== channels)
    addConvolution(builder, `${name}.expand`, `${source}.${part++}`, expanded, 1, 1, activation);
  const depthwise = `${source}.${part++}`;
  addConvolution(builder, `${name}.depthwise`, depthwise, expanded, kernel, stride, activation, 'depthwise');
  if (squeezeExcite) addSqueezeExcite(builder, `${name}.squeeze-excite`, `${source}.${part++}`);
  addConvolution(builder, `${name}.project`, `${source}.${part}`, out, 1, 1, 'none');
  if (stride === 1 && out === channels)
    builder.push({ op: 'add', name: `${name}.add`, input: builder.latest, other: input });
}

function addConvolution(
  builder: NetworkBuilder,
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
  builder.convolution({ op, name, source: names, out, kernel, stride, padding, activation });
}

function addSqueezeExcite(builder: NetworkBuilder, name: string, source: string): void {
  const { channels, half } = builder;
  const reduceBias = builder.read(`${source}.fc1.bias`);
  const squeezed = reduceBias.length;
  const dense = (part: string, outs: number, ins: number): Float32Array =>
    toHwio(builder.read(`${source}.${part}.weight`, [outs, ins, 1, 1]), [outs, ins, 1, 1]);
  builder.push({
    op: 'squeeze-excite',
    name,
    input: builder.latest,
    reduceWeights: builder.put(`${name}.reduce.weights`, [channels, squeezed], dense('fc1', squeezed, channels), half), // prettier-ignore
    reduceBias: builder.put(`${name}.reduce.bias`, [squeezed], reduceBias),
    expandWeights: builder.put(`${name}.expand.weights`, [squeezed, channels], dense('fc2', channels, squeezed), half), // prettier-ignore
    expandBias: builder.put(`${name}.expand.bias`, [channels], builder.read(`${source}.fc2.bias`, [channels])), // prettier-ignore
  });
}
