/**
 * The guard: a new version that has become worse at the classes that were there before is stored, but does not answer.
 * Judged by held-out accuracy over the old classes' examples.
 */
import { parse } from './describe.ts';

/** Share of the examples of the given classes that were told right when left out, or undefined where none was judged. */
export function accuracyOver(description: string, classes: ReadonlySet<string>): number | undefined {
  const { labels, training } = parse(description);
  let right = 0;
  let judged = 0;
  for (const [i, { recall, support }] of (training.leaveOneOut?.perClass ?? []).entries()) {
    if (!classes.has(labels[i])) continue;
    right += recall * support;
    judged += support;
  }
  return judged === 0 ? undefined : right / judged;
}

/** Labels that both heads have. */
export function sharedClasses(before: string, after: string): Set<string> {
  const known = new Set(parse(before).labels);
  return new Set(parse(after).labels.filter((label) => known.has(label)));
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** @param margin how far the accuracy may fall, from 0 to 1. @returns why the new version is held back, or undefined. */
export function guardFault(before: string, after: string, margin: number): string | undefined {
  const shared = sharedClasses(before, after);
  const [was, is] = [accuracyOver(before, shared), accuracyOver(after, shared)];
  if (was === undefined || is === undefined || is >= was - margin) return undefined;
  return `Held-out accuracy on the classes that were there before fell from ${percent(was)} to ${percent(is)}, by more than the margin of ${percent(margin)}.`;
}
