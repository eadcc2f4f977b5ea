/**
 * What a backbone needs to run on integers, from its weights file, so that the file's hash names the codes: for each
 * step that writes a map a tensor `<step>.range`, F32 [2], the least and the greatest number of its output that are told
 * apart, and for each step that computes in 16 bits instead of 8 a tensor `<step>.bits`, F32 [1], that holds 16.
 */
import { HeadwaterError } from '../errors.ts';
import type { Plan, Step } from './plan.ts';

/** low ≤ 0 ≤ high */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface Ranges {
  /** Of each step's output, after its activation. */
  readonly of: ReadonlyMap<string, Range>;
  /** The steps whose weights and input have 16 bits. */
  readonly wide: ReadonlySet<string>;
}

interface Weights {
  readonly plan: Plan;
  readonly tensors: ReadonlyMap<string, ArrayLike<number>>;
}

/** Far beyond any network's, and what single precision can tell from zero. */
const LARGEST = 1e6;
const SMALLEST_SPAN = 1e-6;

/** @returns whether the weights name a range at all; `rangesOf` then wants all of them. */
export function hasRanges({ plan, tensors }: Weights): boolean {
  return plan.steps.some((step) => tensors.has(`${step.name}.range`) || tensors.has(`${step.name}.bits`));
}

/** @throws HeadwaterError `backbone_invalid` for ranges that are missing or out of bounds, and bits other than 16. */
export function rangesOf({ plan, tensors }: Weights): Ranges {
  const of = new Map<string, Range>();
  const wide = new Set<string>();
  for (const step of plan.steps) {
    of.set(step.name, rangeOf(step, tensors.get(`${step.name}.range`)));
    if (isWide(step, tensors.get(`${step.name}.bits`))) wide.add(step.name);
  }
  return { of, wide };
}

function rangeOf({ name }: Step, numbers: ArrayLike<number> | undefined): Range {
  if (numbers?.length !== 2) {
    throw invalid(`its tensor '${name}.range' has ${numbers?.length ?? 'no'} numbers instead of 2`);
  }
  const [low, high] = [numbers[0], numbers[1]];
  const isBounded = low <= 0 && high >= 0 && low >= -LARGEST && high <= LARGEST;
  if (!isBounded || high - low < SMALLEST_SPAN) {
    throw invalid(
      `the range of '${name}' is ${low} to ${high}; it must hold 0, span ${SMALLEST_SPAN} or more, and end within ±${LARGEST}`,
    );
  }
  return { low, high };
}

function isWide({ name, op }: Step, numbers: ArrayLike<number> | undefined): boolean {
  if (numbers === undefined) return false;
  if (numbers.length !== 1 || numbers[0] !== 16) throw invalid(`its tensor '${name}.bits' must hold one 16`);
  if (op !== 'conv' && op !== 'depthwise') {
    throw invalid(`the step '${name}' is of kind ${op}; only convolutions compute in 16 bits`);
  }
  return true;
}

function invalid(what: string): HeadwaterError {
  return new HeadwaterError('backbone_invalid', `The backbone's ranges don't fit its plan: ${what}.`);
}
