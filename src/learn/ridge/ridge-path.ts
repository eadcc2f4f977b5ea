/**
 * Closed-form heads whose λ and temperature were found elsewhere. Where codes were themselves fitted to the training
 * pictures, as a fine-tuned network's are, leave-one-out on them means nothing. Instead, each fold is held out and predicted by a
 * network that was tuned without it; the λ and temperature found so are used for the head on all examples.
 */
import type { Head } from '../../head/head.ts';
import { score } from '../../head/score.ts';
import { Pacer } from '../pacer.ts';
import { topLogits, writeProbabilities } from '../statistics/left-out.ts';
import { largest } from '../statistics/metrics.ts';
import { directionCount, noveltyStatistics, type NoveltyStatistics } from '../statistics/novelty.ts';
import { findPrincipal, type Principal } from '../statistics/principal.ts';
import { fitTemperature } from '../statistics/temperature.ts';
import type { TrainingSet } from '../training-set.ts';
import { headMatrices } from './head-matrices.ts';
import { fitRidge, knownCodes, ridgeHead, type Fitted, type TrainOptions } from './train.ts';

/** λ in decades around the mean squared length of a standardised code; fine-tuned codes want more than frozen ones. */
const DECADES: readonly number[] = Array.from({ length: 13 }, (_, i) => -3 + i / 2);

/** What is not known before held-out examples have been judged: scores then are the plain residual minus the logit. */
const PLAIN_NOVELTY: NoveltyStatistics = {
  residual: { centre: 0, spread: 1 },
  logit: { centre: 0, spread: 1 },
  threshold: 0,
};

export class RidgePath {
  readonly fitted: Fitted;
  readonly #principal: Principal;
  readonly #pacer: Pacer;

  private constructor(fitted: Fitted, principal: Principal, pacer: Pacer) {
    this.fitted = fitted;
    this.#principal = principal;
    this.#pacer = pacer;
  }

  /** Does the work that all λ share. @throws HeadwaterError as `trainHead`. */
  static async fit(set: TrainingSet, options: TrainOptions): Promise<RidgePath> {
    const pacer = new Pacer(options.pause);
    const fitted = await fitRidge(set, options, pacer);
    const count = directionCount(fitted.data.examples);
    return new RidgePath(fitted, await findPrincipal(fitted.ridge.decomposition, count, pacer), pacer);
  }

  /** The head at λ = 10^decade · the mean squared length of a code. */
  async head(decade: number, temperature: number, novelty: NoveltyStatistics = PLAIN_NOVELTY): Promise<Head> {
    const { a, ridge } = this.fitted;
    const lambda = ridge.scale * 10 ** decade;
    const matrices = await headMatrices(a, ridge, lambda, this.#principal, this.#pacer);
    const found = { lambda, temperature, novelty, leaveOneOut: null };
    return ridgeHead(this.fitted, this.#principal, matrices, found);
  }
}

/** A training set's part and the examples held out of it, whose targets index the same labels. */
export interface Fold {
  readonly set: TrainingSet;
  /** [h × D] and [h]. */
  readonly codes: Float16Array;
  readonly targets: Uint16Array;
}

/** What held-out examples say. Examples are in the order of the folds, classes in that of the sorted labels. */
export interface HeldOut {
  readonly decade: number;
  readonly temperature: number;
  /** [Σh × C] */
  readonly probabilities: Float32Array;
  readonly novelty: NoveltyStatistics;
}

interface Judged {
  /** [Σh × C] */
  readonly logits: Float64Array;
  /** [Σh] lengths of the residuals outside the training codes' principal directions. */
  readonly residuals: Float64Array;
}

/**
 * Chooses λ and temperature by the log-loss of held-out examples, all folds together.
 * @param folds at least one; their sets have the same labels, sorted by code unit, every class in every set.
 */
export async function selectHeldOut(folds: readonly Fold[], options: TrainOptions): Promise<HeldOut> {
  const classes = folds[0].set.labels.length;
  const targets = Uint16Array.from(folds.flatMap((fold) => [...fold.targets]));
  const paths = await Promise.all(folds.map((fold) => RidgePath.fit(fold.set, options)));
  const weights = new Float64Array(targets.length).fill(1);
  const pacer = new Pacer(options.pause);
  let best: { decade: number; temperature: number; objective: number; judged: Judged } | undefined;
  for (const decade of DECADES) {
    const judged = await judge(paths, folds, decade, targets.length * classes);
    const { temperature, objective } = await fitTemperature(judged.logits, targets, weights, classes, pacer);
    if (best === undefined || objective < best.objective) best = { decade, temperature, objective, judged };
  }
  const { decade, temperature, judged } = best!;
  const { logits, residuals } = judged;
  const probabilities = new Float32Array(logits.length);
  const shares = new Float64Array(classes);
  for (let from = 0; from < logits.length; from += classes)
    writeProbabilities(logits, from, temperature, shares, probabilities, from);
  const tops = topLogits(targets.keys(), logits, classes);
  const novelty = noveltyStatistics(residuals, tops, knownCodes(paths[0].fitted));
  return { decade, temperature, probabilities, novelty };
}

/** Scores each fold by the head that was fitted without it. @param numbers Σh · C */
async function judge(
  paths: readonly RidgePath[],
  folds: readonly Fold[],
  decade: number,
  numbers: number,
): Promise<Judged> {
  const logits = new Float64Array(numbers);
  const residuals: number[] = [];
  for (const [fold, { codes, targets }] of folds.entries()) {
    const head = await paths[fold].head(decade, 1);
    const { codeLength, labels } = head;
    for (let i = 0; i < targets.length; i++) {
      const code = Float32Array.from(codes.subarray(i * codeLength, (i + 1) * codeLength));
      const scored = score(head, code);
      const from = residuals.length * labels.length;
      logits.set(scored.logits, from);
      // PLAIN_NOVELTY makes the score the residual's length less the largest logit.
      residuals.push(scored.unknown.score + largest(logits, from, labels.length));
    }
  }
  return { logits, residuals: Float64Array.from(residuals) };
}
