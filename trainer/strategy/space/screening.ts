/**
 * Chooses the backbone and the size of its pictures by evidence: a linear head in every code space that fits the CPU
 * budget, on a part of the data, each picture predicted by a head trained without it. The usual space wins where it cannot be
 * told from the best, else the cheapest that cannot.
 */
import { sameInput } from '../../../src/head/index.ts';
import { permutation, randomFor } from '../../../src/random.ts';
import type { DetailedMetrics } from '../../../src/learn/statistics/metrics.ts';
import type { TrainedHead } from '../../../src/learn/ridge/train.ts';
import { readLabelledCodes, requireTrainable, targetsOf } from '../../codes/labelled.ts';
import { openReader } from '../../codes/reader.ts';
import type { DataSet } from '../../datasets/dataset.ts';
import { UsageError } from '../../cli/failure.ts';
import { trainOn } from '../../learning.ts';
import type { Reading } from '../../reading.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { codeMs } from '../cost/edge.ts';
import { lossDifference, signTest, type LossDifference } from '../paired.ts';

/** Pictures that are looked at; more would take longer than they tell. */
export const MAX_SCREENED = 2000;
const PURPOSE = 0x73637265;

/**
 * A space is told from the best where its log-loss is more than this many standard errors above (the one-standard-error
 * rule, Breiman et al. 1984), or where the sign test says so at the level that belongs to one standard error.
 */
const ERRORS_APART = 1;
const SIGNS_APART = 0.159;

/** A backbone at a size, and what it costs. */
export interface Space {
  readonly reading: Reading;
  /** Of one picture's code at the edge, estimated. */
  readonly ms: number;
}

/** What held-out pictures say about a space. */
export interface Judged extends Space {
  readonly metrics: DetailedMetrics;
  /** [n × C] held out, in the order of the pictures. */
  readonly probabilities: Float32Array;
}

export interface Screened extends Judged {
  /** Its log-loss minus the best's. */
  readonly difference: LossDifference;
  /** Whether it cannot be told from the best. */
  readonly level: boolean;
}

export interface Frontier {
  readonly pictures: number;
  readonly budgetMs: number;
  /** From cheap to dear. */
  readonly spaces: readonly Screened[];
  readonly chosen: Screened;
  /** One sentence. */
  readonly because: string;
  /** That would have cost more than the budget. */
  readonly beyond: readonly Space[];
}

/**
 * @returns the spaces within the budget and those beyond it, each from cheap to dear.
 * @throws UsageError when none is within it.
 */
export function withinBudget(
  readings: readonly Reading[],
  budgetMs: number,
): { within: Space[]; beyond: Space[] } {
  const spaces = readings
    .map((reading) => ({ reading, ms: codeMs(reading.backbone) }))
    .toSorted((a, b) => a.ms - b.ms);
  const within = spaces.filter(({ ms }) => ms <= budgetMs);
  if (within.length > 0) return { within, beyond: spaces.slice(within.length) };
  const [cheapest] = spaces;
  const least = Math.ceil(cheapest.ms * 10) / 10;
  throw new UsageError(
    `No backbone fits the CPU budget of ${budgetMs} ms: the cheapest, ${spaceName(cheapest)}, is reckoned at ${cheapest.ms.toFixed(1)} ms a picture. Give --cpu-budget ${least} or more.`,
  );
}

export function spaceName({ reading: { backbone, input } }: Space): string {
  const { height, width } = input;
  return `${backbone.plan.name} at ${height === width ? `${height}` : `${height}×${width}`} px`;
}

/**
 * Tries the spaces on at most MAX_SCREENED pictures.
 * @returns undefined where no picture can be held out.
 * @throws HeadwaterError `training_data_invalid`; FileError
 */
