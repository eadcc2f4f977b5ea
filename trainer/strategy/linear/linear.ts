/** The strategies that leave the network as it is: a closed-form head on the codes of some taps. */
import type { TrainedHead } from '../../../src/learn/ridge/train.ts';
import type { StreamedSet } from '../../../src/learn/training-set.ts';
import { learn, type LearnOptions } from '../../learning.ts';
import type { Reading } from '../../reading.ts';
import type { LinearStrategy } from '../strategies.ts';
import { withTaps } from '../training-data.ts';

export interface LinearOutcome {
  readonly strategy: LinearStrategy;
  readonly taps: readonly string[];
  readonly trained: TrainedHead;
}

/** A tap on its own, judged by pictures that were held out. */
export interface TapMetrics {
  readonly tap: string;
  readonly accuracy: number;
  readonly logLoss: number;
}

/** A head on a tap of its own. */
interface TapOutcome extends TapMetrics {
  readonly trained: TrainedHead;
}

/** One strategy. @param set with the codes of all taps. */
export async function trainLinear(
  set: StreamedSet,
  reading: Reading,
  strategy: LinearStrategy,
  options: LearnOptions,
): Promise<LinearOutcome> {
  const all = namesOf(reading);
  const best =
    strategy === 'linear-shallow'
      ? bestTap(await eachTap(set, reading, all.slice(0, -1), options))
      : undefined;
  if (best !== undefined) return { strategy, taps: [best.tap], trained: best.trained };
  const taps = { 'linear-all': all, 'linear-deep': all.slice(-1), 'linear-shallow': all.slice(0, 1) }[
    strategy
  ];
  return { strategy, taps, trained: await learn(withTaps(set, reading, taps), options) };
}

/**
 * All of them. @param set with the codes of all taps.
 * @returns those that can be judged, linear-all in any case, and how each tap does alone.
 */
export async function tryLinear(
  set: StreamedSet,
  reading: Reading,
  options: LearnOptions,
): Promise<{ linear: LinearOutcome[]; taps: TapMetrics[] }> {
  const names = namesOf(reading);
  const taps = await eachTap(set, reading, names, options);
  const isDeep = ({ tap }: TapMetrics): boolean => tap === names.at(-1);
  const deep = taps.find(isDeep);
  const shallow = bestTap(taps.filter((tap) => !isDeep(tap)));
  const all = await trainLinear(set, reading, 'linear-all', options);
  return { linear: [...outcome('linear-deep', deep), ...outcome('linear-shallow', shallow), all], taps };
}

function outcome(strategy: LinearStrategy, best: TapOutcome | undefined): LinearOutcome[] {
  return best === undefined ? [] : [{ strategy, taps: [best.tap], trained: best.trained }];
}

/** How each of these taps does alone; none where no picture can be held out. @param set with the codes of all taps. */
export async function eachTap(
  set: StreamedSet,
  reading: Reading,
  taps: readonly string[],
  options: LearnOptions,
): Promise<TapOutcome[]> {
  const outcomes: TapOutcome[] = [];
  for (const tap of taps) {
    const trained = await learn(withTaps(set, reading, [tap]), options);
    if (trained.metrics === null) continue;
    const { accuracy, logLoss } = trained.metrics;
    outcomes.push({ tap, accuracy, logLoss, trained });
  }
  return outcomes;
}

/** By log-loss, which sees more than accuracy does; the deeper of equals. */
function bestTap(outcomes: readonly TapOutcome[]): TapOutcome | undefined {
  const [deepest, ...others] = outcomes.toReversed();
  return others.reduce((best, tap) => (tap.logLoss < best.logLoss ? tap : best), deepest);
}

function namesOf({ backbone }: Reading): string[] {
  return backbone.plan.taps.map((tap) => tap.name);
}
