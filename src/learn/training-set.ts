/**
 * What a head is trained on, checked and put in canonical order: labels by code unit, examples by label and then by the
 * bits of their code. Whoever sums in that order gets the same head, bit for bit, whatever order the data came in.
 */
import { HeadwaterError } from '../errors.ts';
import { labelFault, MAX_CLASSES, MAX_CODE_LENGTH } from '../head/limits.ts';

export interface TrainingSet {
  readonly backbone: { readonly name: string; readonly version: string; readonly weightsSha256: string };
  /** Names of the taps that the codes are made of. */
  readonly taps: readonly string[];
  /** C distinct labels, in any order. */
  readonly labels: readonly string[];
  /** [n × D] CNN codes, in any order. */
  readonly codes: Float16Array;
  /** [n] indices into `labels`. */
  readonly targets: Uint16Array;
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

/** Bounds the time and memory of training; a host may ask for less. */
export const MAX_EXAMPLES = 200_000;

/**
 * @throws HeadwaterError `training_data_invalid` when the set does not fit together or holds a number that is none,
 * `training_data_too_large` when it has more than `maxExamples`.
 */
export function canonicalise(set: TrainingSet, maxExamples: number): CanonicalSet {
  const { labels, codes, targets } = set;
  const examples = targets.length;
  checkSizes(set, maxExamples);
  const codeLength = codes.length / examples;
  checkFinite(codes, codeLength);
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
  const order = sortExamples(codes, codeLength, targets, rank);
  const canonicalTargets = Uint16Array.from(order, (from) => rank[targets[from]]);
  return { examples, codeLength, labels: sorted, counts, codes, order, targets: canonicalTargets };
}

function checkSizes({ labels, codes, targets, taps }: TrainingSet, maxExamples: number): void {
  const examples = targets.length;
  if (labels.length < 2) throw invalid(`it has ${labels.length} classes where at least 2 are needed`);
  if (labels.length > MAX_CLASSES) throw tooLarge(`${labels.length} classes`, `${MAX_CLASSES} classes`);
  const fault = labelFault(labels);
  if (fault !== undefined) throw invalid(fault);
  if (taps.length === 0) throw invalid('it names no taps');
  if (examples === 0) throw invalid('it has no examples');
  if (examples > Math.min(maxExamples, MAX_EXAMPLES)) {
    throw tooLarge(`${examples} examples`, `${Math.min(maxExamples, MAX_EXAMPLES)}`);
  }
  if (codes.length === 0 || codes.length % examples !== 0) {
    throw invalid(`${codes.length} numbers are not the codes of ${examples} examples`);
  }
  const codeLength = codes.length / examples;
  if (codeLength > MAX_CODE_LENGTH) throw tooLarge(`a code of ${codeLength} numbers`, `${MAX_CODE_LENGTH}`);
}

/** In half precision an exponent of all ones means infinity or not a number. */
function checkFinite(codes: Float16Array, codeLength: number): void {
  const bits = halfBits(codes);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i] & 0x7c00) === 0x7c00) {
      throw invalid(
        `the code of example ${Math.floor(i / codeLength)} holds ${codes[i]}, which is no finite number`,
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
export function sortExamples(
  codes: Float16Array,
  codeLength: number,
  targets: Uint16Array,
  rank: Uint16Array,
): Uint32Array {
  const bits = halfBits(codes);
  const order = Uint32Array.from(targets, (_, i) => i);
  return order.sort((a, b) => {
    const byClass = rank[targets[a]] - rank[targets[b]];
    if (byClass !== 0) return byClass;
    for (let d = 0; d < codeLength; d++) {
      const difference = bits[a * codeLength + d] - bits[b * codeLength + d];
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function halfBits(codes: Float16Array): Uint16Array {
  return new Uint16Array(codes.buffer, codes.byteOffset, codes.length);
}

function invalid(what: string): HeadwaterError {
  return new HeadwaterError('training_data_invalid', `The training data cannot be used: ${what}.`);
}

function tooLarge(what: string, limit: string): HeadwaterError {
  return new HeadwaterError(
    'training_data_too_large',
    `The training data are too large: ${what}, where ${limit} are the most; train such a set with the trainer.`,
  );
}
