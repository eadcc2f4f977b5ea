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
  /** Of each. */
  readonly labels: readonly string[];
  /** Where each came from. */
  readonly order: Uint32Array;
  /** Labels that the head does not have, by code unit. */
  readonly added: readonly string[];
}

/**
 * Checked, and in an order that does not depend on the one given.
 * @throws HeadwaterError `training_data_invalid`, `training_data_too_large`.
 */
export function canonical(
  head: Pick<Head, 'codeLength' | 'labels'>,
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
  const sortedLabels = Array.from(order, (i) => labels[targets[i]]);
  const added = [...new Set(sortedLabels)].filter((label) => !head.labels.includes(label));
  const classes = head.labels.length + added.length;
  if (classes > MAX_CLASSES) throw tooLarge(`${classes} labels`, `${MAX_CLASSES}`);
  return {
    codes: Array.from(order, (i) => codes.subarray(i * codeLength, (i + 1) * codeLength)),
    labels: sortedLabels,
    order,
    added,
  };
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
