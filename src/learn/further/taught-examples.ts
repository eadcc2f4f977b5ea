/** New examples for an existing head. */
import { HeadwaterError } from '../../errors.ts';
import type { Head } from '../../head/head.ts';
import { labelFault, MAX_CLASSES } from '../../head/limits.ts';
import { sortExamples } from '../training-set.ts';

export interface TaughtExamples {
  /** Distinct labels, old or new, in any order. */
  readonly labels: readonly string[];
  /** [n × D] codes that the head reads, in any order. */
  readonly codes: Float16Array;
  /** [n] indices into `labels`. */
  readonly targets: Uint16Array;
}

/** Time and memory grow with the square of their number. */
export const MAX_TAUGHT_EXAMPLES = 2_000;

export interface CanonicalExamples {
  /** By label, then by the bits of the code. */
  readonly codes: readonly Float16Array[];
  /** Where each came from. */
  readonly order: Uint32Array;
  /** The head's, then those that it does not have, by code unit. */
  readonly labels: readonly string[];
  /** [n] class of each, an index into these. */
  readonly targets: Uint16Array;
  /** Examples of each class, with those that the head knows of. */
  readonly counts: readonly number[];
}

/**
 * Checked, and in an order that does not depend on the one given.
 * @throws HeadwaterError `training_data_invalid`, `training_data_too_large`.
 */
export function canonical(
  head: Pick<Head, 'codeLength' | 'labels' | 'training'>,
  { labels, codes, targets }: TaughtExamples,
): CanonicalExamples {
  const { codeLength } = head;
  const fault = labelFault(labels);
  if (fault !== undefined) throw invalid(fault);
  if (targets.length === 0) throw invalid('there are no examples');
  if (targets.length > MAX_TAUGHT_EXAMPLES)
    throw tooLarge(`${targets.length} examples`, `${MAX_TAUGHT_EXAMPLES}`);
  if (codes.length !== targets.length * codeLength) {
    throw invalid(`${codes.length} numbers are not the codes of ${targets.length} examples`);
  }
  if (!codes.every(Number.isFinite)) throw invalid('a code holds a number that is not finite');
  const stray = targets.find((target) => target >= labels.length);
  if (stray !== undefined) throw invalid(`an example has class ${stray} of only ${labels.length}`);
  const sorted = labels.toSorted((a, b) => (a < b ? -1 : 1));
  const rank = Uint16Array.from(labels, (label) => sorted.indexOf(label));
  const ranks = targets.map((target) => rank[target]);
  const order = sortExamples(codes, codeLength, ranks);
  const known = Array.from(order, (i) => labels[targets[i]]);
  const all = [...new Set([...head.labels, ...known])];
  if (all.length > MAX_CLASSES) throw tooLarge(`${all.length} labels`, `${MAX_CLASSES}`);
  const places = Uint16Array.from(known, (label) => all.indexOf(label));
  const counts = all.map((_, c) => head.training.counts[c] ?? 0);
  for (const place of places) counts[place]++;
  return {
    codes: Array.from(order, (i) => codes.subarray(i * codeLength, (i + 1) * codeLength)),
    order,
    labels: all,
    targets: places,
    counts,
  };
}

/** Writes a code to `z`, in the units of the head. @returns z */
export function standardise(
  { mean, deviation }: Pick<Head, 'mean' | 'deviation'>,
  code: Float16Array,
  z: Float64Array,
): Float64Array {
  for (let d = 0; d < z.length; d++) z[d] = (code[d] - mean[d]) / deviation[d];
  return z;
}

function invalid(what: string): HeadwaterError {
  return new HeadwaterError('training_data_invalid', `The head cannot be taught: ${what}.`);
}

function tooLarge(what: string, limit: string): HeadwaterError {
  return new HeadwaterError(
    'training_data_too_large',
    `The head cannot be taught: ${what}, where ${limit} are the most.`,
  );
}
