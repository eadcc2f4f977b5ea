/**
 * Chooses how deep to transfer, by evidence: places the data on the map, tries what is plausible there within the
 * budget, and takes the strategy that does best on held-out pictures, or a cheaper one that is level with it.
 */
import { heldOutFolds, readableTaps, writeHead } from '../../src/head/index.ts';
import { evaluate } from '../../src/learn/statistics/metrics.ts';
import type { TrainedHead } from '../../src/learn/ridge/train.ts';
import { cutAt } from '../../src/backbone/index.ts';
import { choose, type Candidate, type Choice } from './candidates.ts';
import { withTaps, type TrainingData } from './training-data.ts';
import { tailedHeadBytes } from './cost/tuning.ts';
import { stepsMs } from './cost/edge.ts';
import { trainLinear, tryLinear, type LinearOutcome, type TapMetrics } from './linear/linear.ts';
import { duration } from '../cli/terminal.ts';
import type { Solver } from '../learning.ts';
import { assess, type Situation } from './situation.ts';
import { isLinear, type Strategy } from './strategies.ts';
import { crossValidateFrozen, FOLDS, splitUp, type Split } from './tuning/folds.ts';
import { openRuns, type RunOptions, type Runs } from './tuning/runs.ts';
import { crossValidateTuned, tuneOnAll, type CrossValidation } from './tuning/tuned.ts';
import { planTuning, type Budgets, type PassedOver, type TuningPlan } from './tuning/plan.ts';

export interface Explanation {
  readonly situation: Situation;
  readonly taps: readonly TapMetrics[];
  readonly tried: readonly Candidate[];
  readonly passedOver: readonly PassedOver[];
  readonly choice: Choice;
}

/** How a strategy is run. */
interface StrategyOptions extends RunOptions {
  /** How linear heads are found. */
  readonly solver: Solver;
}

export interface StrategyResult {
  readonly strategy: Strategy;
  readonly trained: TrainedHead;
  /** Only where the strategy was chosen by `auto`. */
  readonly explanation?: Explanation;
}

/** Runs the strategy of the command line. */
export async function runStrategy(
  data: TrainingData,
  strategy: Strategy,
  options: StrategyOptions,
): Promise<StrategyResult> {
  if (isLinear(strategy)) {
    const { trained } = await trainLinear(data, strategy, options);
    return { strategy, trained };
  }
  const split = splitUp(data.set.targets, FOLDS, options.seed);
  const runs = await openRuns(data, options);
  const validation = await crossValidateTuned(strategy, data, split, runs, options.terminal);
  const trained = await tuneOnAll(validation, data, runs, options.terminal);
  await runs.close();
  return { strategy, trained };
}

/** Tries what is plausible and within the budgets, and takes the best. */
export async function runAuto(
  data: TrainingData,
  budgets: Budgets,
  options: StrategyOptions,
): Promise<StrategyResult> {
  const { reading, pictures, set } = data;
  const { terminal } = options;
  const situation = await assess(reading, pictures, set.labels.length, options);
  terminal.note(describe(situation));
  const { linear, taps } = await tryLinear(data, options);
  const plan = await planTuning(data, situation, budgets, fewestMistakes(linear), terminal);
  const tuning = plan.affordable.length === 0 ? undefined : await tryTuned(data, plan, options);
  const tried = await candidates(data, linear, tuning);
  const choice = choose(tried, set.targets);
  const { strategy } = choice.chosen;
  terminal.note(`Chosen: ${strategy}. ${choice.because}`);
  const winner = tuning?.validations.find((validation) => validation.strategy === strategy);
  const trained =
    tuning === undefined || winner === undefined
      ? linear.find((outcome) => outcome.strategy === strategy)!.trained
      : await tuneOnAll(winner, data, tuning.runs, terminal);
  await tuning?.runs.close();
  const { passedOver } = plan;
  return { strategy, trained, explanation: { situation, taps, tried, passedOver, choice } };
}

