/** Goes through a plan and says in a graph format's few words what each step is: every format is written from here. */
import type {
  Activation,
  Backbone,
  ConvStep,
  DenseStep,
  DepthwiseStep,
  Padding,
  SqueezeExciteStep,
  Statistic,
  Step,
} from '../backbone/index.ts';
import { filterOf, squeezeExciteFilters } from '../backbone/simd/filters.ts';
import type { Filter } from '../backbone/simd/kernels/filter.ts';
import { inSinglePrecision } from '../safetensors.ts';

/** The model's input. */
export const PIXELS = 'pixels';
/** The plan's name of the picture; in the graph, the picture less `padValue` of each channel. */
export const PICTURE = 'input';
/** The model's output: float32 [n, D]. */
export const CODES = 'codes';
/** The second output of a model that is a head: float32 [n, C], each row summing to 1. */
export const PROBABILITIES = 'probabilities';

/** A convolution of any kind with its bias and activation, weights as in the plan. */
export interface Convolution {
  readonly name: string;
  readonly input: string;
  /** [height, width, in, out], or [height, width, channels] where it is depthwise. */
  readonly shape: readonly number[];
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly depthwise: boolean;
  readonly activation: Activation;
  readonly stride: number;
  readonly padding: Padding;
}

/** A tap, and the value that holds its statistic. */
export interface TapValue {
  readonly name: string;
  readonly channels: number;
  readonly value: string;
}

/** A graph to write into. Values go by name; each call adds the one that it names. */
export interface GraphTarget {
  /** Declares the model's input and makes PICTURE of it. */
  picture(): void;
  /** @returns the name of the picture as it came in, for whatever is no convolution. */
  uncentred(): string;
  convolution(layer: Convolution): void;
  /** The mean over space, [n, 1, 1, channels] or the like. */
  mean(name: string, input: string): void;
  /** √ of the mean over space of (input − mean)², shaped as the mean, which is a value of the graph. */
  deviation(name: string, input: string, mean: string): void;
  add(name: string, a: string, b: string): void;
  /** @param factors one a channel, shaped as a mean. */
  scale(name: string, map: string, factors: string): void;
  /** Joins the taps' statistics to [n, D]. @returns the name of the codes. */
  codes(taps: readonly TapValue[]): string;
}

/**
 * Formats pad with zero, plans pad the picture with `padValue`, one a channel. The picture is therefore centred on
 * padValue, and what that takes from a convolution that reads it is put into its bias: exact everywhere.
 * @returns the name of the value that holds the codes, [n, D].
 */
export function writeBackbone(backbone: Backbone, target: GraphTarget): string {
  return new Walk(backbone, target).write();
}

/** What is written as a convolution, and what it reads. */
type Layer = Pick<ConvStep | DepthwiseStep | DenseStep, 'name' | 'input' | 'op'>;

/** Writes every step in floats. */
export class Walk<Target extends GraphTarget = GraphTarget> {
  protected readonly backbone: Backbone;
  protected readonly target: Target;
  /** Names of what is written by `once`. */
  readonly #written = new Set<string>();
  /** Steps that are another value under their own name. */
  readonly #same = new Map<string, string>();

  constructor(backbone: Backbone, target: Target) {
    this.backbone = backbone;
    this.target = target;
  }

  write(): string {
    const { steps, taps } = this.backbone.plan;
    this.target.picture();
    for (const step of steps) this.step(step);
    return this.target.codes(
      taps.map(({ name, step, channels, statistic = 'mean' }) => ({
        name,
        channels,
        value: this.statistic(step, statistic),
      })),
    );
  }

  protected step(step: Step): void {
    switch (step.op) {
      case 'conv':
      case 'depthwise':
      case 'dense':
        this.#convolution(step, filterOf(this.backbone, step));
        return;
      case 'squeeze-excite':
        this.#squeezeExcite(step);
        return;
      case 'add':
        this.target.add(step.name, this.value(step.input), this.value(step.other));
        return;
      case 'mean':
        this.#same.set(step.name, this.statistic(step.input, 'mean'));
    }
  }

  #convolution({ name, input, op }: Layer, { weights, bias, ...filter }: Filter): void {
    const read = input === PICTURE && op !== 'dense' ? PICTURE : this.value(input);
    this.convolution({ name, input: read, op }, filter, inSinglePrecision(weights), bias);
  }

  /** Writes a step's convolution with the given weights, its bias for what it reads. */
  protected convolution(
    { name, input, op }: Layer,
    { height, width, inputs, outputs, activation, stride, padding }: Omit<Filter, 'weights' | 'bias'>,
    weights: Float32Array,
    bias: ArrayLike<number>,
  ): void {
    const depthwise = op === 'depthwise';
    const { padValue } = this.backbone.plan.input;
    this.target.convolution({
      name,
      input,
      shape: depthwise ? [height, width, outputs] : [height, width, inputs, outputs],
      weights,
      bias: Float32Array.from(input === PICTURE ? centredBias(bias, weights, padValue, depthwise) : bias),
      depthwise,
      activation,
      stride,
      padding,
    });
  }

  #squeezeExcite(step: SqueezeExciteStep): void {
    const { name, input } = step;
    const [reduce, expand] = squeezeExciteFilters(this.backbone, step);
    const squeezed = this.statistic(input, 'mean');
    this.#convolution({ name: `${name}/reduce`, input: squeezed, op: 'dense' }, reduce);
    this.#convolution({ name: `${name}/expand`, input: `${name}/reduce`, op: 'dense' }, expand);
    this.target.scale(name, this.value(input), `${name}/expand`);
  }

  protected statistic(step: string, statistic: Statistic): string {
    return this.once(`${step}/${statistic}`, (name) => {
      if (statistic === 'mean') this.target.mean(name, this.value(step));
      else this.target.deviation(name, this.value(step), this.statistic(step, 'mean'));
    });
  }

  /** @returns the name, of what `write` writes the first time, however many read it. */
  protected once(name: string, write: (name: string) => void): string {
    if (this.#written.has(name)) return name;
    this.#written.add(name);
    write(name);
    return name;
  }

  protected value(step: string): string {
    return step === PICTURE ? this.target.uncentred() : (this.#same.get(step) ?? step);
  }
}

/**
 * The bias of a convolution that reads x − centre in the place of x: bias + Σ w · centre. Summed in 64 bits, since the
 * terms are large and nearly cancel.
 * @param weights [area, in, out], or [area, channels] where it is depthwise.
 * @param centre one number a channel of the picture.
 */
function centredBias(
  bias: ArrayLike<number>,
  weights: Float32Array,
  centre: readonly number[],
  depthwise: boolean,
): Float64Array {
  const outs = bias.length;
  const sums = Float64Array.from(bias);
  for (let at = 0; at < weights.length; at++) {
    const out = at % outs;
    const channel = depthwise ? out : Math.floor(at / outs) % centre.length;
    sums[out] += weights[at] * centre[channel];
  }
  return sums;
}
