/**
 * Chooses λ and the softmax temperature of a logistic regression by the log-loss of cross-validation: each example is judged
 * by a fit that never saw it. From strong shrinkage to weak, each fit beginning where the one before ended (Friedman, Hastie
 * & Tibshirani 2010).
 */
import type { Pacer } from '../pacer.ts';
import { fitTemperature } from '../temperature.ts';
import { LBFGS_DEFAULTS, minimise, type LbfgsOptions } from './lbfgs.ts';
import { parameterCount, softmaxObjective, writeLogits, type LogisticData } from './softmax-objective.ts';

/** λ in decades, for the mean log-loss over standardised codes: the walk ends where the held-out log-loss rises. */
const DECADES: readonly number[] = [0.5, 0, -0.5, -1, -1.5, -2, -2.5, -3, -3.5, -4, -4.5, -5];
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

/** What is seen of the work on its way, after each fit. */
export type OnFit = (fit: {
  /** How many fits there are at most; the walk may end before. */
  readonly most: number;
  readonly lambda: number;
  /** On what it was fitted to, with the penalty, in nats. */
  readonly logLoss: number;
}) => void;

export interface LogisticSelection {
  /** For the mean log-loss over all examples. */
  readonly lambda: number;
  readonly temperature: number;
  /** [n × C] logits of each example by the fit that never saw it, divided by LOGIT_UNIT. */
  readonly logits: Float64Array;
  /** Where the fit on all examples may begin. */
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

export async function selectLogistic(
  data: LogisticData,
  { weights, judgeWeights, folds }: Examples,
  pacer: Pacer,
  onFit?: OnFit,
): Promise<LogisticSelection> {
  const count = 1 + folds.reduce((most, fold) => Math.max(most, fold), 0);
  const fits: Float64Array[] = Array.from({ length: count }, () => new Float64Array(parameterCount(data)));
  let best: (LogisticSelection & { readonly objective: number }) | undefined;
  let rises = 0;
  for (const decade of DECADES) {
    const lambda = 10 ** decade;
    const logits = new Float64Array(data.targets.length * data.classes);
    for (let fold = 0; fold < count; fold++) {
      const others = weights.map((weight, i) => (folds[i] === fold ? 0 : weight));
      const fit = await minimise(softmaxObjective(data, others, lambda, pacer), fits[fold], lbfgsFor(data));
      fits[fold] = fit.x;
      await writeLogits(data, fit.x, (i) => folds[i] === fold, logits, pacer);
      onFit?.({ most: DECADES.length * count + 1, lambda, logLoss: fit.value });
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
    if (rises === 0) {
      // The sum of the log-losses over a fold's examples against the same penalty: with more of them, λ is less.
      const whole = (lambda * (count - 1)) / count;
      best = { lambda: whole, temperature, logits, start: mean(fits), objective };
    }
    if (rises === RISES) break;
  }
  return best!;
}

export function lbfgsFor(data: LogisticData): LbfgsOptions {
  const pairs = Math.floor(MEMORY_NUMBERS / (2 * parameterCount(data)));
  return { ...LBFGS_DEFAULTS, memory: Math.min(LBFGS_DEFAULTS.memory, Math.max(FEWEST_PAIRS, pairs)) };
}

function mean(vectors: readonly Float64Array[]): Float64Array {
  return vectors[0].map((_, i) => vectors.reduce((sum, vector) => sum + vector[i], 0) / vectors.length);
}