/** Networks that were tuned in folds. */
interface Tuning {
  readonly split: Split;
  readonly runs: Runs;
  readonly validations: readonly CrossValidation[];
}

async function tryTuned(
  data: TrainingData,
  { affordable, folds, seconds }: TuningPlan,
  options: StrategyOptions,
): Promise<Tuning> {
  const { seed, terminal } = options;
  terminal.note(
    `The linear heads are trained. Next ${affordable.join(' and ')} in ${folds} folds, up to ${duration(seconds)} more on this machine; ` +
      'with --strategy linear-all it would be done now.',
  );
  const split = splitUp(data.set.targets, folds, seed);
  const runs = await openRuns(data, options);
  const validations = await Array.fromAsync(affordable, (strategy) =>
    crossValidateTuned(strategy, data, split, runs, terminal),
  );
  return { split, runs, validations };
}

export function describe({ perClass, size, similarity, likeness }: Situation): string {
  const amount = `The data: ${size} (${perClass.toFixed(0)} pictures a class)`;
  return similarity === undefined
    ? `${amount}; how like it is to what the backbone knows is unknown, for it has no batch norms.`
    : `${amount}, ${likeness} to what the backbone knows (batch-norm distance ${similarity.distance.toFixed(2)}).`;
}

/** Of the best of them, on held-out pictures. */
function fewestMistakes(linear: readonly LinearOutcome[]): number {
  const mistakes = linear.flatMap(({ trained: { metrics } }) =>
    metrics === null ? [] : [Math.round((1 - metrics.accuracy) * metrics.examples)],
  );
  return Math.min(...mistakes, Infinity);
}

function linearCandidate({ strategy, taps, trained }: LinearOutcome): Candidate {
  const { head, leaveOneOut, metrics } = trained;
  const { labels, training } = head;
  const common = { strategy, taps, folds: heldOutFolds(training.method) };
  const cost = { ms: 0, bytes: writeHead(head).length };
  if (metrics !== null) return { ...common, metrics, probabilities: leaveOneOut, cost };
  // Without a class of two pictures nothing can be judged; all candidates are then as good as certain of nothing.
  const classes = labels.length;
  const probabilities = new Float32Array(training.examples * classes).fill(1 / classes);
  const one = evaluate(probabilities.subarray(0, classes), new Uint16Array(1), classes);
  return { ...common, metrics: one, probabilities, cost };
}

/** All judged alike: by folds where networks were tuned, since those can't be judged in another way. */
async function candidates(
  data: TrainingData,
  linear: readonly LinearOutcome[],
  tuning: Tuning | undefined,
): Promise<Candidate[]> {
  const frozen = linear.map((outcome) => linearCandidate(outcome));
  if (tuning === undefined) return frozen;
  const judged = await Array.fromAsync(frozen, (each) => judgedByFolds(each, data, tuning.split));
  return [...judged, ...tuning.validations.map((each) => tunedCandidate(each, data))];
}

/** The same candidate, judged as tuned ones are; a logistic one has been held out in folds already. */
async function judgedByFolds(candidate: Candidate, data: TrainingData, split: Split): Promise<Candidate> {
  if (candidate.folds !== undefined) return candidate;
  const probabilities = await crossValidateFrozen(withTaps(data, candidate.taps), split);
  const metrics = evaluate(probabilities, data.set.targets, data.set.labels.length);
  return { ...candidate, folds: split.members.length, metrics, probabilities };
}

function tunedCandidate(
  { strategy, from, folds, probabilities }: CrossValidation,
  { set: { labels, targets }, reading: { backbone } }: TrainingData,
): Candidate {
  const { tailSteps } = cutAt(backbone.plan, from);
  const taps = readableTaps(backbone.plan, { from, tensors: new Map() });
  return {
    strategy,
    taps: taps.map((tap) => tap.name),
    from,
    folds,
    metrics: evaluate(probabilities, targets, labels.length),
    probabilities,
    cost: {
      ms: stepsMs(tailSteps, backbone, 32),
      bytes: tailedHeadBytes(taps, tailSteps, backbone, labels.length),
    },
  };
}
