/** Which ways of tuning are worth a try where the data lies, and how thoroughly the budgets allow to try them. */
import { cutAt, type Backbone } from '../../../src/backbone/index.ts';
import { FINE_TUNE_DEFAULTS } from '../../../src/learn/fine-tune/options.ts';
import type { TrainingData } from '../training-data.ts';
import { duration, type Terminal } from '../../cli/terminal.ts';
import { tuningSeconds, type TuningPace } from '../cost/tuning.ts';
import { codeMs, stepsMs } from '../cost/edge.ts';
import type { Pace } from '../cost/pace.ts';
import type { Situation } from '../situation.ts';
import { cutFor, TUNED, type Strategy, type TunedStrategy } from '../strategies.ts';
import { FOLDS, smallestClass } from './folds.ts';
import { measureTraining } from './pace.ts';

/** What a run of `auto` may spend. */
export interface Budgets {
  /** On fine-tuning. */
  readonly seconds: number;
  /** On a picture at the edge, tail included. */
  readonly cpuMs: number;
  /** How fast this machine is. */
  readonly pace: Pace;
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
const FEWEST_FOLDS = 2;
/** On no machine was training so much faster than the estimate, relative to prediction. */
const QUICKEST = 0.3;

const NOTHING: TuningPlan = { affordable: [], folds: 0, seconds: 0, passedOver: [] };

/**
 * What tuning takes is measured by a few steps, unless it is beyond the budget on any machine.
 * @param mistakes of the best linear head on held-out pictures.
 */
export async function planTuning(
  data: TrainingData,
  situation: Situation,
  budgets: Budgets,
  mistakes: number,
  terminal: Terminal,
): Promise<TuningPlan> {
  const plausible: TunedStrategy[] = [];
  const passedOver: PassedOver[] = [];
  for (const strategy of TUNED) {
    const because = whyNot(strategy, data, situation, budgets, mistakes);
    if (because === undefined) plausible.push(strategy);
    else passedOver.push({ strategy, because });
  }
  if (plausible.length === 0) return { ...NOTHING, passedOver };
  const { pace } = budgets;
  const seconds = (training: number) => (strategy: TunedStrategy, folds: number) =>
    secondsOf(strategy, data, folds, { ...pace, training });
  const hopeful = fitBudget(plausible, data.set.targets, seconds(QUICKEST * pace.slowness), budgets.seconds);
  if (hopeful.affordable.length === 0)
    return { ...hopeful, passedOver: [...passedOver, ...hopeful.passedOver] };
  const training = await measureTraining(data, plausible[0], FOLDS, terminal);
  const plan = fitBudget(plausible, data.set.targets, seconds(training), budgets.seconds);
  return { ...plan, passedOver: [...passedOver, ...plan.passedOver] };
}

/**
 * All that is plausible in fewer folds comes before the cheapest alone in many.
 * @param seconds what a strategy takes in so many folds. @param most seconds of all together.
 */
export function fitBudget(
  plausible: readonly TunedStrategy[],
  targets: Uint16Array,
  seconds: (strategy: TunedStrategy, folds: number) => number,
  most: number,
): TuningPlan {
  const passedOver = plausible.map((strategy): PassedOver => {
    const least = duration(seconds(strategy, FEWEST_FOLDS));
    return { strategy, because: `up to ${least} of tuning on this machine are beyond the budget (--budget)` };
  });
  for (let count = plausible.length; count > 0; count--) {
    const some = plausible.slice(0, count);
    for (const folds of [FOLDS, FEWEST_FOLDS]) {
      const all = some.reduce((sum, strategy) => sum + seconds(strategy, folds), 0);
      if (all <= most && smallestClass(targets) >= folds) {
        return { affordable: some, folds, seconds: all, passedOver: passedOver.slice(count) };
      }
    }
  }
  return { ...NOTHING, passedOver };
}

/** @returns why the strategy is not worth a try, or undefined. */
function whyNot(
  strategy: TunedStrategy,
  { reading, set }: TrainingData,
  { size, likeness }: Situation,
  { cpuMs }: Budgets,
  mistakes: number,
): string | undefined {
  if (size === 'little') return 'too few pictures to change a network by';
  if (strategy === 'full' && likeness === 'similar') return 'the shallow blocks know such pictures already';
  if (strategy === 'full' && likeness === 'unknown') return 'the backbone cannot say whether it is worth it';
  if (set.rows.codes === undefined)
    return 'the codes of so many pictures do not fit memory, and tuning needs them all';
  if (smallestClass(set.targets) < 2) return 'a class has one picture only';
  if (mistakes < FEWEST_MISTAKES) {
    return `the linear head is wrong on ${mistakes} held-out pictures, too few to tell whether tuning helps`;
  }
  const ms = answerMs(strategy, reading.backbone);
  if (ms > cpuMs) {
    return `with its tail a picture costs ${ms.toFixed(1)} ms at the edge, beyond the CPU budget of ${cpuMs.toFixed(1)} ms (--cpu-budget)`;
  }
  return undefined;
}

/** Estimated for the edge: trunk and tail. @param backbone in the size of its pictures. */
export function answerMs(strategy: TunedStrategy, backbone: Backbone): number {
  const { tailSteps } = cutAt(backbone.plan, cutFor(strategy, backbone.plan, backbone.shapes));
  return codeMs(backbone) + stepsMs(tailSteps, backbone, 32);
}

function secondsOf(
  strategy: TunedStrategy,
  { reading: { backbone }, set }: TrainingData,
  folds: number,
  pace: TuningPace,
): number {
  const from = cutFor(strategy, backbone.plan, backbone.shapes);
  const size = { examples: set.targets.length, classes: set.labels.length, folds };
  return tuningSeconds(from, backbone, size, FINE_TUNE_DEFAULTS, pace);
}
