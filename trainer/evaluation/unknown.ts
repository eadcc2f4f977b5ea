/** How well a head tells what it knows from what it does not. */
import { wilsonInterval } from '../../src/learn/statistics/intervals.ts';
import { auroc } from '../../src/learn/statistics/auroc.ts';
import type { Interval } from '../../src/head/metrics.ts';
import { selectCodes, type LabelledCodes } from '../codes/labelled.ts';
import { scoreAll, type Scores } from './evaluation.ts';
import { trainOn } from '../learning.ts';
import type { Reading } from '../reading.ts';

export interface Share {
  readonly count: number;
  readonly of: number;
  readonly share: number;
  readonly interval: Interval;
}

export interface UnknownMetrics {
  /** Of the unknown pictures, those flagged as unknown. */
  readonly flagged: Share;
  /** Of the known pictures, those not flagged. */
  readonly passed: Share;
  /** Probability that an unknown picture scores higher than a known one. */
  readonly auroc: number;
}

export interface LeftOutClass {
  readonly label: string;
  readonly auroc: number;
}

export function compareUnknown(known: Scores, strange: Scores): UnknownMetrics {
  const flagged = strange.isUnknown.filter(Boolean).length;
  const passed = known.isUnknown.filter((isUnknown) => !isUnknown).length;
  return {
    flagged: share(flagged, strange.isUnknown.length),
    passed: share(passed, known.isUnknown.length),
    auroc: auroc(known.unknownScores, strange.unknownScores),
  };
}

/**
 * Unknown pictures of the same kind are the hard ones: for each class a head is trained without it, and must separate the
 * class's pictures from the others.
 * @param training what heads are trained on; needs three classes.
 * @param test other pictures with the same labels. Classes without any are not left out.
 */
export async function leaveClassesOut(
  reading: Reading,
  training: LabelledCodes,
  test: LabelledCodes,
  onClass: () => void,
): Promise<LeftOutClass[]> {
  const results: LeftOutClass[] = [];
  for (const label of training.labels) {
    const rest = selectCodes(training, (picture) => picture.label !== label);
    const known = selectCodes(
      test,
      (picture) => picture.label !== label && training.labels.includes(picture.label),
    );
    const strange = selectCodes(test, (picture) => picture.label === label);
    onClass();
    if (known.pictures.length === 0 || strange.pictures.length === 0) continue;
    const labels = training.labels.filter((other) => other !== label);
    const { head } = await trainOn(reading, { ...rest, labels });
    const area = auroc(
      scoreAll(head, known.codes).unknownScores,
      scoreAll(head, strange.codes).unknownScores,
    );
    results.push({ label, auroc: area });
  }
  return results;
}

/** Fewer classes leave a single one, and a head needs two. */
export const MIN_CLASSES_TO_LEAVE_OUT = 3;

function share(count: number, of: number): Share {
  return { count, of, share: count / of, interval: wilsonInterval(count, of) };
}
