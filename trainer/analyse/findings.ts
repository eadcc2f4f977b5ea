/** What there is to know about a data set before a head is trained on it. */
import { assess, type SampleOptions, type Situation } from '../strategy/situation.ts';
import { permutation, randomFor } from '../../src/random.ts';
import { allRows, selectRows } from '../../src/learn/code-rows.ts';
import type { StreamedSet } from '../../src/learn/training-set.ts';
import type { LabelledCodes } from '../codes/labelled.ts';
import { judge } from '../evaluation/evaluation.ts';
import { learn, type LearnOptions } from '../learning.ts';
import type { Reading } from '../reading.ts';
import type { CurvePoint } from '../report/transfer.ts';
import { eachTap, type TapMetrics } from '../strategy/linear/linear.ts';
import { trainingData } from '../strategy/training-data.ts';
import { MAX_COMPARED, nearDuplicates } from './near-duplicates.ts';

export interface NamedPair {
  readonly first: string;
  readonly second: string;
  readonly cosine: number;
  /** Whether the two carry different labels, which is worse. */
  readonly labelsDiffer: boolean;
}

/** A picture that a head trained without it confidently predicts to be of another class. */
interface Suspect {
  readonly picture: string;
  readonly label: string;
  readonly taken: string;
  readonly confidence: number;
}

export interface Findings {
  readonly counts: readonly { readonly label: string; readonly examples: number }[];
  /** Largest class over smallest. */
  readonly imbalance: number;
  readonly situation: Situation;
  readonly taps: readonly TapMetrics[];
  readonly curve: readonly CurvePoint[];
  readonly suspects: readonly Suspect[];
  /** Undefined where there are too many pictures to compare all pairs. */
  readonly nearDuplicates: readonly NamedPair[] | undefined;
  /**
   * Pictures of the test set that are, or nearly are, in the training data, the latter undefined where they are too many;
   * undefined without a test set.
   */
  readonly leaks:
    { readonly exact: readonly string[]; readonly near: readonly NamedPair[] | undefined } | undefined;
}

/** A sure mistake is often a wrong label; below this it is often a hard picture. */
const SURE = 0.8;
const CURVE_PARTS = [1 / 8, 1 / 4, 1 / 2, 1];
const PURPOSE = { curve: 0x63757276, sketch: 0x736b6574 };

/** @param examples with the codes of all taps of the backbone. @param test with the same, where there is one. */
export async function findOut(
  examples: LabelledCodes,
  test: LabelledCodes | undefined,
  reading: Reading,
  options: SampleOptions,
): Promise<Findings> {
  const data = trainingData(reading, examples);
  const { set } = data;
  const learning = { ...options, solver: 'auto' } as const;
  const counts = set.labels.map((label, c) => ({
    label,
    examples: set.targets.reduce((sum, target) => sum + Number(target === c), 0),
  }));
  const sizes = counts.map(({ examples }) => examples);
  return {
    counts,
    imbalance: Math.max(...sizes) / Math.min(...sizes),
    situation: await assess(reading, examples.pictures, set.labels.length, options),
    taps: await eachTap(data, set.taps, learning),
    curve: await learningCurve(set, learning),
    suspects: await findSuspects(set, examples.pictures, learning),
    nearDuplicates: pairsWithin(examples, options.seed),
    leaks: test === undefined ? undefined : findLeaks(examples, test, options.seed),
  };
}

/** Accuracy at growing parts of the data, each part the beginning of the next. */
async function learningCurve(set: StreamedSet, options: LearnOptions): Promise<CurvePoint[]> {
  const { labels, targets, rows } = set;
  const points: CurvePoint[] = [];
  for (const share of CURVE_PARTS) {
    const some = labels.flatMap((_, c) => {
      const members = [...targets.keys()].filter((i) => targets[i] === c);
      const order = permutation(members.length, randomFor(options.seed, PURPOSE.curve, c));
      return [...order.subarray(0, Math.max(2, Math.round(share * members.length)))].map(
        (place) => members[place],
      );
    });
    const part = { rows: selectRows(rows, some), targets: Uint16Array.from(some, (i) => targets[i]) };
    const { metrics } = await learn({ ...set, ...part }, options);
    if (metrics === null) continue;
    points.push({ perClass: some.length / labels.length, accuracy: metrics.accuracy });
  }
  return points;
}

async function findSuspects(
  set: StreamedSet,
  pictures: LabelledCodes['pictures'],
  options: LearnOptions,
): Promise<Suspect[]> {
  const { head, leaveOneOut, metrics } = await learn(set, options);
  if (metrics === null) return [];
  return judge(head.labels, pictures, leaveOneOut)
    .judgements.filter(({ top, target, confidence }) => top !== target && confidence >= SURE)
    .sort((a, b) => b.confidence - a.confidence)
    .map(({ picture, top, confidence }) => ({
      picture: picture.name,
      label: picture.label,
      taken: head.labels[top],
      confidence,
    }));
}

function pairsWithin({ pictures, codes }: LabelledCodes, seed: number): NamedPair[] | undefined {
  if (pictures.length > MAX_COMPARED) return undefined;
  const pairs = nearDuplicates(allRows(codes), pictures.length, randomFor(seed, PURPOSE.sketch));
  return pairs.map(({ first, second, cosine }) => named(pictures[first], pictures[second], cosine));
}

function findLeaks(set: LabelledCodes, test: LabelledCodes, seed: number): NonNullable<Findings['leaks']> {
  const known = new Set(set.pictures.map(({ sha256 }) => sha256));
  const exact = test.pictures.filter(({ sha256 }) => known.has(sha256)).map(({ name }) => name);
  const pictures = [...set.pictures, ...test.pictures];
  if (pictures.length > MAX_COMPARED) return { exact, near: undefined };
  const codes = new Float16Array(pictures.length * set.codes.codeLength);
  const own = set.pictures.length * set.codes.codeLength;
  set.codes.read(0, codes.subarray(0, own));
  test.codes.read(0, codes.subarray(own));
  const across = nearDuplicates(codes, pictures.length, randomFor(seed, PURPOSE.sketch)).filter(
    ({ first, second }) => first < set.pictures.length && second >= set.pictures.length,
  );
  const near = across.filter(({ first, second }) => pictures[first].sha256 !== pictures[second].sha256);
  return {
    exact,
    near: near.map(({ first, second, cosine }) => named(pictures[first], pictures[second], cosine)),
  };
}

type Named = LabelledCodes['pictures'][number];

function named(first: Named, second: Named, cosine: number): NamedPair {
  return { first: first.name, second: second.name, cosine, labelsDiffer: first.label !== second.label };
}
