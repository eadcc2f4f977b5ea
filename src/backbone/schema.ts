/** What a plan file must look like before anything in it is believed. Whether its shapes fit is shapes.ts's business. */
import * as z from 'zod';
import { ACTIVATIONS } from './activations.ts';
import { STATISTICS } from './plan.ts';

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
const base = { name: name.refine((text) => text !== 'input', "'input' is the picture's name"), input: name };
const convolution = {
  ...base,
  weights: name,
  bias: name,
  stride: z.int().min(1).max(PLAN_LIMITS.stride),
  padding: z.tuple([side, side, side, side]),
  activation,
  batchNorm: z.strictObject({ gamma: name, beta: name }).exactOptional(),
};

const step = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('conv'), ...convolution }),
  z.strictObject({ op: z.literal('depthwise'), ...convolution }),
  z.strictObject({
    op: z.literal('squeeze-excite'),
    ...base,
    reduceWeights: name,
    reduceBias: name,
    expandWeights: name,
    expandBias: name,
  }),
  z.strictObject({ op: z.literal('add'), ...base, other: name }),
  z.strictObject({ op: z.literal('mean'), ...base }),
  z.strictObject({ op: z.literal('dense'), ...base, weights: name, bias: name, activation }),
]);

const inputSide = z.int().min(1).max(PLAN_LIMITS.inputSide);

export const planSchema = z.strictObject({
  format: z.literal('headwater-plan/1'),
  name,
  version: name,
  weightsSha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'),
  input: z.strictObject({
    height: inputSide,
    width: inputSide,
    channels: z.int().min(1).max(PLAN_LIMITS.inputChannels),
    padValue: z.array(z.number()).max(PLAN_LIMITS.inputChannels),
    sides: z.array(inputSide).min(1).max(PLAN_LIMITS.sides).exactOptional(),
  }),
  steps: z.array(step).min(1).max(PLAN_LIMITS.steps),
  taps: z
    .array(
      z.strictObject({
        name,
        step: name,
        channels: z.int().min(1).max(PLAN_LIMITS.channels),
        statistic: z.enum(STATISTICS).exactOptional(),
      }),
    )
    .min(1)
    .max(PLAN_LIMITS.taps),
});
