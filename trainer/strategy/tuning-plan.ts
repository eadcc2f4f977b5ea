/** Which ways of tuning are worth a try where the data lies, and how thoroughly the budgets allow to try them. */
import { cutAt } from '../../src/backbone/index.ts';
import { FINE_TUNE_DEFAULTS } from '../../src/learn/fine-tune/options.ts';
import type { Context } from './context.ts';
import { tuningSeconds } from './cost.ts';
import { codeMs, stepsMs } from './edge-cost.ts';
import type { Situation } from './situation.ts';
import type { Strategy, TunedStrategy } from './strategies.ts';
import { cutFor, TUNED } from './strategies.ts';
import { FOLDS, smallestClass } from './tuned.ts';

/** What a run of `auto` may spend. */
export interface Budgets {
  /** On fine-tuning, on a common machine with two cores. */
  readonly seconds: number;
  /** On a picture at the edge, tail included; tails may cost what they will where absent. */
  readonly cpuMs?: number;
}

export interface PassedOver {
  readonly strategy: Strategy;
  readonly because: string;
}

export interface TuningPlan {
  readonly affordable: readonly TunedStrategy[];
  readonly folds: number;
  /** That tuning is reckoned to take at most, the last run on all pictures included. */
  readonly seconds: number;
  readonly passedOver: readonly PassedOver[];
}

/**
 * Tuning rights about one mistake in ten of the linear head: with fewer mistakes than this on held-out pictures nothing
 * would be seen of it.
 */
const FEWEST_MISTAKES = 10;

/** @param mistakes of the best linear head on held-out pictures. */
export function planTuning(
  context: Context,
  situation: Situation,
  budgets: Budgets,
  mistakes: number,
): TuningPlan {
  const plausible: TunedStrategy[] = [];
  const passedOver: PassedOver[] = [];
  for (const strategy of TUNED) {
    const because = whyNot(strategy, context, situation, budgets, mistakes);
    if (because === undefined) plausible.push(strategy);
    else passedOver.push({ strategy, because });
  }
  // All that is plausible in fewer folds comes before the cheapest alone in many.
  for (let count = plausible.length; count > 0; count--) {
    const some = plausible.slice(0, count);
    const left = plausible.slice(count).map((strategy) => ({ strategy, because: 'beyond the budget' }));
    for (const folds of [FOLDS, 2]) {
      const seconds = some.reduce((sum, strategy) => sum + secondsOf(strategy, context, folds), 0);
      if (seconds <= budgets.seconds && smallestClass(context.targets) >= folds) {
        return { affordable: some, folds, seconds, passedOver: [...passedOver, ...left] };
      }
    }
  }
  const left = plausible.map((strategy) => ({ strategy, because: 'beyond the budget' }));
  return { affordable: [], folds: 0, seconds: 0, passedOver: [...passedOver, ...left] };
}

/** @returns why the strategy is not worth a try, or undefined. */
function whyNot(
  strategy: TunedStrategy,
  context: Context,
  { size, likeness }: Situation,
  { cpuMs }: Budgets,
  mistakes: number,
): string | undefined {
  const { backbone, set, targets } = context;
  if (size === 'little') return 'too few pictures to change a network by';
  if (strategy === 'full' && likeness === 'similar') return 'the shallow blocks know such pictures already';
  if (strategy === 'full' && likeness === 'unknown') return 'the backbone cannot say whether it is worth it';
  if (set.codes.codes === undefined)
    return 'the codes of so many pictures do not fit memory, and tuning needs them all';
  if (smallestClass(targets) < 2) return 'a class has one picture only';
  if (mistakes < FEWEST_MISTAKES) {
    return `the linear head is wrong on ${mistakes} held-out pictures, too few to see whether tuning helps`;
  }
  const { tailSteps } = cutAt(backbone.plan, cutFor(strategy, backbone.plan, backbone.shapes));
  const ms = codeMs(backbone) + stepsMs(tailSteps, backbone);
  if (cpuMs !== undefined && ms > cpuMs)
    return `with its tail a picture costs ${ms.toFixed(1)} ms at the edge, beyond the CPU budget`;
  return undefined;
}

function secondsOf(strategy: TunedStrategy, { backbone, targets }: Context, folds: number): number {
  const from = cutFor(strategy, backbone.plan, backbone.shapes);
  return tuningSeconds(from, backbone, targets.length, folds, FINE_TUNE_DEFAULTS);
}
