/**
 * A network as a graph of symbolic values, built by the readers of model formats. Elementwise affine maps and clippings
 * are carried along instead of being nodes, so that however a model writes batch norm, bias, ReLU6, hard-swish or input
 * normalisation, the same few kinds of value come out, which emit.ts folds into a plan's steps. Values are immutable.
 */
import type { MapShape } from '../../src/backbone/index.ts';
import type { Padding } from '../../src/backbone/plan.ts';
import { invalid, unsupported } from './model-error.ts';
import type { ModelTensor } from './weights.ts';

/** What a value is computed from by elementwise maps alone. */
export type Root =
  | Picture
  | Linear
  | { readonly op: 'mean'; readonly name: string; readonly input: Value }
  | { readonly op: 'add'; readonly name: string; readonly a: Value; readonly b: Value }
  | SqueezeExcite
  /** `input` as a whole, to apply further elementwise maps to. */
  | { readonly op: 'value'; readonly name: string; readonly input: Value };

/** The picture, RGB. A model of grey pictures reads the sum of its channels, each times its `luma`, as one channel. */
export interface Picture {
  readonly op: 'input';
  readonly luma?: readonly number[];
}

/** A convolution or a fully connected layer without bias. */
export interface Linear {
  readonly op: 'conv' | 'depthwise' | 'dense';
  readonly name: string;
  readonly input: Value;
  /** conv: [height, width, in, out]; depthwise: [height, width, channels]; dense: [in, out]. */
  readonly shape: readonly number[];
  readonly weights: Float32Array;
  readonly stride: number;
  readonly padding: Padding;
}

export interface SqueezeExcite {
  readonly op: 'squeeze-excite';
  readonly name: string;
  readonly input: Value;
  /** Affine maps of the two layers: relu(reduce), hard-sigmoid(expand). */
  readonly reduce: Value;
  readonly expand: Value;
}

/** One scale and shift a channel. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

export type Bend =
  | { readonly kind: 'none' }
  | { readonly kind: 'clip'; readonly low: number; readonly high: number }
  | { readonly kind: 'hard-swish' };

/** after(bend(before(root))) */
export interface Value {
  readonly root: Root;
  readonly shape: MapShape;
  readonly before: Affine;
  readonly bend: Bend;
  readonly after: Affine;
  /** γ and β of the batch norm that `before` ends with. */
  readonly batchNorm?: { readonly gamma: Float32Array; readonly beta: Float32Array };
  /** Zeros put around the value, for the convolution that reads it. */
  readonly padding: Padding;
}

export const NO_PADDING: Padding = [0, 0, 0, 0];
export const NONE: Bend = { kind: 'none' };

/** @param shape of the RGB picture, also where `luma` makes a grey one of it. */
export function inputValue(shape: MapShape, luma?: readonly number[]): Value {
  return valueOf(luma === undefined ? { op: 'input' } : { op: 'input', luma }, shape);
}

/** x · scale + shift, channel by channel. */
export function affine(x: Value, scale: Float64Array, shift: Float64Array): Value {
  if (x.root.op === 'input' && x.root.luma !== undefined && scale.length === 1) {
    // Shares of the shift that add up to it when the channels are joined.
    const { luma } = x.root;
    const share = shift[0] / luma.reduce((sum, weight) => sum + weight, 0);
    return affine(x, new Float64Array(luma.length).fill(scale[0]), new Float64Array(luma.length).fill(share));
  }
  requireLength(scale, x);
  requireLength(shift, x);
  const map = { scale, shift };
  if (isPadded(x)) throw unsupported(`${describe(x)} is padded and then scaled`);
  if (x.bend.kind === 'none') return { ...bare(x), before: compose(x.before, map) };
  return { ...x, after: compose(x.after, map) };
}

/** x + bias, channel by channel. */
export function shift(x: Value, bias: ArrayLike<number>): Value {
  return affine(x, new Float64Array(bias.length).fill(1), Float64Array.from(bias));
}

/** (x − mean) · γ/√(variance + ε) + β (Ioffe & Szegedy 2015). */
export function batchNorm(
  x: Value,
  norm: { gamma: Float32Array; beta: Float32Array; mean: Float32Array; variance: Float32Array },
  epsilon: number,
): Value {
  for (const vector of Object.values(norm)) requireLength(vector, x);
  const scale = Float64Array.from(norm.gamma, (gamma, c) => gamma / Math.sqrt(norm.variance[c] + epsilon));
  const shift = Float64Array.from(norm.beta, (beta, c) => beta - norm.mean[c] * scale[c]);
  if (!scale.every(Number.isFinite))
    throw invalid(`the batch norm after ${describe(x)} has a negative variance`);
  const result = affine(x, scale, shift);
  return result.bend.kind === 'none'
    ? { ...result, batchNorm: { gamma: norm.gamma, beta: norm.beta } }
    : result;
}

/** min(max(x, low), high) */
export function clip(x: Value, low: number, high: number): Value {
  if (x.bend.kind === 'none' && !isPadded(x)) return { ...x, bend: { kind: 'clip', low, high } };
  if (x.bend.kind === 'clip' && isIdentity(x.after) && !isPadded(x)) {
    const bend = { ...x.bend, low: Math.max(low, x.bend.low), high: Math.min(high, x.bend.high) };
    return { ...x, bend };
  }
  const whole = valueOf({ op: 'value', name: nameOf(x), input: x }, x.shape);
  return { ...whole, bend: { kind: 'clip', low, high } };
}

/** Zeros around a map. */
export function pad(x: Value, [top, bottom, left, right]: Padding): Value {
  const [t, b, l, r] = x.padding;
  return { ...x, padding: [t + top, b + bottom, l + left, r + right] };
}

