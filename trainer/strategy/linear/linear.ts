/** The strategies that leave the network as it is: a closed-form head on the codes of some taps. */
import type { TrainedHead } from '../../../src/learn/ridge/train.ts';
import { learn, type LearnOptions } from '../../learning.ts';
import type { LinearStrategy } from '../strategies.ts';
import { withTaps, type TrainingData } from '../training-data.ts';

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

/** One strategy. */
export async function trainLinear(
  data: TrainingData,
  strategy: LinearStrategy,
  options: LearnOptions,
): Promise<LinearOutcome> {
  const all = data.set.taps;
  const best =
    strategy === 'linear-shallow' ? bestTap(await eachTap(data, all.slice(0, -1), options)) : undefined;
  if (best !== undefined) return { strategy, taps: [best.tap], trained: best.trained };
  const taps = { 'linear-all': all, 'linear-deep': all.slice(-1), 'linear-shallow': all.slice(0, 1) }[
    strategy
  ];
  return { strategy, taps, trained: await learn(withTaps(data, taps), options) };
}

/** All of them. @returns those that can be judged, linear-all in any case, and how each tap does alone. */
export async function tryLinear(
  data: TrainingData,
  options: LearnOptions,
): Promise<{ linear: LinearOutcome[]; taps: TapMetrics[] }> {
  const names = data.set.taps;
  const taps = await eachTap(data, names, options);
  const isDeep = ({ tap }: TapMetrics): boolean => tap === names.at(-1);
  const deep = taps.find(isDeep);
  const shallow = bestTap(taps.filter((tap) => !isDeep(tap)));
  const all = await trainLinear(data, 'linear-all', options);
  return { linear: [...outcome('linear-deep', deep), ...outcome('linear-shallow', shallow), all], taps };
}

function outcome(strategy: LinearStrategy, best: TapOutcome | undefined): LinearOutcome[] {
  return best === undefined ? [] : [{ strategy, taps: [best.tap], trained: best.trained }];
}

/** How each of these taps does alone; none where no picture can be held out. */
export async function eachTap(
  data: TrainingData,
  taps: readonly string[],
  options: LearnOptions,
): Promise<TapOutcome[]> {
  const outcomes: TapOutcome[] = [];
  for (const tap of taps) {
    const trained = await learn(withTaps(data, [tap]), options);
    if (trained.metrics === null) continue;
    const { accuracy, logLoss } = trained.metrics;
    outcomes.push({ tap, accuracy, logLoss, trained });
  }
  return outcomes;
}

/** By log-loss, which is more sensitive than accuracy; the deeper of equals. */
function bestTap(outcomes: readonly TapOutcome[]): TapOutcome | undefined {
  const [deepest, ...others] = outcomes.toReversed();
  return others.reduce((best, tap) => (tap.logLoss < best.logLoss ? tap : best), deepest);
}
