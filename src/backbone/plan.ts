/**
 * A plan says how to run a frozen network: a list of steps in the order of execution, each reading the output of
 * earlier ones by name, and the taps, the places whose statistics over space make up the CNN code. Weights lie beside it
 * in a safetensors file. Engines run plans; importers write them.
 */

import type { Activation } from './activations.ts';

export type { Activation } from './activations.ts';

/** Rows and columns of padding around the input: [top, bottom, left, right]. */
export type Padding = readonly [number, number, number, number];

/** Names of the tensors with a batch norm's γ and β. It is folded; these are the statistics of the pretraining data. */
export interface BatchNorm {
  readonly gamma: string;
  readonly beta: string;
}

interface StepBase {
  /** Unique in the plan. */
  readonly name: string;
  /** The step whose output this one reads, or 'input' for the picture. */
  readonly input: string;
}

/** 2-D convolution. weights: [kernel height, kernel width, in, out]; bias: [out]. */
export interface ConvStep extends StepBase {
  readonly op: 'conv';
  readonly weights: string;
  readonly bias: string;
  readonly stride: number;
  readonly padding: Padding;
  readonly activation: Activation;
  readonly batchNorm?: BatchNorm;
}

/** Depthwise convolution, one filter a channel. weights: [kernel height, kernel width, channels]; bias: [channels]. */
export interface DepthwiseStep extends StepBase {
  readonly op: 'depthwise';
  readonly weights: string;
  readonly bias: string;
  readonly stride: number;
  readonly padding: Padding;
  readonly activation: Activation;
  readonly batchNorm?: BatchNorm;
}

/**
 * Squeeze-and-excitation (Hu et al. 2018): x · expand(reduce(mean(x))), the factor one a channel.
 * reduce: [channels, squeezed] with ReLU; expand: [squeezed, channels] with hard-sigmoid.
 */
export interface SqueezeExciteStep extends StepBase {
  readonly op: 'squeeze-excite';
  readonly reduceWeights: string;
  readonly reduceBias: string;
  readonly expandWeights: string;
  readonly expandBias: string;
}

/** input + other, element by element. */
export interface AddStep extends StepBase {
  readonly op: 'add';
  readonly other: string;
}

/** Mean over space: [height, width, channels] → [1, 1, channels]. */
export interface MeanStep extends StepBase {
  readonly op: 'mean';
}

/** Fully connected layer on a [1, 1, in] map. weights: [in, out]; bias: [out]. */
export interface DenseStep extends StepBase {
  readonly op: 'dense';
  readonly weights: string;
  readonly bias: string;
  readonly activation: Activation;
}

export type Step = ConvStep | DepthwiseStep | SqueezeExciteStep | AddStep | MeanStep | DenseStep;

/** What a tap reads of each channel: its mean over space, or its standard deviation there (√variance, no ε). */
export const STATISTICS = ['mean', 'deviation'] as const;
export type Statistic = (typeof STATISTICS)[number];

/** A statistic of a feature map inside the network: `channels` numbers of the CNN code. */
export interface Tap {
  /** Unique in the plan. */
  readonly name: string;
  readonly step: string;
  readonly channels: number;
  /** The mean where absent. */
  readonly statistic?: Statistic;
}

export interface Plan {
  readonly format: 'headwater-plan/1';
  /** For example 'mobilenet-v3-small'. */
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the weights file, lower-case hex. Heads name it: codes of other weights mean nothing to them. */
  readonly weightsSha256: string;
  readonly input: {
    readonly height: number;
    readonly width: number;
    /** RGB or grey. */
    readonly channels: number;
    /**
     * What padding around the picture holds, one value a channel in the picture's units (0 to 255). Normalisation is
     * folded into the first convolution; padding with the mean keeps that exact at the borders.
     */
    readonly padValue: readonly number[];
    /**
     * Sides of the squares, in pixels, at which the network may be run besides its own height and width. The steps'
     * explicit padding has to hold at each.
     */
    readonly sides?: readonly number[];
  };
  readonly steps: readonly Step[];
  /** In the order of the CNN code. */
  readonly taps: readonly Tap[];
}

/** The length D of the plan's CNN code. */
export function codeLength(plan: Plan): number {
  return plan.taps.reduce((sum, tap) => sum + tap.channels, 0);
}
