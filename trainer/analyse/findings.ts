/** What there is to know about a data set before a head is trained on it. */
import type { Situation } from '../strategy/situation.ts';
import { assess } from '../strategy/situation.ts';
import { permutation, randomFor } from '../../src/learn/fine-tune/random.ts';
import { allRows, selectRows } from '../../src/learn/code-rows.ts';
import type { LabelledCodes } from '../codes/labelled.ts';
import { judge } from '../evaluation/evaluation.ts';
import { learn } from '../learning.ts';
import type { CurvePoint } from '../report/transfer.ts';
import type { Context } from '../strategy/training-data.ts';
import { streamedSet } from '../strategy/training-data.ts';
import type { TapFigures } from '../strategy/linear/linear.ts';
import { eachTap, trainLinear } from '../strategy/linear/linear.ts';
import { MAX_COMPARED, nearDuplicates } from './near-duplicates.ts';

export interface NamedPair {
  readonly first: string;
  readonly second: string;
  readonly cosine: number;
  /** Whether the two carry different labels, which is worse. */
  readonly labelsDiffer: boolean;
}

/** A picture that the head which never saw it surely takes for something else. */
export interface Suspect {
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
  readonly taps: readonly TapFigures[];
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

export async function findOut(context: Context, test: LabelledCodes | undefined): Promise<Findings> {
  const { set, targets } = context;
  const counts = set.labels.map((label, c) => ({
    label,
    examples: targets.reduce((sum, target) => sum + Number(target === c), 0),
  }));
  const sizes = counts.map(({ examples }) => examples);
  return {
    counts,
    imbalance: Math.max(...sizes) / Math.min(...sizes),
    situation: await assess(context),
    taps: await eachTap(
      context,
      context.backbone.plan.taps.map((tap) => tap.name),
    ),
    curve: await learningCurve(context),
    suspects: await findSuspects(context),
    nearDuplicates: pairsWithin(context),
    leaks: test === undefined ? undefined : findLeaks(context, test),
  };
}

/** Accuracy at growing parts of the data, each part the beginning of the next. */
async function learningCurve(context: Context): Promise<CurvePoint[]> {
  const { set, targets, backbone, seed } = context;
  const taps = backbone.plan.taps.map((tap) => tap.name);
  const points: CurvePoint[] = [];
  for (const part of CURVE_PARTS) {
    const some = set.labels.flatMap((_, c) => {
      const members = [...targets.keys()].filter((i) => targets[i] === c);
      const order = permutation(members.length, randomFor(seed, PURPOSE.curve, c));
      return [...order.subarray(0, Math.max(2, Math.round(part * members.length)))].map(
        (place) => members[place],
      );
    });
    const rows = selectRows(set.codes, some);
    const subset = {
      ...streamedSet(context, rows, taps),
      targets: Uint16Array.from(some, (i) => targets[i]),
    };
    const { figures } = await learn(subset, context);
    if (figures === null) continue;
    points.push({ perClass: some.length / set.labels.length, accuracy: figures.accuracy });
  }
  return points;
}

async function findSuspects(context: Context): Promise<Suspect[]> {
  const { trained } = await trainLinear(context, 'linear-all');
  const { head, leaveOneOut, figures } = trained;
  if (figures === null) return [];
  return judge(head.labels, context.set.pictures, leaveOneOut)
    .judgements.filter(({ top, target, confidence }) => top !== target && confidence >= SURE)
    .sort((a, b) => b.confidence - a.confidence)
    .map(({ picture, top, confidence }) => ({
      picture: picture.name,
      label: picture.label,
      taken: head.labels[top],
      confidence,
    }));
}

function pairsWithin({ set, seed }: Context): NamedPair[] | undefined {
  const { pictures, codes } = set;
  if (pictures.length > MAX_COMPARED) return undefined;
  const pairs = nearDuplicates(allRows(codes), pictures.length, randomFor(seed, PURPOSE.sketch));
  return pairs.map(({ first, second, cosine }) => named(pictures[first], pictures[second], cosine));
}

function findLeaks({ set, seed }: Context, test: LabelledCodes): NonNullable<Findings['leaks']> {
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
