/** What every strategy works with: the data, and how the user wants it worked on. */
import type { Backbone } from '../../src/backbone/index.ts';
import type { TrainingSet } from '../../src/learn/train.ts';
import type { LabelledCodes } from '../codes/labelled.ts';
import { targetsOf } from '../codes/labelled.ts';
import type { Terminal } from '../terminal.ts';

export interface Context {
  readonly backbone: Backbone;
  /** With the codes of all taps of the frozen backbone. */
  readonly set: LabelledCodes;
  /** [n] indices into set.labels, which are sorted as heads sort theirs. */
  readonly targets: Uint16Array;
  readonly terminal: Terminal;
  readonly seed: number;
  /** Whether to go on with fine-tuning runs that were interrupted. */
  readonly resume: boolean;
}

export function createContext(options: Omit<Context, 'targets'>): Context {
  return { ...options, targets: targetsOf(options.set.pictures, options.set.labels) };
}

export { LEARNING } from '../learning.ts';

/** A training set of some of the examples. @param codes n × D, of all examples. @param taps what the codes are of. */
export function trainingSet(
  { backbone, set, targets }: Pick<Context, 'backbone' | 'set' | 'targets'>,
  codes: Float16Array,
  taps: readonly string[],
  examples: readonly number[] = [...targets.keys()],
): TrainingSet {
  const { name, version, weightsSha256 } = backbone.plan;
  return {
    backbone: { name, version, weightsSha256 },
    taps,
    labels: set.labels,
    codes: rowsOf(codes, targets.length, examples),
    targets: Uint16Array.from(examples, (i) => targets[i]),
  };
}

/** Some rows of a matrix with n rows. */
export function rowsOf(codes: Float16Array, n: number, rows: readonly number[]): Float16Array {
  const d = codes.length / n;
  const out = new Float16Array(rows.length * d);
  rows.forEach((row, place) => out.set(codes.subarray(row * d, (row + 1) * d), place * d));
  return out;
}

/** The columns of some taps. @param codes n × D of the whole plan. */
export function tapsOf(
  codes: Float16Array,
  { plan, codeLength }: Backbone,
  taps: readonly string[],
): Float16Array {
  if (taps.length === plan.taps.length) return codes;
  const n = codes.length / codeLength;
  const length = plan.taps.reduce((sum, tap) => sum + (taps.includes(tap.name) ? tap.channels : 0), 0);
  const out = new Float16Array(n * length);
  let [from, to] = [0, 0];
  for (const { name, channels } of plan.taps) {
    if (taps.includes(name)) {
      for (let i = 0; i < n; i++) {
        const begin = i * codeLength + from;
        out.set(codes.subarray(begin, begin + channels), i * length + to);
      }
      to += channels;
    }
    from += channels;
  }
  return out;
}
