/** Goes through a plan and says in a graph format's few words what each step is: every format is written from here. */
import type { Activation, Backbone, ConvStep, DepthwiseStep, Padding, SqueezeExciteStep, Statistic, Step } from '../backbone/index.ts'; // prettier-ignore
import { HeadwaterError } from '../errors.ts';
import { inSinglePrecision } from '../safetensors.ts';

/** The plan's name of the picture; in the graph, the picture less `padValue` of each channel. */
export const PICTURE = 'input';

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
 * @throws HeadwaterError `backbone_invalid` when the plan names a tensor that is not there.
 */
export function writeBackbone(backbone: Backbone, target: GraphTarget): string {
  return new Walk(backbone, target).write();
}

/** Writes every step in floats. */
export class Walk<Target extends GraphTarget = GraphTarget> {
  protected readonly backbone: Backbone;
  protected readonly target: Target;
  /** Names of statistics over space: one node however many read it. */
  readonly #statistics = new Set<string>();
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
        this.#convolution(step);
        return;
      case 'squeeze-excite':
        this.#squeezeExcite(step);
        return;
      case 'add':
        this.target.add(step.name, this.value(step.input), this.value(step.other));
        return;
      case 'mean':
        this.#same.set(step.name, this.statistic(step.input, 'mean'));
        return;
      case 'dense':
        this.#dense(step.name, this.value(step.input), step.weights, step.bias, step.activation);
    }
  }

  #convolution(step: ConvStep | DepthwiseStep): void {
    const [weights, shape] = this.#tensor(step.weights);
    const [bias] = this.#tensor(step.bias);
    const input = step.input === PICTURE ? PICTURE : this.value(step.input);
    this.target.convolution(this.layer({ ...step, input }, shape, weights, bias));
  }

  /** A step's convolution with the given weights, its bias for what it reads. */
  protected layer(
    { name, input, op, activation, stride, padding }: ConvStep | DepthwiseStep,
    shape: readonly number[],
    weights: Float32Array,
    bias: ArrayLike<number>,
  ): Convolution {
    const { padValue } = this.backbone.plan.input;
    const depthwise = op === 'depthwise';
    return {
      name,
      input,
      shape,
      weights,
      bias: Float32Array.from(input === PICTURE ? centredBias(bias, weights, padValue, depthwise) : bias),
      depthwise,
      activation,
      stride,
      padding,
    };
  }

  #squeezeExcite({ name, input, ...step }: SqueezeExciteStep): void {
    const [reduce, expand] = [`${name}/reduce`, `${name}/expand`];
    this.#dense(reduce, this.statistic(input, 'mean'), step.reduceWeights, step.reduceBias, 'relu');
    this.#dense(expand, reduce, step.expandWeights, step.expandBias, 'hard-sigmoid');
    this.target.scale(name, this.value(input), expand);
  }

  /** A fully connected layer is a 1×1 convolution of a map that is one pixel. */
  #dense(name: string, input: string, weightsName: string, biasName: string, activation: Activation): void {
    const [weights, shape] = this.#tensor(weightsName);
    const [bias] = this.#tensor(biasName);
    const layer = { name, input, weights, bias, activation };
    this.target.convolution({
      ...layer,
      shape: [1, 1, ...shape],
      depthwise: false,
      stride: 1,
      padding: [0, 0, 0, 0],
    });
  }

  protected statistic(step: string, statistic: Statistic): string {
    const name = `${step}/${statistic}`;
    if (this.#statistics.has(name)) return name;
    this.#statistics.add(name);
    if (statistic === 'mean') this.target.mean(name, this.value(step));
    else this.target.deviation(name, this.value(step), this.statistic(step, 'mean'));
    return name;
  }

  protected value(step: string): string {
    return step === PICTURE ? this.target.uncentred() : (this.#same.get(step) ?? step);
  }

  #tensor(name: string): [Float32Array, readonly number[]] {
    const values = this.backbone.tensors.get(name);
    const shape = this.backbone.tensorShapes.get(name);
    if (values === undefined || shape === undefined) {
      throw new HeadwaterError(
        'backbone_invalid',
        `The backbone has no tensor '${name}', which its plan names.`,
      );
    }
    return [inSinglePrecision(values), shape];
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
