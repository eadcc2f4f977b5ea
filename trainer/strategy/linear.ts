/** The strategies that leave the network as it is: a closed-form head on the codes of some taps. */
import type { TrainedHead } from '../../src/learn/train.ts';
import { trainWithFigures } from '../../src/learn/train.ts';
import { LEARNING } from '../learning.ts';
import type { Context } from './context.ts';
import { tapsOf, trainingSet } from './context.ts';
import type { LinearStrategy } from './strategies.ts';

export interface LinearOutcome {
  readonly strategy: LinearStrategy;
  readonly taps: readonly string[];
  readonly trained: TrainedHead;
}

/** A tap on its own, judged by leave-one-out. */
export interface TapFigures {
  readonly tap: string;
  readonly accuracy: number;
  readonly logLoss: number;
}

export async function trainLinear(context: Context, strategy: LinearStrategy): Promise<LinearOutcome> {
  const taps = context.backbone.plan.taps.map((tap) => tap.name);
  if (strategy === 'linear-all') return trainOnTaps(context, strategy, taps);
  if (strategy === 'linear-deep') return trainOnTaps(context, strategy, taps.slice(-1));
  const shallow = await eachTap(context, taps.slice(0, -1));
  return trainOnTaps(context, strategy, [bestTap(shallow)?.tap ?? taps[0]]);
}

/** How each of these taps does alone; none where leave-one-out can judge nothing. */
export async function eachTap(context: Context, taps: readonly string[]): Promise<TapFigures[]> {
  const figures: TapFigures[] = [];
  for (const tap of taps) {
    const { trained } = await trainOnTaps(context, 'linear-deep', [tap]);
    if (trained.figures === null) continue;
    figures.push({ tap, accuracy: trained.figures.accuracy, logLoss: trained.figures.logLoss });
  }
  return figures;
}

/** By log-loss, which sees more than accuracy does; the deeper of equals. */
export function bestTap(figures: readonly TapFigures[]): TapFigures | undefined {
  return figures
    .toReversed()
    .reduce<TapFigures | undefined>(
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
  const codes = tapsOf(context.set.codes, context.backbone, taps);
  const trained = await trainWithFigures(trainingSet(context, codes, taps), LEARNING);
  return { strategy, taps, trained };
}