export async function screen(
  dataSet: DataSet,
  { within, beyond, budgetMs, seed, usual }: ScreenOptions,
  terminal: Terminal,
): Promise<Frontier | undefined> {
  const part = sampleOf(dataSet, seed);
  terminal.note(
    `Trying ${within.length} backbones and sizes with linear heads on ${part.pictures.length} pictures …`,
  );
  const judged: Judged[] = [];
  let targets = new Uint16Array();
  for (const space of within) {
    const reader = await openReader(space.reading, terminal);
    const set = await readLabelledCodes(part, reader);
    requireTrainable(set);
    const trained = await trainOn(space.reading, set);
    const all = targetsOf(set.pictures, set.labels);
    const counted = countedOf(trained, all);
    if (trained.metrics === null) return undefined;
    targets = Uint16Array.from(counted, (i) => all[i]);
    judged.push({ ...space, metrics: trained.metrics, probabilities: rowsOf(trained, counted) });
  }
  return { pictures: part.pictures.length, budgetMs, beyond, ...chooseSpace(judged, targets, usual) };
}

interface ScreenOptions {
  readonly within: readonly Space[];
  readonly beyond: readonly Space[];
  readonly budgetMs: number;
  /** How pictures are read without a choice. */
  readonly usual: Reading;
  /** Decides which pictures are looked at. */
  readonly seed: number;
}

/**
 * @param judged from cheap to dear, on the same pictures. @param targets [n]
 * @param usual how pictures are read without a choice.
 * @returns the usual space where it cannot be told from the one with the least log-loss, since it did best on other data;
 *   else the cheapest of which that is true.
 */
export function chooseSpace(
  judged: readonly Judged[],
  targets: Uint16Array,
  usual?: Reading,
): Pick<Frontier, 'spaces' | 'chosen' | 'because'> {
  const best = judged.reduce((least, each) => (each.metrics.logLoss < least.metrics.logLoss ? each : least));
  const spaces = judged.map((each): Screened => {
    const difference = lossDifference(each.probabilities, best.probabilities, targets);
    const signs = signTest(each.probabilities, best.probabilities, targets);
    const level = difference.mean <= ERRORS_APART * difference.error && signs > SIGNS_APART;
    return { ...each, difference, level: each === best || level };
  });
  const level = spaces.filter((each) => each.level);
  const kept = usual === undefined ? undefined : level.find(({ reading }) => isAlike(reading, usual));
  const chosen = kept ?? level[0];
  return { spaces, chosen, because: reason(chosen, best, chosen === kept) };
}

function reason(chosen: Judged, best: Judged, usual: boolean): string {
  if (chosen.probabilities === best.probabilities) {
    return usual
      ? 'It has the least held-out log-loss.'
      : 'It has the least held-out log-loss, and no cheaper one is level with it.';
  }
  const what = usual ? 'the usual one, and' : 'the cheapest that';
  return `It is ${what} cannot be told from the best, ${spaceName(best)}, by the same held-out pictures.`;
}

function isAlike(one: Reading, other: Reading): boolean {
  const [a, b] = [one, other].map(({ backbone }) => backbone.plan.weightsSha256);
  return a === b && sameInput(one.input, other.input);
}

/**
 * As many of each class as its share, two at least where there are two, drawn by the seed.
 * @returns the whole where it is small enough.
 */
export function sampleOf(dataSet: DataSet, seed: number, most = MAX_SCREENED): DataSet {
  const { pictures, labels } = dataSet;
  if (pictures.length <= most) return dataSet;
  const free = Math.max(0, most - 2 * labels.length);
  const kept = labels.flatMap((label, c) => {
    const members = pictures.filter((picture) => picture.label === label);
    const count = 2 + Math.floor((free * members.length) / pictures.length);
    const order = permutation(members.length, randomFor(seed, PURPOSE, c));
    return [...order.subarray(0, count)].map((place) => members[place]);
  });
  const names = new Set(kept);
  return { ...dataSet, pictures: pictures.filter((picture) => names.has(picture)) };
}

/** Places of the pictures that can be judged: the only one of its class could not be known when it was left out. */
function countedOf({ head }: TrainedHead, targets: Uint16Array): number[] {
  return [...targets.keys()].filter((i) => head.training.counts[targets[i]] > 1);
}

function rowsOf({ leaveOneOut, head }: TrainedHead, places: readonly number[]): Float32Array {
  const classes = head.labels.length;
  const rows = new Float32Array(places.length * classes);
  places.forEach((place, i) => {
    rows.set(leaveOneOut.subarray(place * classes, (place + 1) * classes), i * classes);
  });
  return rows;
}
