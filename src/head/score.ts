/**
 * A head's prediction for one code. Everything is summed in double precision in a fixed order, so that every runtime
 * finds the same numbers.
 */
import { HeadwaterError } from '../errors.ts';
import type { Head } from './head.ts';

/** The fields of a head that its scores depend on. */
export type ScoredHead = Pick<
  Head,
  'codeLength' | 'labels' | 'mean' | 'deviation' | 'weights' | 'bias' | 'temperature' | 'novelty'
>;

export interface Score {
  /** [C] */
  readonly logits: Float32Array;
  /** [C], summing to 1. */
  readonly probabilities: Float32Array;
  readonly unknown: {
    /** Distance from the training pictures, in spreads of the left-out ones; about 0 for a typical one. */
    readonly score: number;
    readonly isUnknown: boolean;
  };
}

/**
 * Predicts.
 * @param code [D] as the head's backbone computes it.
 * @throws RangeError when the code is of another length; HeadwaterError `head_invalid` where a score is not finite.
 * @example
 * const { probabilities, unknown } = score(head, code);
 * const top = probabilities.indexOf(Math.max(...probabilities));
 * const prediction = unknown.isUnknown ? undefined : head.labels[top];
 */
export function score(head: ScoredHead, code: Float32Array): Score {
  const { codeLength, labels, weights, bias, temperature, novelty } = head;
  if (code.length !== codeLength) {
    throw new RangeError(`The code has ${code.length} numbers; the head reads ${codeLength}.`);
  }
  const z = standardise(code, head.mean, head.deviation);
  const exact = new Float64Array(labels.length);
  for (let c = 0; c < labels.length; c++) exact[c] = bias[c] + dotRow(weights, c, z);
  const top = exact.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const distance =
    (residualLength(novelty.directions, z) - novelty.residual.centre) / novelty.residual.spread -
    (top - novelty.logit.centre) / novelty.logit.spread;
  const logits = Float32Array.from(exact);
  if (!Number.isFinite(distance) || !areFinite(logits, temperature)) throw notFinite();
  return {
    logits,
    probabilities: Float32Array.from(softmax(exact, top, temperature)),
    unknown: { score: distance, isUnknown: distance > novelty.threshold },
  };
}

/** Whether logits, also when divided by the temperature, are finite in single precision. */
function areFinite(logits: Float32Array, temperature: number): boolean {
  for (let c = 0; c < logits.length; c++) {
    if (!Number.isFinite(logits[c]) || !Number.isFinite(Math.fround(logits[c] / temperature))) return false;
  }
  return true;
}

/** Caused by a fine-tuned head's tail, or by a code that was sent instead of an image: neither is bounded as head files are. */
function notFinite(): HeadwaterError {
  return new HeadwaterError(
    'head_invalid',
    'The head gives no finite score for this code: its weights, or the numbers of the code, are far too large.',
  );
}

/** Given plain arrays: what V8 optimised for a head's shape, it would throw away with the head. */
function standardise(code: Float32Array, mean: Float32Array, deviation: Float32Array): Float64Array {
  const z = new Float64Array(code.length);
  for (let d = 0; d < z.length; d++) z[d] = (code[d] - mean[d]) / deviation[d];
  return z;
}

/** @param top the largest logit. */
export function softmax(logits: Float64Array, top: number, temperature: number): Float64Array {
  const shares = logits.map((logit) => Math.exp((logit - top) / temperature));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/** Length of the part of z outside the span of the orthonormal directions, by Pythagoras. */
function residualLength(directions: Float32Array, z: Float64Array): number {
  let outside = dotRow(z, 0, z);
  for (let k = 0; k * z.length < directions.length; k++) {
    const along = dotRow(directions, k, z);
    outside -= along * along;
  }
  return Math.sqrt(Math.max(outside, 0));
}

/**
 * Row `row` of the matrix times z. Four running sums, so that additions need not wait for one another; declared one by
 * one, for V8 boxes every value of a variable that an array pattern declared.
 */
function dotRow(matrix: Float32Array | Float64Array, row: number, z: Float64Array): number {
  const offset = row * z.length;
  const whole = z.length & ~3;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let d = 0;
  for (; d < whole; d += 4) {
    s0 += matrix[offset + d] * z[d];
    s1 += matrix[offset + d + 1] * z[d + 1];
    s2 += matrix[offset + d + 2] * z[d + 2];
    s3 += matrix[offset + d + 3] * z[d + 3];
  }
  for (; d < z.length; d++) s0 += matrix[offset + d] * z[d];
  return s0 + s1 + (s2 + s3);
}
