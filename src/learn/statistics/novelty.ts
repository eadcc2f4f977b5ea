/**
 * The statistics behind "none of these": where the residual's length and the largest logit of a known picture usually
 * lie, taken over training codes that were left out, and the threshold that 95 % of known pictures stay below.
 */
import type { Distribution } from '../../head/head.ts';
import { studentQuantile95 } from './intervals.ts';
import type { Standardisation } from '../ridge/design-matrix.ts';

/** Share of known pictures that should pass. */
const PASS = 0.95;
/** Fewer scores than this give no useful 95 % quantile. A normal prediction bound is used instead. */
const FEWEST_FOR_QUANTILE = 40;
/**
 * Principal directions that a new head keeps at most; old ones may have MAX_DIRECTIONS. They are most of a small
 * head's file, and with 64 or 16 unknown pictures are noticed hardly better or worse: docs/mathematics.md.
 */
export const DIRECTIONS = 32;
/** Examples that each direction needs. */
const EXAMPLES_PER_DIRECTION = 4;
/**
 * The least spread, as a share of the centre: with less, every other picture would count as unknown. Also the least spread
 * of residuals, as a share of the codes' length: rounding the directions to half precision leaves a residual of that size.
 */
const SMALLEST_RELATIVE_SPREAD = 0.02;
/** Unit roundoff of half precision. Training codes are rounded to it; codes of pictures to predict are not. */
const HALF_PRECISION = 2 ** -11;
/** Where all codes are equal, spreads and scores are 0. Known pictures are then still within one spread. */
const SMALLEST_THRESHOLD = 1;

/** Enough left-out scores for means, deviations and a 95 % quantile; more would only take longer. */
const MAX_SAMPLE = 1000;

/** Which of n examples the statistics are taken over: evenly spaced, all of them where they are few. */
export function noveltySample(examples: number): Uint32Array {
  return evenlySpaced(examples, MAX_SAMPLE);
}

/** @returns at most `most` of n places, evenly spaced. */
export function evenlySpaced(n: number, most: number): Uint32Array {
  const size = Math.min(n, most);
  return Uint32Array.from({ length: size }, (_, i) => Math.floor((i * n) / size));
}

/** How many principal directions n examples support. Several examples must share each of them. */
export function directionCount(examples: number): number {
  return Math.min(DIRECTIONS, Math.floor(examples / EXAMPLES_PER_DIRECTION));
}

export interface NoveltyStatistics {
  readonly residual: Distribution;
  readonly logit: Distribution;
  readonly threshold: number;
}

/** The training set that left-out examples come from. */
export interface KnownCodes {
  /** n */
  readonly examples: number;
  /** Mean of the standardised codes' squared lengths. */
  readonly meanSquare: number;
  readonly standardisation: Standardisation;
}

/**
 * @param residuals lengths of the left-out codes' residuals.
 * @param topLogits their largest left-out logits: leaving an example out changes them by up to 1/n, whatever its code is.
 */
export function noveltyStatistics(
  residuals: Float64Array,
  topLogits: Float64Array,
  { examples, meanSquare, standardisation }: KnownCodes,
): NoveltyStatistics {
  const least = Math.max(Math.sqrt(meanSquare) * SMALLEST_RELATIVE_SPREAD, roundedLength(standardisation));
  const residual = distribution(residuals, least);
  const logit = distribution(topLogits, 1 / examples);
  const scores = residuals.map(
    (length, i) =>
      (length - residual.centre) / residual.spread - (topLogits[i] - logit.centre) / logit.spread,
  );
  return { residual, logit, threshold: Math.max(upperBound(scores), SMALLEST_THRESHOLD) };
}

/** How far the mean code, which is one of single precision, may be from itself in half precision, in standardised units. */
function roundedLength({ mean, deviation }: Standardisation): number {
  const squares = mean.reduce((sum, value, d) => sum + ((value * HALF_PRECISION) / deviation[d]) ** 2, 0);
  return Math.sqrt(squares);
}

function distribution(values: Float64Array, least: number): Distribution {
  const { centre, spread } = meanAndDeviation(values);
  return { centre, spread: Math.max(spread, Math.abs(centre) * SMALLEST_RELATIVE_SPREAD, least, 1e-6) };
}

/** The deviation is that of a sample; 0 for a single value. */
export function meanAndDeviation(values: Float64Array): Distribution {
  const n = values.length;
  const centre = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return { centre, spread: n > 1 ? Math.sqrt(squares / (n - 1)) : 0 };
}

/**
 * What the next score of a known picture stays below with 95 % probability: the conformal quantile (Vovk et al. 2005),
 * or for few scores the normal prediction bound with Student's quantile.
 */
function upperBound(scores: Float64Array): number {
  const n = scores.length;
  if (n >= FEWEST_FOR_QUANTILE) return scores.toSorted()[Math.min(Math.ceil((n + 1) * PASS), n) - 1];
  const { centre, spread } = meanAndDeviation(scores);
  return centre + studentQuantile95(Math.max(n - 1, 1)) * Math.max(spread, 1) * Math.sqrt(1 + 1 / n);
}
