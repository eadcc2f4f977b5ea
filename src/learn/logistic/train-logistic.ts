/**
 * The logistic head: multinomial logistic regression by L-BFGS, for sets whose closed form does not fit memory, or on
 * request. It reads the codes in parts, from memory or a file. Leave-one-out would need a fit for each example, so λ,
 * temperature, novelty and metrics come from cross-validation. The same rows in the same order with the same seed give
 * the same head, bit for bit.
 */
import { withGolden } from '../../head/golden.ts';
import type { Head } from '../../head/head.ts';
import { allRows, rowsInMemory, selectRows, stretches, type CodeRows } from '../code-rows.ts';
import { DesignMatrix } from '../ridge/design-matrix.ts';
import { exampleWeights, weightsOfJudged } from '../statistics/example-weights.ts';
import { drawFolds } from '../folds.ts';
import { biases, headMatrices } from '../ridge/head-matrices.ts';
import { summarise } from '../statistics/metrics.ts';
import {
  directionCount,
  evenlySpaced,
  noveltySample,
  noveltyStatistics,
  type NoveltyStatistics,
} from '../statistics/novelty.ts';
import { Pacer } from '../pacer.ts';
import { findPrincipal, leftOutResiduals } from '../statistics/principal.ts';
import { decompose, Ridge } from '../ridge/ridge.ts';
import { deviationsOf, momentsOf, type Moments } from '../statistics/standardisation.ts';
import { leaveOneOutMetrics, topLogits } from '../statistics/left-out.ts';
import type { TrainedHead, TrainOptions } from '../ridge/train.ts';
import {
  checkFinite,
  checkSet,
  codesRead,
  rankTargets,
  tooLarge,
  type CanonicalSet,
  type StreamedSet,
} from '../training-set.ts';
import {
  fit,
  LAMBDAS,
  LOGIT_UNIT,
  selectLogistic,
  type Examples,
  type LogisticSelection,
  type OnFit,
} from './select.ts';
import { parameterCount, type LogisticData } from './softmax-objective.ts';

export interface LogisticOptions extends TrainOptions {
  /** Decides the folds of cross-validation. */
  readonly seed: number;
  readonly onFit?: OnFit;
}

/** Folds of cross-validation. With many examples half of them teach nearly as much as all. */
const FOLDS = { few: 4, many: 2, manyFrom: 5000 };
/** The most examples that λ is chosen on, evenly spaced. */
const SELECTION = 10_000;
/** Bounds the time of training. */
const MAX_ROWS = 5_000_000;
/** Held-out logits are kept, n × C of them. */
const MAX_LOGITS = 5e7;
/** Examples, evenly spaced, that principal directions and novelty are taken from. */
const SAMPLE = 2000;
/** Rows that are checked at once. */
const ROWS = 64;

/**
 * Trains a logistic head.
 * @returns held-out probabilities and metrics instead of leave-one-out ones.
 * @throws HeadwaterError `training_data_invalid`, `training_data_too_large`.
 */
export async function trainLogistic(set: StreamedSet, options: LogisticOptions): Promise<TrainedHead> {
  const { rows } = set;
  const pacer = new Pacer(options.pause);
  checkSet(set, rows.codeLength, Math.min(options.maxExamples ?? MAX_ROWS, MAX_ROWS));
  const { labels, counts, targets } = rankTargets(set);
  const [n, classes] = [rows.examples, labels.length];
  if (n * classes > MAX_LOGITS) throw tooLarge(`${n} examples of ${classes} classes`, `${MAX_LOGITS} in all`);
  await checkRows(rows, pacer);
  const weights = exampleWeights({ targets, counts, examples: n }, options.balance);
  const moments = await momentsOf(rows, weights, pacer);
  const data: LogisticData = { rows, mean: moments.mean, deviation: deviationsOf(moments), targets, classes };
  const folds = foldCount(n);
  const { lambda, temperature, logits, start } = await select(data, weights, options, pacer);
  const x = await fit(data, weights, lambda, start, pacer, options.onFit);
  const known = { labels, targets, order: Uint32Array.from(targets, (_, i) => i) };
  const judged = weightsOfJudged(weights, targets, counts);
  const left = await leaveOneOutMetrics(known, logits, temperature, judged, pacer);
  const head = withGolden({
    ...codesRead(set),
    codeLength: rows.codeLength,
    labels,
    ...matrices(data, x),
    temperature,
    novelty: await novelty(data, labels, weights, moments, logits, options, pacer),
    training: {
      method: { fit: 'logistic', folds },
      examples: n,
      counts,
      lambda,
      leaveOneOut: left.metrics === null ? null : summarise(left.metrics),
    },
  });
  return { head, ...left };
}

