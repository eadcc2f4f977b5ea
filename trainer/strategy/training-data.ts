/** What heads are trained on: labelled codes as src/learn takes them, and the pictures that they are of. */
import { allRows, selectRows, type CodeRows } from '../../src/learn/code-rows.ts';
import type { StreamedSet, TrainingSet } from '../../src/learn/training-set.ts';
import type { LabelledCodes } from '../codes/labelled.ts';
import { streamedSet } from '../learning.ts';
import { codesRead, type Reading } from '../reading.ts';
import { tapRows } from './linear/tap-rows.ts';

export interface TrainingData {
  /** How the pictures are read. */
  readonly reading: Reading;
  /** n, sorted by name. */
  readonly pictures: LabelledCodes['pictures'];
  /** [n × D] codes of all taps of the frozen backbone, in the order of the pictures. */
  readonly set: StreamedSet;
}

export function trainingData(reading: Reading, examples: LabelledCodes): TrainingData {
  return { reading, pictures: examples.pictures, set: streamedSet(reading, examples) };
}

/** The same examples with other codes. @param rows in the same order. @param taps what the codes are of. */
export function withCodes(
  { reading, set }: TrainingData,
  rows: CodeRows,
  taps: readonly string[],
): StreamedSet {
  return { ...codesRead(reading, taps), labels: set.labels, rows, targets: set.targets };
}

/** Some columns of the codes. @param taps in the plan's order. */
export function withTaps(data: TrainingData, taps: readonly string[]): StreamedSet {
  return withCodes(data, tapRows(data.set.rows, data.reading.backbone, taps), taps);
}

/** Some of the examples, in memory. @param examples their places. */
export function selectExamples(set: StreamedSet, examples: readonly number[]): TrainingSet {
  const { rows, ...rest } = set;
  const targets = Uint16Array.from(examples, (i) => set.targets[i]);
  return { ...rest, codes: allRows(selectRows(rows, examples)), targets };
}
