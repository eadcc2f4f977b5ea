/** The strategies that leave the network as it is: a closed-form head on the codes of some taps. */
import type { TrainedHead } from '../../../src/learn/ridge/train.ts';
import { learn } from '../../learning.ts';
import type { Context } from '../training-data.ts';
import { streamedSet } from '../training-data.ts';
import type { LinearStrategy } from '../strategies.ts';
import { tapRows } from './tap-rows.ts';

export interface LinearOutcome {
  readonly strategy: LinearStrategy;
  readonly taps: readonly string[];
  readonly trained: TrainedHead;
}

/** A tap on its own, judged by pictures that were held out. */
export interface TapFigures {
  readonly tap: string;
  readonly accuracy: number;
  readonly logLoss: number;
}

export async function trainLinear(context: Context, strategy: LinearStrategy): Promise<LinearOutcome> {
  const taps = context.backbone.plan.taps.map((tap) => tap.name);
  if (strategy === 'linear-all') return trainOnTaps(context, strategy, taps);
  if (strategy === 'linear-deep') return trainOnTaps(context, strategy, taps.slice(-1));
  const best = bestTap(await eachTap(context, taps.slice(0, -1)));
  if (best === undefined) return trainOnTaps(context, strategy, taps.slice(0, 1));
  return { strategy, taps: [best.tap], trained: best.trained };
}

/** A head on a tap of its own. */
export interface TapOutcome extends TapFigures {
  readonly trained: TrainedHead;
}

/** How each of these taps does alone; none where no picture can be held out. */
export async function eachTap(context: Context, taps: readonly string[]): Promise<TapOutcome[]> {
  const outcomes: TapOutcome[] = [];
  for (const tap of taps) {
    const { trained } = await trainOnTaps(context, 'linear-deep', [tap]);
    if (trained.figures === null) continue;
    outcomes.push({ tap, accuracy: trained.figures.accuracy, logLoss: trained.figures.logLoss, trained });
  }
  return outcomes;
}

/** By log-loss, which sees more than accuracy does; the deeper of equals. */
export function bestTap(outcomes: readonly TapOutcome[]): TapOutcome | undefined {
  return outcomes
    .toReversed()
    .reduce<TapOutcome | undefined>(
      (best, tap) => (best === undefined || tap.logLoss < best.logLoss ? tap : best),
      undefined,
    );
}

/** @param taps in the plan's order. */
export async function trainOnTaps(
  context: Context,
  strategy: LinearStrategy,
  taps: readonly string[],
): Promise<LinearOutcome> {
  const rows = tapRows(context.set.codes, context.backbone, taps);
  const trained = await learn(streamedSet(context, rows, taps), context);
  return { strategy, taps, trained };
}