/** The most fits of a training, for a progress display. */
export function mostFits(examples: number): number {
  const onSample = LAMBDAS.length * foldCount(Math.min(examples, SELECTION));
  return onSample + (examples > SELECTION ? foldCount(examples) : 0) + 1;
}

function foldCount(examples: number): number {
  return Math.min(examples < FOLDS.manyFrom ? FOLDS.few : FOLDS.many, examples);
}

/** Chooses λ, on a sample where there are many examples, and predicts all held-out examples with it. */
async function select(
  data: LogisticData,
  weights: Float64Array,
  options: LogisticOptions,
  pacer: Pacer,
): Promise<LogisticSelection> {
  const none = new Float64Array(parameterCount(data));
  const n = data.rows.examples;
  const examples = judgedExamples(data, weights, options.seed);
  if (n <= SELECTION) return selectLogistic(data, examples, LAMBDAS, none, pacer, options.onFit);
  const places = evenlySpaced(n, SELECTION);
  const sample = {
    ...data,
    rows: rowsInMemory(allRows(selectRows(data.rows, places)), places.length),
    targets: Uint16Array.from(places, (place) => data.targets[place]),
  };
  const chosen = judgedExamples(
    sample,
    Float64Array.from(places, (place) => weights[place]),
    options.seed,
  );
  const { lambda, start } = await selectLogistic(sample, chosen, LAMBDAS, none, pacer, options.onFit);
  return selectLogistic(data, examples, [lambda], start, pacer, options.onFit);
}

function judgedExamples({ targets, classes }: LogisticData, weights: Float64Array, seed: number): Examples {
  const folds = drawFolds(targets, foldCount(targets.length), seed);
  return { weights, judgeWeights: weightsOfJudged(weights, targets, countsOf(targets, classes)), folds };
}

/** Examples of each class. */
function countsOf(targets: Uint16Array, classes: number): number[] {
  const counts = Array.from({ length: classes }, () => 0);
  for (const target of targets) counts[target]++;
  return counts;
}

/** Weights and bias in the unit that heads have their logits in. */
function matrices(
  { mean: exact, deviation, classes }: LogisticData,
  parameters: Float64Array,
): Pick<Head, 'mean' | 'deviation' | 'weights' | 'bias'> {
  const mean = Float32Array.from(exact);
  const inUnit = Float32Array.from(parameters, (value) => value / LOGIT_UNIT);
  const weights = inUnit.subarray(0, classes * mean.length);
  const prior = parameters.slice(classes * mean.length).map((value) => value / LOGIT_UNIT);
  return { mean, deviation, weights, bias: biases({ mean: exact, deviation }, prior, weights, mean) };
}

/** Of a sample: principal directions need no more, and a residual's spread still less. */
async function novelty(
  { rows, targets }: LogisticData,
  labels: readonly string[],
  weights: Float64Array,
  moments: Moments,
  logits: Float64Array,
  options: LogisticOptions,
  pacer: Pacer,
): Promise<NoveltyStatistics & { readonly directions: Float32Array }> {
  const places = evenlySpaced(rows.examples, SAMPLE);
  const set = sampleOf(rows, targets, labels, places);
  const mean = places.reduce((sum, place) => sum + weights[place], 0) / places.length;
  const a = new DesignMatrix(
    set,
    Float64Array.from(places, (place) => weights[place] / mean),
    moments,
  );
  const decomposition = await decompose(a, options.linalg, pacer);
  const principal = await findPrincipal(decomposition, directionCount(a.examples), pacer);
  const judged = noveltySample(a.examples);
  const residuals = await leftOutResiduals(judged, a, decomposition, principal, pacer);
  const ridge = await Ridge.create(decomposition, set.targets, a.rootWeights, labels.length, pacer);
  const { directions } = await headMatrices(a, ridge, ridge.scale, principal, pacer);
  const chosen = judged.map((place) => places[place]);
  const tops = topLogits(chosen, logits, labels.length);
  const known = { examples: rows.examples, meanSquare: ridge.scale, standardisation: a.standardisation };
  return { directions, ...noveltyStatistics(residuals, tops, known) };
}

function sampleOf(
  rows: CodeRows,
  targets: Uint16Array,
  labels: readonly string[],
  places: Uint32Array,
): CanonicalSet {
  const { codeLength } = rows;
  const codes = allRows(selectRows(rows, places));
  const ofSample = Uint16Array.from(places, (place) => targets[place]);
  return {
    examples: places.length,
    codeLength,
    labels,
    counts: countsOf(ofSample, labels.length),
    codes,
    order: Uint32Array.from(places, (_, i) => i),
    targets: ofSample,
  };
}

async function checkRows(rows: CodeRows, pacer: Pacer): Promise<void> {
  for (const { begin, out } of stretches(rows, ROWS)) {
    checkFinite(out, rows.codeLength, begin);
    if (pacer.due(out.length)) await pacer.rest();
  }
}
