/** What a plan file must look like before anything in it is believed. Whether its shapes fit is shapes.ts's business. */
import * as z from 'zod';
import { ACTIVATIONS } from './activations.ts';
import { STATISTICS } from './statistics.ts';

/** Bounds on plans, far above any network that fits a Worker. */
export const PLAN_LIMITS = {
  steps: 1024,
  taps: 64,
  inputSide: 1024,
  sides: 16,
  inputChannels: 4,
  channels: 16_384,
  kernelSide: 31,
  stride: 16,
  padding: 31,
  nameLength: 128,
  /** Elements of one step's output. */
  activationElements: 16 * 1024 * 1024,
} as const;

const name = z.string().min(1).max(PLAN_LIMITS.nameLength);
const activation = z.enum(ACTIVATIONS);
const side = z.int().min(0).max(PLAN_LIMITS.padding);
const base = {
  /** Unique in the plan. */
  name: name.refine((text) => text !== 'input', "'input' is the picture's name"),
  /** The step whose output this one reads, or 'input' for the picture. */
  input: name,
};
const convolution = {
  ...base,
  weights: name,
  /** [out] */
  bias: name,
  stride: z.int().min(1).max(PLAN_LIMITS.stride),
  /** Rows and columns around the input: top, bottom, left, right. */
  padding: z.tuple([side, side, side, side]),
  activation,
  /** Names of the tensors with a batch norm's γ and β. It is folded; these are the statistics of the pretraining data. */
  batchNorm: z.strictObject({ gamma: name, beta: name }).exactOptional(),
};

const step = z.discriminatedUnion('op', [
  /** 2-D convolution. weights: [kernel height, kernel width, in, out]. */
  z.strictObject({ op: z.literal('conv'), ...convolution }),
  /** One filter a channel. weights: [kernel height, kernel width, channels]. */
  z.strictObject({ op: z.literal('depthwise'), ...convolution }),
  /**
   * Squeeze-and-excitation (Hu et al. 2018): x · expand(reduce(mean(x))), the factor one a channel.
   * reduce: [channels, squeezed] with ReLU; expand: [squeezed, channels] with hard-sigmoid.
   */
  z.strictObject({
    op: z.literal('squeeze-excite'),
    ...base,
    reduceWeights: name,
    reduceBias: name,
    expandWeights: name,
    expandBias: name,
  }),
  /** input + other, element by element. */
  z.strictObject({ op: z.literal('add'), ...base, other: name }),
  /** Mean over space: [height, width, channels] → [1, 1, channels]. */
  z.strictObject({ op: z.literal('mean'), ...base }),
  /** Fully connected layer on a [1, 1, in] map. weights: [in, out]; bias: [out]. */
  z.strictObject({ op: z.literal('dense'), ...base, weights: name, bias: name, activation }),
]);

/** A statistic of a feature map inside the network: `channels` numbers of the CNN code. */
const tap = z.strictObject({
  /** Unique in the plan. */
  name,
  step: name,
  channels: z.int().min(1).max(PLAN_LIMITS.channels),
  /** The mean where absent. */
  statistic: z.enum(STATISTICS).exactOptional(),
});

const inputSide = z.int().min(1).max(PLAN_LIMITS.inputSide);

export const planSchema = z.strictObject({
  format: z.literal('headwater-plan/1'),
  /** For example 'mobilenet-v3-small'. */
  name,
  version: name,
  /** Of the weights file. Heads name it: codes of other weights mean nothing to them. */
  weightsSha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'),
  input: z.strictObject({
    height: inputSide,
    width: inputSide,
    /** RGB or grey. */
    channels: z.int().min(1).max(PLAN_LIMITS.inputChannels),
    /**
     * What padding around the picture holds, one value a channel in the picture's units (0 to 255). Normalisation is
     * folded into the first convolution; padding with the mean keeps that exact at the borders.
     */
    padValue: z.array(z.number()).max(PLAN_LIMITS.inputChannels),
    /**
     * Sides of the squares, in pixels, at which the network may be run besides its own height and width. The steps'
     * explicit padding has to hold at each.
     */
    sides: z.array(inputSide).min(1).max(PLAN_LIMITS.sides).exactOptional(),
  }),
  steps: z.array(step).min(1).max(PLAN_LIMITS.steps),
  /** In the order of the CNN code. */
  taps: z.array(tap).min(1).max(PLAN_LIMITS.taps),
});
