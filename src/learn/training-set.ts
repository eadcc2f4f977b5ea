/**
 * What a head is trained on, checked and put in canonical order: labels by code unit, examples by label and then by the
 * bits of their code. Sums in that order give the same head, bit for bit, for data in any order.
 */
import { HeadwaterError } from '../errors.ts';
import type { Head } from '../head/head.ts';
import { labelFault, MAX_CLASSES, MAX_CODE_LENGTH } from '../head/limits.ts';
import { rowsInMemory, stretches, type CodeRows } from './code-rows.ts';
import { halfBits } from './half.ts';
import type { Pacer } from './pacer.ts';

/** What the codes are computed from, as the head that is trained on them stores it. */
export type CodesRead = Pick<Head, 'backbone' | 'taps' | 'statistics' | 'input'>;

export interface TrainingSet extends CodesRead {
  /** C distinct labels, in any order. */
  readonly labels: readonly string[];
  /** [n × D] CNN codes, in any order. */
  readonly codes: Float16Array;
  /** [n] indices into `labels`. */
  readonly targets: Uint16Array;
}

/** As a training set, but the codes may lie anywhere. */
export interface StreamedSet extends Omit<TrainingSet, 'codes'> {
  /** [n × D], in the order of the targets. */
  readonly rows: CodeRows;
}

export interface CanonicalSet {
  readonly examples: number;
  readonly codeLength: number;
  /** Sorted by code unit. */
  readonly labels: readonly string[];
  /** Examples a class. */
  readonly counts: readonly number[];
  /** As given, not moved: example i's code begins at order[i] · codeLength. */
  readonly codes: Float16Array;
  /** [n] where the example at each canonical place came from. */
  readonly order: Uint32Array;
  /** [n] class of the example at each canonical place, an index into the sorted labels. */
  readonly targets: Uint16Array;
}

/** @returns the fields that a head takes over from its training set. */
export function codesRead({ backbone, taps, statistics, input }: CodesRead): CodesRead {
  return {
    backbone,
    taps,
    ...(statistics === undefined ? {} : { statistics }),
    ...(input === undefined ? {} : { input }),
  };
}

/** Bounds the time and memory of training. A host may set less. */
export const MAX_EXAMPLES = 200_000;
/** Rows that are checked at once. */
const ROWS = 64;

/**
 * @throws HeadwaterError `training_data_invalid` when the set is inconsistent or holds a number that is not finite,
 * `training_data_too_large` when it has more than `maxExamples`.
 */
export async function canonicalise(
  set: TrainingSet,
  maxExamples: number,
  pacer: Pacer,
): Promise<CanonicalSet> {
  const { codes, targets } = set;
  const examples = targets.length;
  const codeLength = codes.length / examples;
  checkSet(set, codeLength, Math.min(maxExamples, MAX_EXAMPLES));
  for (const { begin, out } of stretches(rowsInMemory(codes, examples), ROWS)) {
    checkFinite(out, codeLength, begin);
    if (pacer.due(out.length)) await pacer.rest();
  }
  const ranked = rankTargets(set);
  const order = sortExamples(codes, codeLength, ranked.targets);
  const inOrder = Uint16Array.from(order, (from) => ranked.targets[from]);
  return { examples, codeLength, ...ranked, codes, order, targets: inOrder };
}

type Labelled = Pick<TrainingSet, 'labels' | 'targets'>;

/**
 * Refuses what cannot be trained on, before anything is allocated for it.
 * @throws HeadwaterError as `canonicalise`.
 */
export function checkSet(
  { labels, targets, taps, statistics }: Labelled & Pick<TrainingSet, 'taps' | 'statistics'>,
  codeLength: number,
  maxExamples: number,
): void {
  const examples = targets.length;
  if (labels.length < 2) throw invalid(`it has ${labels.length} classes where at least 2 are needed`);
  if (labels.length > MAX_CLASSES) throw tooLarge(`${labels.length} classes`, `${MAX_CLASSES} classes`);
  const fault = labelFault(labels);
  if (fault !== undefined) throw invalid(fault);
  if (taps.length === 0) throw invalid('it names no taps');
  if (statistics !== undefined && statistics.length !== taps.length)
    throw invalid(`it has ${statistics.length} statistics for ${taps.length} taps`);
  if (examples === 0) throw invalid('it has no examples');
  if (examples > maxExamples) throw tooLarge(`${examples} examples`, `${maxExamples}`);
  if (codeLength === 0 || !Number.isInteger(codeLength)) {
    throw invalid(`${codeLength * examples} numbers are not the codes of ${examples} examples`);
  }
  if (codeLength > MAX_CODE_LENGTH) throw tooLarge(`a code of ${codeLength} numbers`, `${MAX_CODE_LENGTH}`);
}

/** Labels sorted by code unit, and each example's class among them. @throws HeadwaterError `training_data_invalid` */
export function rankTargets({
  labels,
  targets,
}: Labelled): Pick<CanonicalSet, 'labels' | 'counts' | 'targets'> {
  const rank = sortLabels(labels);
  const counts = labels.map(() => 0);
  targets.forEach((target, i) => {
    if (target >= labels.length) throw invalid(`example ${i} has class ${target} of only ${labels.length}`);
    counts[rank[target]]++;
  });
  const sorted = labels.toSorted(byCodeUnit);
  const empty = counts.indexOf(0);
  if (empty >= 0)
    throw invalid(`class ${JSON.stringify(sorted[empty])} has no example; add one or leave it out`);
  return { labels: sorted, counts, targets: targets.map((target) => rank[target]) };
}

/**
 * In half precision an exponent of all ones means infinity or not a number.
 * @param first which example the codes begin with.
 * @throws HeadwaterError `training_data_invalid`
 */
export function checkFinite(codes: Float16Array, codeLength: number, first: number): void {
  const bits = halfBits(codes);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i] & 0x7c00) === 0x7c00) {
      throw invalid(
        `the code of example ${first + Math.floor(i / codeLength)} holds ${codes[i]}, which is no finite number`,
      );
    }
  }
}

/** Place of each label among the sorted ones. */
function sortLabels(labels: readonly string[]): Uint16Array {
  const order = labels.map((_, i) => i).sort((a, b) => byCodeUnit(labels[a], labels[b]));
  const rank = new Uint16Array(labels.length);
  order.forEach((label, place) => (rank[label] = place));
  return rank;
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Indices of the examples by class and then by the bits of their codes. */
export function sortExamples(codes: Float16Array, codeLength: number, targets: Uint16Array): Uint32Array {
  const bits = halfBits(codes);
  const order = Uint32Array.from(targets, (_, i) => i);
  return order.sort((a, b) => {
    const byClass = targets[a] - targets[b];
    if (byClass !== 0) return byClass;
    for (let d = 0; d < codeLength; d++) {
      const difference = bits[a * codeLength + d] - bits[b * codeLength + d];
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function invalid(what: string): HeadwaterError {
  return new HeadwaterError('training_data_invalid', `The training data cannot be used: ${what}.`);
}

export function tooLarge(what: string, limit: string): HeadwaterError {
  return new HeadwaterError(
    'training_data_too_large',
    `The training data are too large: ${what}, where ${limit} are the most; train such a set with the trainer.`,
  );
}
