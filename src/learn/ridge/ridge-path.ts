/**
 * Closed-form heads whose λ and temperature were found elsewhere. Where codes were themselves fitted to the training
 * pictures, as a fine-tuned network's are, leave-one-out on them means nothing. Instead, each fold is held out and predicted by a
 * network that was tuned without it; the λ and temperature found so are used for the head on all examples.
 */
import { makeGolden } from '../../head/golden.ts';
import type { Head } from '../../head/head.ts';
import { score } from '../../head/score.ts';
import { DesignMatrix } from './design-matrix.ts';
import { exampleWeights } from '../statistics/example-weights.ts';
import { headMatrices } from './head-matrices.ts';
import {
  directionCount,
  noveltyStatistics,
  type KnownCodes,
  type NoveltyStatistics,
} from '../statistics/novelty.ts';
import { Pacer } from '../pacer.ts';
import { findPrincipal, variancesOf, type Principal } from '../statistics/principal.ts';
import { decompose, decompositionOrder, Ridge } from './ridge.ts';
import { plainPrimitives } from '../linalg/symmetric-plain.ts';
import { wasmPrimitives } from '../linalg/symmetric-wasm.ts';
import { fitTemperature } from '../statistics/temperature.ts';
import type { TrainOptions } from './train.ts';
import {
  canonicalise,
  codesRead,
  MAX_EXAMPLES,
  type CanonicalSet,
  type TrainingSet,
} from '../training-set.ts';

/** λ in decades around the mean squared length of a standardised code; fine-tuned codes want more than frozen ones. */
export const DECADES: readonly number[] = Array.from({ length: 13 }, (_, i) => -3 + i / 2);

/** What is not known before held-out examples have been judged: scores then are the plain residual minus the logit. */
const PLAIN_NOVELTY: NoveltyStatistics = {
  residual: { centre: 0, spread: 1 },
  logit: { centre: 0, spread: 1 },
  threshold: 0,
};

export class RidgePath {
  readonly #set: TrainingSet;
  readonly #data: CanonicalSet;
  readonly #matrix: DesignMatrix;
  readonly #ridge: Ridge;
  readonly #principal: Principal;
  readonly #pacer: Pacer;

  private constructor(
    set: TrainingSet,
    parts: { data: CanonicalSet; matrix: DesignMatrix; ridge: Ridge; principal: Principal; pacer: Pacer },
  ) {
    this.#set = set;
    this.#data = parts.data;
    this.#matrix = parts.matrix;
    this.#ridge = parts.ridge;
    this.#principal = parts.principal;
    this.#pacer = parts.pacer;
  }

  /** Does the work that all λ share. @throws HeadwaterError as `trainHead`. */
  static async fit(set: TrainingSet, options: TrainOptions = {}): Promise<RidgePath> {
    const pacer = new Pacer(options.pause);
    const data = await canonicalise(set, options.maxExamples ?? MAX_EXAMPLES, pacer);
    const matrix = await DesignMatrix.create(data, exampleWeights(data, options.balance), pacer);
    const order = decompositionOrder(data.examples, data.codeLength);
    const primitives = options.linalg ? wasmPrimitives(order, options.linalg) : plainPrimitives(order);
    const decomposition = await decompose(matrix, primitives, pacer);
    const ridge = await Ridge.create(
      decomposition,
      data.targets,
      matrix.rootWeights,
      data.labels.length,
      pacer,
    );
    const principal = await findPrincipal(decomposition, directionCount(data.examples), pacer);
    return new RidgePath(set, { data, matrix, ridge, principal, pacer });
  }

  /** What the scores of unknown pictures are in units of, where these examples are the known ones. */
  get known(): KnownCodes {
    return {
      examples: this.#data.examples,
      meanSquare: this.#ridge.scale,
      standardisation: this.#matrix.standardisation,
    };
  }

