/** What every strategy works with: the data, how it is read, and how the user wants it worked on. */
import { allRows, selectRows } from '../../src/learn/code-rows.ts';
import type { CodeRows } from '../../src/learn/code-rows.ts';
import type { StreamedSet, TrainingSet } from '../../src/learn/training-set.ts';
import type { LabelledCodes } from '../codes/labelled.ts';
import { targetsOf } from '../codes/labelled.ts';
import type { Solver } from '../learning.ts';
import type { Reading } from '../reading.ts';
import { codesRead } from '../reading.ts';
import type { Terminal } from '../cli/terminal.ts';

export interface Context extends Reading {
  /** With the codes of all taps of the frozen backbone. */
  readonly set: LabelledCodes;
  /** [n] indices into set.labels, which are sorted as heads sort theirs. */
  readonly targets: Uint16Array;
  readonly terminal: Terminal;
  readonly seed: number;
  /** How linear heads are found. */
  readonly solver: Solver;
  /** Whether to go on with fine-tuning runs that were interrupted. */
  readonly resume: boolean;
  /** Absolute path of the head to be: what is saved of a run is the business of runs that write the same file alone. */
  readonly out: string;
}

export function createContext(options: Omit<Context, 'targets'>): Context {
  return { ...options, targets: targetsOf(options.set.pictures, options.set.labels) };
}

type Data = Pick<Context, 'backbone' | 'input' | 'set' | 'targets'>;

/** A training set whose codes stay where they are. @param rows of all examples. @param taps what the codes are of. */
export function streamedSet(data: Data, rows: CodeRows, taps: readonly string[]): StreamedSet {
  return { ...codesRead(data, taps), labels: data.set.labels, rows, targets: data.targets };
}

/** A training set of some of the examples, in memory. */
export function trainingSet(
  data: Data,
  rows: CodeRows,
  taps: readonly string[],
  examples: readonly number[],
): TrainingSet {
  const { rows: _, ...all } = streamedSet(data, rows, taps);
  const targets = Uint16Array.from(examples, (i) => data.targets[i]);
  return { ...all, codes: allRows(selectRows(rows, examples)), targets };
}
