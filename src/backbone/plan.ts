/**
 * A plan says how to run a frozen network: a list of steps in the order of execution, each reading the output of
 * earlier ones by name, and the taps, the places whose statistics over space make up the CNN code. Weights lie beside it
 * in a safetensors file. Engines run plans; importers write them. The schema says what each field holds.
 */
import type * as z from 'zod';
import type { planSchema } from './schema.ts';

export type { Activation } from './activations.ts';
export { STATISTICS, type Statistic } from './statistics.ts';

/** The same, to be read alone. */
type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;

export type Plan = Frozen<z.infer<typeof planSchema>>;
export type Step = Plan['steps'][number];
export type Tap = Plan['taps'][number];

export type ConvStep = Extract<Step, { op: 'conv' }>;
export type DepthwiseStep = Extract<Step, { op: 'depthwise' }>;
export type SqueezeExciteStep = Extract<Step, { op: 'squeeze-excite' }>;
export type AddStep = Extract<Step, { op: 'add' }>;
export type MeanStep = Extract<Step, { op: 'mean' }>;
export type DenseStep = Extract<Step, { op: 'dense' }>;

export type Padding = ConvStep['padding'];
export type BatchNorm = NonNullable<ConvStep['batchNorm']>;

/** The length D of the plan's CNN code. */
export function codeLength(plan: { readonly taps: readonly Pick<Tap, 'channels'>[] }): number {
  return plan.taps.reduce((sum, tap) => sum + tap.channels, 0);
}