  /** The head at λ = 10^decade · the mean squared length of a code. */
  async head(decade: number, temperature: number, novelty: NoveltyStatistics = PLAIN_NOVELTY): Promise<Head> {
    const lambda = this.#ridge.scale * 10 ** decade;
    const { directions, mean, weights, bias } = await headMatrices(
      this.#matrix,
      this.#ridge,
      lambda,
      this.#principal,
      this.#pacer,
    );
    const { examples, counts, labels, codeLength } = this.#data;
    const method = { fit: `ridge-${this.#ridge.decomposition.form}` };
    const head = {
      ...codesRead(this.#set),
      codeLength,
      labels,
      mean,
      deviation: this.#matrix.standardisation.deviation,
      weights,
      bias,
      temperature,
      novelty: { directions, ...novelty },
      training: { method, examples, counts, lambda, leaveOneOut: null },
      variances: variancesOf(this.#ridge.decomposition, this.#principal, examples, codeLength),
    };
    return { ...head, golden: makeGolden(head) };
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
  /** Mean, in nats, at that λ and temperature. */
  readonly logLoss: number;
  /** [Σh × C] */
  readonly probabilities: Float32Array;
  readonly targets: Uint16Array;
  readonly novelty: NoveltyStatistics;
}

interface Judged {
  readonly logits: Float64Array;
  /** Lengths of the residuals outside the training codes' principal directions. */
  readonly residuals: Float64Array;
}

/**
 * Chooses λ and temperature by the log-loss of held-out examples, all folds together.
 * @param folds at least one; their sets have the same labels, sorted by code unit, every class in every set.
 */
export async function selectHeldOut(folds: readonly Fold[], options: TrainOptions = {}): Promise<HeldOut> {
  const classes = folds[0].set.labels.length;
  const targets = Uint16Array.from(folds.flatMap((fold) => [...fold.targets]));
  const paths = await Promise.all(folds.map((fold) => RidgePath.fit(fold.set, options)));
  const weights = new Float64Array(targets.length).fill(1);
  const pacer = new Pacer(options.pause);
  let best: { decade: number; temperature: number; objective: number; judged: Judged } | undefined;
  for (const decade of DECADES) {
    const judged = join(await Promise.all(folds.map((fold, i) => judge(paths[i], fold, decade))));
    const { temperature, objective } = await fitTemperature(judged.logits, targets, weights, classes, pacer);
    if (best === undefined || objective < best.objective) best = { decade, temperature, objective, judged };
  }
  const { decade, temperature, judged } = best!;
  const probabilities = softmaxRows(judged.logits, classes, temperature);
  const tops = topsOf(judged.logits, classes);
  const novelty = noveltyStatistics(judged.residuals, tops, paths[0].known);
  return {
    decade,
    temperature,
    probabilities,
    targets,
    novelty,
    logLoss: meanLogLoss(probabilities, targets, classes),
  };
}

async function judge(path: RidgePath, { codes, targets }: Fold, decade: number): Promise<Judged> {
  const head = await path.head(decade, 1);
  const { codeLength, labels } = head;
  const logits = new Float64Array(targets.length * labels.length);
  const residuals = new Float64Array(targets.length);
  for (let i = 0; i < targets.length; i++) {
    const code = Float32Array.from(codes.subarray(i * codeLength, (i + 1) * codeLength));
    const scored = score(head, code);
    logits.set(scored.logits, i * labels.length);
    // PLAIN_NOVELTY makes the score the residual's length less the largest logit.
    residuals[i] =
      scored.unknown.score + scored.logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  }
  return { logits, residuals };
}

function join(parts: readonly Judged[]): Judged {
  return {
    logits: Float64Array.from(parts.flatMap(({ logits }) => [...logits])),
    residuals: Float64Array.from(parts.flatMap(({ residuals }) => [...residuals])),
  };
}

function topsOf(logits: Float64Array, classes: number): Float64Array {
  return Float64Array.from({ length: logits.length / classes }, (_, i) =>
    logits.subarray(i * classes, (i + 1) * classes).reduce((most, logit) => Math.max(most, logit), -Infinity),
  );
}

function softmaxRows(logits: Float64Array, classes: number, temperature: number): Float32Array {
  const shares = new Float32Array(logits.length);
  const tops = topsOf(logits, classes);
  for (const [row, top] of tops.entries()) {
    const part = logits.subarray(row * classes, (row + 1) * classes);
    const powers = part.map((logit) => Math.exp((logit - top) / temperature));
    const sum = powers.reduce((total, power) => total + power, 0);
    shares.set(
      powers.map((power) => power / sum),
      row * classes,
    );
  }
  return shares;
}

function meanLogLoss(probabilities: Float32Array, targets: Uint16Array, classes: number): number {
  let sum = 0;
  targets.forEach((target, i) => (sum -= Math.log(Math.max(probabilities[i * classes + target], 1e-15))));
  return sum / targets.length;
}
