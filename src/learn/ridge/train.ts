/**
 * The closed-form head: from CNN codes and labels to a calibrated linear classifier that knows how good it is and what
 * it does not know. No learning rate, no seed, no clock: the same data give the same head, bit for bit.
 */
import { withGolden } from '../../head/golden.ts';
import type { Head, Training } from '../../head/head.ts';
import { Pacer, type Pause } from '../pacer.ts';
import { exampleWeights, weightsOfJudged } from '../statistics/example-weights.ts';
import { leaveOneOutMetrics, topLogits } from '../statistics/left-out.ts';
import { summarise, type DetailedMetrics } from '../statistics/metrics.ts';
import {
  directionCount,
  noveltySample,
  noveltyStatistics,
  type KnownCodes,
  type NoveltyStatistics,
} from '../statistics/novelty.ts';
import { findPrincipal, leftOutResiduals, variancesOf, type Principal } from '../statistics/principal.ts';
import {
  canonicalise,
  codesRead,
  MAX_EXAMPLES,
  type CanonicalSet,
  type TrainingSet,
} from '../training-set.ts';
import { DesignMatrix } from './design-matrix.ts';
import { headMatrices, type HeadMatrices } from './head-matrices.ts';
import { decompose, Ridge } from './ridge.ts';
import { selectRidge } from './selection.ts';

export type { TrainingSet } from '../training-set.ts';

export interface TrainOptions {
  /** build/wasm/linalg.wasm, compiled. */
  readonly linalg: WebAssembly.Module;
  /** Awaited after every millisecond of work or so, so that the host's event loop goes on. */
  readonly pause?: Pause;
  /** A host with little memory sets this lower. */
  readonly maxExamples?: number;
  /** Takes class imbalance back: weight (n / (C·nᶜ))^balance for an example of class c. 0 is off, 1 is in full. */
  readonly balance?: number;
}

export interface TrainedHead {
  readonly head: Head;
  /**
   * [n × C] probabilities for each example, predicted by a head that was trained without it: how it was held out, the
   * head's training.method says. Rows are in the order of the set given, columns in that of head.labels. The only
   * example of its class is predicted to be of another one.
   */
  readonly leaveOneOut: Float32Array;
  /** Metrics over those that can be judged; null where none can. */
  readonly metrics: DetailedMetrics | null;
}

/**
 * Trains a head.
 * @throws HeadwaterError `training_data_invalid`, `training_data_too_large`.
 * @example
 * // Codes of two images of each class, and how they were computed.
 * const { plan } = backbone;
 * const set = {
 *   backbone: { name: plan.name, version: plan.version, weightsSha256: plan.weightsSha256 },
 *   taps: plan.taps.map((tap) => tap.name),
 *   statistics: plan.taps.map((tap) => tap.statistic ?? 'mean'),
 *   input: { height: plan.input.height, width: plan.input.width, rules: 2 },
 *   labels: ['glass', 'paper'],
 *   codes: Float16Array.of(...glass1, ...glass2, ...paper1, ...paper2),
 *   targets: Uint16Array.of(0, 0, 1, 1),
 * };
 * const head = await trainHead(set, { linalg });
 */
export async function trainHead(set: TrainingSet, options: TrainOptions): Promise<Head> {
  return (await trainWithMetrics(set, options)).head;
}

/** As trainHead, with what each example looked like when left out. */
export async function trainWithMetrics(set: TrainingSet, options: TrainOptions): Promise<TrainedHead> {
  const pacer = new Pacer(options.pause);
  const fitted = await fitRidge(set, options, pacer);
  const { data, weights, a, ridge } = fitted;
  const classes = data.labels.length;
  const judgeWeights = weightsOfJudged(weights, data.targets, data.counts);
  const { lambda, temperature, logits } = await selectRidge(ridge, data.targets, judgeWeights, pacer);
  const principal = await findPrincipal(ridge.decomposition, directionCount(data.examples), pacer);
  const sample = noveltySample(data.examples);
  const residuals = await leftOutResiduals(sample, a, ridge.decomposition, principal, pacer);
  const matrices = await headMatrices(a, ridge, lambda, principal, pacer);
  const left = await leaveOneOutMetrics(data, logits, temperature, judgeWeights, pacer);
  await pacer.rest();
  const head = ridgeHead(fitted, principal, matrices, {
    lambda,
    temperature,
    novelty: noveltyStatistics(residuals, topLogits(sample, logits, classes), knownCodes(fitted)),
    leaveOneOut: left.metrics === null ? null : summarise(left.metrics),
  });
  return { head, ...left };
}

/** A training set with all of its closed form that no λ changes. */
export interface Fitted {
  readonly set: TrainingSet;
  readonly data: CanonicalSet;
  /** [n] of the examples. */
  readonly weights: Float64Array;
  readonly a: DesignMatrix;
  readonly ridge: Ridge;
}

/** @throws HeadwaterError as `trainHead`. */
export async function fitRidge(set: TrainingSet, options: TrainOptions, pacer: Pacer): Promise<Fitted> {
  const data = await canonicalise(set, options.maxExamples ?? MAX_EXAMPLES, pacer);
  const weights = exampleWeights(data, options.balance);
  const a = await DesignMatrix.create(data, weights, pacer);
  const decomposition = await decompose(a, options.linalg, pacer);
  const ridge = await Ridge.create(decomposition, data.targets, a.rootWeights, data.labels.length, pacer);
  return { set, data, weights, a, ridge };
}

/** What the scores of unknown pictures are in units of, where these examples are the known ones. */
export function knownCodes({ data, ridge, a }: Fitted): KnownCodes {
  return { examples: data.examples, meanSquare: ridge.scale, standardisation: a.standardisation };
}

/** Puts the head together. */
export function ridgeHead(
  { set, data, ridge }: Fitted,
  principal: Principal,
  { directions, ...matrices }: HeadMatrices,
  found: Pick<Training, 'lambda' | 'leaveOneOut'> & {
    readonly temperature: number;
    readonly novelty: NoveltyStatistics;
  },
): Head {
  const { decomposition } = ridge;
  const { codeLength, counts, examples, labels } = data;
  const { lambda, leaveOneOut, temperature, novelty } = found;
  return withGolden({
    ...codesRead(set),
    codeLength,
    labels,
    ...matrices,
    temperature,
    novelty: { directions, ...novelty },
    training: { method: { fit: `ridge-${decomposition.form}` }, examples, counts, lambda, leaveOneOut },
    variances: variancesOf(decomposition, principal, examples, codeLength),
  });
}
