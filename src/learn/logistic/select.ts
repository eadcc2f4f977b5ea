/**
 * Chooses λ and the softmax temperature of a logistic regression by the log-loss of cross-validation: each example is judged
 * by a fit without it. From strong shrinkage to weak, each fit beginning where the one before ended (Friedman, Hastie
 * & Tibshirani 2010).
 */
import type { Pacer } from '../pacer.ts';
import { fitTemperature } from '../statistics/temperature.ts';
import { LBFGS_DEFAULTS, minimise, type LbfgsOptions } from './lbfgs.ts';
import { parameterCount, softmaxObjective, writeLogits, type LogisticData } from './softmax-objective.ts';

/**
 * λ for the sum of the examples' log-losses over standardised codes, from more shrinkage than any data set wants to hardly any:
 * what it should be does not grow with their number, so that what a sample chooses serves for all.
 */
export const LAMBDAS: readonly number[] = Array.from({ length: 12 }, (_, i) => 10 ** (3.5 - i / 2));
/** Rises in a row after which smaller λ are not tried. */
const RISES = 2;
/**
 * What logits are divided by to be of the size of a one-hot regression's, which temperatures and novelty expect of heads: a
 * temperature of this much then changes nothing.
 */
export const LOGIT_UNIT = 1 / 0.15;
/** Vectors of curvature take two copies of the parameters each; this many numbers in all. */
const MEMORY_NUMBERS = 2e7;
const FEWEST_PAIRS = 3;
/** Far below what a held-out log-loss can tell apart. */
const VALUE_TOLERANCE = 1e-7;

/** Told after each fit: λ, and the mean log-loss on what it was fitted to, with the penalty, in nats. */
export type OnFit = (lambda: number, logLoss: number) => void;

export interface LogisticSelection {
  /** For the sum of the log-losses. */
  readonly lambda: number;
  readonly temperature: number;
  /** [n × C] logits of each example by the fit without it, divided by LOGIT_UNIT. */
  readonly logits: Float64Array;
  /** Where a fit on more examples may begin. */
  readonly start: Float64Array;
}

export interface Examples {
  /** [n] what each counts in the fit. */
  readonly weights: Float64Array;
  /** [n] what each counts when it is judged. */
  readonly judgeWeights: Float64Array;
  /** [n] the fold that each is held out in. */
  readonly folds: Uint8Array;
}

/** @param lambdas falling. @param start of the first fits. */
export async function selectLogistic(
  data: LogisticData,
  { weights, judgeWeights, folds }: Examples,
  lambdas: readonly number[],
  start: Float64Array,
  pacer: Pacer,
  onFit?: OnFit,
): Promise<LogisticSelection> {
  const count = 1 + folds.reduce((most, fold) => Math.max(most, fold), 0);
  const fits = Array.from({ length: count }, () => start);
  let best: (LogisticSelection & { readonly objective: number }) | undefined;
  let rises = 0;
  for (const lambda of lambdas) {
    const logits = new Float64Array(data.targets.length * data.classes);
    for (let fold = 0; fold < count; fold++) {
      const others = weights.map((weight, i) => (folds[i] === fold ? 0 : weight));
      fits[fold] = await fit(data, others, lambda, fits[fold], pacer, onFit);
      await writeLogits(data, fits[fold], (i) => folds[i] === fold, logits, pacer);
    }
    for (let i = 0; i < logits.length; i++) logits[i] /= LOGIT_UNIT;
    const { temperature, objective } = await fitTemperature(
      logits,
      data.targets,
      judgeWeights,
      data.classes,
      pacer,
    );
    rises = best !== undefined && objective >= best.objective ? rises + 1 : 0;
    if (rises === 0) best = { lambda, temperature, logits, start: mean(fits), objective };
    if (rises === RISES) break;
  }
  return best!;
}

/** @param lambda for the sum of the log-losses. */
export async function fit(
  data: LogisticData,
  weights: Float64Array,
  lambda: number,
  start: Float64Array,
  pacer: Pacer,
  onFit?: OnFit,
): Promise<Float64Array> {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const objective = softmaxObjective(data, weights, lambda / total, pacer);
  const { x, value } = await minimise(objective, start, lbfgsFor(data));
  onFit?.(lambda, value);
  return x;
}

function lbfgsFor(data: LogisticData): LbfgsOptions {
  const pairs = Math.floor(MEMORY_NUMBERS / (2 * parameterCount(data)));
  return {
    ...LBFGS_DEFAULTS,
    valueTolerance: VALUE_TOLERANCE,
    memory: Math.min(LBFGS_DEFAULTS.memory, Math.max(FEWEST_PAIRS, pairs)),
  };
}

function mean(vectors: readonly Float64Array[]): Float64Array {
  return vectors[0].map((_, i) => vectors.reduce((sum, vector) => sum + vector[i], 0) / vectors.length);
}
