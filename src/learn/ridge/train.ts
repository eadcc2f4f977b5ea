/**
 * The closed-form head: from CNN codes and labels to a calibrated linear classifier that knows how good it is and what
 * it does not know. No learning rate, no seed, no clock: the same data give the same head, bit for bit.
 */
import { makeGolden } from '../../head/golden.ts';
import type { Head } from '../../head/head.ts';
import { DesignMatrix } from './design-matrix.ts';
import { exampleWeights } from '../statistics/example-weights.ts';
import { headMatrices } from './head-matrices.ts';
import { evaluate, largest, summarise, type DetailedMetrics } from '../statistics/metrics.ts';
import { directionCount, noveltySample, noveltyStatistics } from '../statistics/novelty.ts';
import { EXPONENTIAL, Pacer, type Pause } from '../pacer.ts';
import { findPrincipal, leftOutResiduals, variancesOf } from '../statistics/principal.ts';
import { decompose, decompositionOrder, Ridge } from './ridge.ts';
import { selectRidge } from './selection.ts';
import { plainPrimitives } from '../linalg/symmetric-plain.ts';
import { wasmPrimitives } from '../linalg/symmetric-wasm.ts';
import {
  canonicalise,
  codesRead,
  MAX_EXAMPLES,
  type CanonicalSet,
  type TrainingSet,
} from '../training-set.ts';

export type { TrainingSet } from '../training-set.ts';

export interface TrainOptions {
  /**
   * build/wasm/linalg.wasm, compiled. Several times faster than without; the same head up to rounding, so hosts whose
   * heads are to be equal bit for bit all pass it.
   */
  readonly linalg?: WebAssembly.Module;
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
 * const head = await trainHead({
 *   backbone: { name: plan.name, version: plan.version, weightsSha256: plan.weightsSha256 },
 *   taps: plan.taps.map((tap) => tap.name),
 *   statistics: plan.taps.map((tap) => tap.statistic ?? 'mean'),
 *   input: { height: plan.input.height, width: plan.input.width, rules: 2 },
 *   labels: ['glass', 'paper'],
 *   codes: Float16Array.of(...glass1, ...glass2, ...paper1, ...paper2),
 *   targets: Uint16Array.of(0, 0, 1, 1),
 * });
 */
export async function trainHead(set: TrainingSet, options: TrainOptions = {}): Promise<Head> {
  return (await trainWithMetrics(set, options)).head;
}

/** As trainHead, with what each example looked like when left out. */
export async function trainWithMetrics(set: TrainingSet, options: TrainOptions = {}): Promise<TrainedHead> {
  const pacer = new Pacer(options.pause);
  const data = await canonicalise(set, options.maxExamples ?? MAX_EXAMPLES, pacer);
  const classes = data.labels.length;
  const weights = exampleWeights(data, options.balance);
  const judgeWeights = weights.map((weight, i) => (data.counts[data.targets[i]] > 1 ? weight : 0));
  const a = await DesignMatrix.create(data, weights, pacer);
  const order = decompositionOrder(data.examples, data.codeLength);
  const primitives = options.linalg ? wasmPrimitives(order, options.linalg) : plainPrimitives(order);
  const decomposition = await decompose(a, primitives, pacer);
  const ridge = await Ridge.create(decomposition, data.targets, a.rootWeights, classes, pacer);
  const { lambda, temperature, logits } = await selectRidge(ridge, data.targets, judgeWeights, pacer);
  const principal = await findPrincipal(decomposition, directionCount(data.examples), pacer);
  const sample = noveltySample(data.examples);
  const residuals = await leftOutResiduals(sample, a, decomposition, principal, pacer);
  const matrices = await headMatrices(a, ridge, lambda, principal, pacer);
  const left = await leaveOneOutMetrics(data, logits, temperature, judgeWeights, pacer);
  await pacer.rest();
  const head: Omit<Head, 'golden'> = {
    ...codesRead(set),
    codeLength: data.codeLength,
    labels: data.labels,
    mean: matrices.mean,
    deviation: a.standardisation.deviation,
    weights: matrices.weights,
    bias: matrices.bias,
    temperature,
    novelty: {
      directions: matrices.directions,
      ...noveltyStatistics(residuals, topLogits(sample, logits, classes), {
        examples: data.examples,
        meanSquare: ridge.scale,
        standardisation: a.standardisation,
      }),
    },
    training: {
      method: { fit: `ridge-${decomposition.form}` },
      examples: data.examples,
      counts: data.counts,
      lambda,
      leaveOneOut: left.metrics === null ? null : summarise(left.metrics),
    },
    variances: variancesOf(decomposition, principal, data.examples, data.codeLength),
  };
  return { head: { ...head, golden: makeGolden(head) }, ...left };
}

export function topLogits(sample: Uint32Array, logits: Float64Array, classes: number): Float64Array {
  return Float64Array.from(sample, (i) => largest(logits, i * classes, classes));
}

/** From held-out logits, in canonical order, to probabilities in the order given and their metrics. */
export async function leaveOneOutMetrics(
  { order, targets, labels }: Pick<CanonicalSet, 'order' | 'targets' | 'labels'>,
  logits: Float64Array,
  temperature: number,
  judgeWeights: Float64Array,
  pacer: Pacer,
): Promise<{ leaveOneOut: Float32Array; metrics: DetailedMetrics | null }> {
  const classes = labels.length;
  const leaveOneOut = new Float32Array(logits.length);
  const shares = new Float64Array(classes);
  const judged: number[] = [];
  for (let i = 0; i < targets.length; i++) {
    writeProbabilities(logits, i * classes, temperature, shares, leaveOneOut, order[i] * classes);
    if (judgeWeights[i] > 0) judged.push(i);
    if (pacer.due(classes * EXPONENTIAL)) await pacer.rest();
  }
  if (judged.length === 0) return { leaveOneOut, metrics: null };
  const probabilities = new Float32Array(judged.length * classes);
  judged.forEach((i, place) => {
    const from = order[i] * classes;
    probabilities.set(leaveOneOut.subarray(from, from + classes), place * classes);
  });
  const judgedTargets = Uint16Array.from(judged, (i) => targets[i]);
  return { leaveOneOut, metrics: evaluate(probabilities, judgedTargets, classes) };
}

/** Softmax of the logits that begin at `from`, to out[to …]. @param shares [C] room. */
function writeProbabilities(
  logits: Float64Array,
  from: number,
  temperature: number,
  shares: Float64Array,
  out: Float32Array,
  to: number,
): void {
  const top = largest(logits, from, shares.length);
  let sum = 0;
  for (let c = 0; c < shares.length; c++) {
    shares[c] = Math.exp((logits[from + c] - top) / temperature);
    sum += shares[c];
  }
  for (let c = 0; c < shares.length; c++) out[to + c] = shares[c] / sum;
}