/**
 * @param same TensorFlow's padding 'same': the output has ceil(side / stride) pixels, the odd row or column of padding
 * goes below or to the right. Otherwise only what `pad` has put around the input is there.
 */
export function convolve(
  op: 'conv' | 'depthwise',
  name: string,
  input: Value,
  given: ModelTensor,
  stride: number,
  same: boolean,
): Value {
  const luma = input.root.op === 'input' ? input.root.luma : undefined;
  const kernel = op === 'conv' && luma !== undefined ? colourKernel(given, luma) : given;
  const [height, width, ins] = kernel.shape;
  if (kernel.shape.length !== (op === 'conv' ? 4 : 3))
    throw invalid(`the kernel of '${name}' has ${kernel.shape.length} dimensions`);
  const outs = op === 'conv' ? kernel.shape[3] : ins;
  if (ins !== input.shape.channels) {
    throw invalid(`'${name}' reads ${ins} channels, its input has ${input.shape.channels}`);
  }
  const padding = same ? samePadding(input, height, width, stride) : input.padding;
  if (same && isPadded(input)) throw unsupported(`'${name}' pads an input that is padded already`);
  const shape = {
    height: Math.floor((input.shape.height + padding[0] + padding[1] - height) / stride) + 1,
    width: Math.floor((input.shape.width + padding[2] + padding[3] - width) / stride) + 1,
    channels: outs,
  };
  if (shape.height < 1 || shape.width < 1) throw invalid(`the kernel of '${name}' is larger than its input`);
  const read = isPadded(input) ? { ...input, padding: NO_PADDING } : input;
  const layer = { shape: kernel.shape, weights: kernel.values, stride, padding };
  return valueOf({ op, name, input: read, ...layer }, shape);
}

/** The kernel that does to a colour picture what [height, width, 1, out] does to the grey one made of it. */
function colourKernel({ shape, values }: ModelTensor, luma: readonly number[]): ModelTensor {
  const [height, width, ins, outs] = shape;
  if (ins !== 1) return { shape, values };
  const channels = luma.length;
  const colour = Float32Array.from({ length: values.length * channels }, (_, at) => {
    const out = at % outs;
    const pixel = Math.floor(at / (outs * channels));
    return values[pixel * outs + out] * luma[Math.floor(at / outs) % channels];
  });
  return { shape: [height, width, channels, outs], values: colour };
}

/** A fully connected layer on a 1×1 map, without its bias. weights: [in, out]. */
export function dense(name: string, input: Value, kernel: ModelTensor): Value {
  const [ins, outs] = kernel.shape;
  if (!isPixel(input)) throw unsupported(`'${name}' is fully connected to a map of more than one pixel`);
  if (kernel.shape.length !== 2 || ins !== input.shape.channels) {
    throw invalid(`'${name}' reads ${ins} channels, its input has ${input.shape.channels}`);
  }
  const layer = { shape: kernel.shape, weights: kernel.values, stride: 1, padding: NO_PADDING };
  return valueOf({ op: 'dense', name, input, ...layer }, { height: 1, width: 1, channels: outs });
}

/** Mean over space. */
export function mean(name: string, input: Value): Value {
  if (isPadded(input)) throw unsupported(`'${name}' averages a padded map`);
  return valueOf({ op: 'mean', name, input }, { height: 1, width: 1, channels: input.shape.channels });
}

export function add(name: string, a: Value, b: Value): Value {
  if (isPadded(a) || isPadded(b)) throw unsupported(`'${name}' adds a padded map`);
  const { height, width, channels } = a.shape;
  if (b.shape.height !== height || b.shape.width !== width || b.shape.channels !== channels) {
    throw unsupported(`'${name}' adds maps of different shapes`);
  }
  return valueOf({ op: 'add', name, a, b }, a.shape);
}

export function isPixel({ shape }: Value): boolean {
  return shape.height === 1 && shape.width === 1;
}

export function identity(channels: number): Affine {
  return { scale: new Float64Array(channels).fill(1), shift: new Float64Array(channels) };
}

export function isIdentity({ scale, shift }: Affine): boolean {
  return scale.every((s) => s === 1) && shift.every((s) => s === 0);
}

/** second(first(x)) */
export function compose(first: Affine, second: Affine): Affine {
  return {
    scale: first.scale.map((s, c) => s * second.scale[c]),
    shift: first.shift.map((s, c) => s * second.scale[c] + second.shift[c]),
  };
}

/** What a person would call the value. */
export function nameOf({ root }: Value): string {
  return root.op === 'input' ? 'input' : root.name;
}

export function isPadded({ padding }: Value): boolean {
  return padding.some((side) => side > 0);
}

function describe(x: Value): string {
  return x.root.op === 'input' ? 'the picture' : `the output of '${nameOf(x)}'`;
}

export function valueOf(root: Root, shape: MapShape): Value {
  const maps = { before: identity(shape.channels), after: identity(shape.channels) };
  return { root, shape, ...maps, bend: NONE, padding: NO_PADDING };
}

/** Without the batch norm that no longer comes last. */
export function bare({ batchNorm: _norm, ...x }: Value): Value {
  return x;
}

function samePadding(input: Value, height: number, width: number, stride: number): Padding {
  const [top, bottom] = sameSides(input.shape.height, height, stride);
  const [left, right] = sameSides(input.shape.width, width, stride);
  return [top, bottom, left, right];
}

function sameSides(side: number, kernel: number, stride: number): [number, number] {
  const total = Math.max((Math.ceil(side / stride) - 1) * stride + kernel - side, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function requireLength(vector: { readonly length: number }, x: Value): void {
  if (vector.length !== x.shape.channels) {
    throw invalid(`${vector.length} numbers don't fit the ${x.shape.channels} channels of ${describe(x)}`);
  }
}
