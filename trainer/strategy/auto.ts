/**
 * Chooses how deep to transfer, by evidence: places the data on the map, tries what is plausible there within the
 * budget, and takes the strategy that does best on held-out pictures, or a cheaper one that is level with it.
 */
import { readableTaps, writeHead } from '../../src/head/index.ts';
import { evaluate } from '../../src/learn/statistics/metrics.ts';
import { LEAVE_ONE_OUT } from '../../src/learn/statistics/held-out.ts';
import type { TrainedHead } from '../../src/learn/ridge/train.ts';
import { cutAt } from '../../src/backbone/index.ts';
import type { Candidate, Choice } from './candidates.ts';
import { choose } from './candidates.ts';
import type { Context } from './training-data.ts';
import { tailedHeadBytes } from './cost/tuning.ts';
import { stepsMs } from './cost/edge.ts';
import type { LinearOutcome, TapFigures } from './linear/linear.ts';
import { bestTap, eachTap, trainLinear } from './linear/linear.ts';
import { duration } from '../cli/terminal.ts';
import type { Situation } from './situation.ts';
import { assess } from './situation.ts';
import type { LinearStrategy, Strategy } from './strategies.ts';
import { isLinear } from './strategies.ts';
import type { CrossValidation } from './tuning/cross-validation.ts';
import { crossValidateFrozen, Tuner } from './tuning/cross-validation.ts';
import type { Budgets, PassedOver } from './tuning/plan.ts';
import { planTuning } from './tuning/plan.ts';

export interface Explanation {
  readonly situation: Situation;
  readonly taps: readonly TapFigures[];
  readonly tried: readonly Candidate[];
  readonly passedOver: readonly PassedOver[];
  readonly choice: Choice;
}

export interface StrategyResult {
  readonly strategy: Strategy;
  readonly trained: TrainedHead;
  /** Only where the strategy was chosen rather than asked for. */
  readonly explanation?: Explanation;
}

/** Runs one strategy that was asked for. */
export async function runStrategy(context: Context, strategy: Strategy): Promise<StrategyResult> {
  if (isLinear(strategy)) return { strategy, trained: (await trainLinear(context, strategy)).trained };
  const tuner = await Tuner.open(context);
  const trained = await tuner.finish(await tuner.crossValidate(strategy));
  await tuner.close();
  return { strategy, trained };
}

export async function runAuto(context: Context, budgets: Budgets): Promise<StrategyResult> {
  const { terminal, targets } = context;
  const situation = await assess(context);
  terminal.note(describe(situation));
  const { linear, taps } = await tryLinear(context);
  const { affordable, folds, seconds, passedOver } = await planTuning(
    context,
    situation,
    budgets,
    fewestMistakes(linear),
  );
  if (affordable.length > 0) {
    const names = affordable.join(' and ');
    terminal.note(
      `The linear heads are trained. Next ${names} in ${folds} folds, up to ${duration(seconds)} more on this machine; ` +
        'with --strategy linear-all it would be done now.',
    );
  }
  const tuner = affordable.length === 0 ? undefined : await Tuner.open(context);
  const tuned: CrossValidation[] = [];
  for (const strategy of affordable) tuned.push(await tuner!.crossValidate(strategy, folds));
  const frozen = linear.map((outcome) => linearCandidate(outcome));
  const tried = [
    ...(tuned.length === 0 ? frozen : await judgedByFolds(context, frozen, folds)),
    ...tuned.map((validation) => tunedCandidate(context, validation)),
  ];
  const choice = choose(tried, targets);
  const { strategy } = choice.chosen;
  terminal.note(`Chosen: ${strategy}. ${choice.because}`);
  const winner = tuned.find((validation) => validation.strategy === strategy);
  const trained =
    winner === undefined
      ? linear.find((outcome) => outcome.strategy === strategy)!.trained
      : await tuner!.finish(winner);
  await tuner?.close();
  return { strategy, trained, explanation: { situation, taps, tried, passedOver, choice } };
}

export function describe({ perClass, size, similarity, likeness }: Situation): string {
  const amount = `The data: ${size} (${perClass.toFixed(0)} pictures a class)`;
  return similarity === undefined
    ? `${amount}; how like it is to what the backbone knows is unknown, for it has no batch norms.`
    : `${amount}, ${likeness} to what the backbone knows (batch-norm distance ${similarity.distance.toFixed(2)}).`;
}

async function tryLinear(context: Context): Promise<{ linear: LinearOutcome[]; taps: TapFigures[] }> {
  const names = context.backbone.plan.taps.map((tap) => tap.name);
  const taps = await eachTap(context, names);
  const deep = taps.filter(({ tap }) => tap === names.at(-1));
  const shallow = bestTap(taps.filter(({ tap }) => tap !== names.at(-1)));
  const linear = [
    ...deep.map(({ tap, trained }) => outcome('linear-deep', tap, trained)),
    ...(shallow === undefined ? [] : [outcome('linear-shallow', shallow.tap, shallow.trained)]),
    await trainLinear(context, 'linear-all'),
  ];
  return { linear, taps };
}

function outcome(strategy: LinearStrategy, tap: string, trained: TrainedHead): LinearOutcome {
  return { strategy, taps: [tap], trained };
}

/** Of the best of them, on held-out pictures. */
function fewestMistakes(linear: readonly LinearOutcome[]): number {
  const mistakes = linear.flatMap(({ trained: { figures } }) =>
    figures === null ? [] : [Math.round((1 - figures.accuracy) * figures.examples)],
  );
  return Math.min(...mistakes, Infinity);
}

function linearCandidate({ strategy, taps, trained }: LinearOutcome): Candidate {
  const { head, leaveOneOut, figures } = trained;
  const { labels, training } = head;
  return {
    strategy,
    taps,
    method: trained.heldOutBy,
    // Without a class of two pictures nothing can be judged; all candidates are then as good as certain of nothing.
    figures:
      figures ??
      evaluate(new Float32Array(labels.length).fill(1 / labels.length), new Uint16Array(1), labels.length),
    probabilities:
      figures === null
        ? new Float32Array(training.examples * labels.length).fill(1 / labels.length)
        : leaveOneOut,
    cost: { ms: 0, bytes: writeHead(head).length },
  };
}

/** The same candidates, judged as tuned ones are; logistic ones have been held out in folds already. */
async function judgedByFolds(
  context: Context,
  candidates: readonly Candidate[],
  folds: number,
): Promise<Candidate[]> {
  const { set, targets } = context;
  const judged: Candidate[] = [];
  for (const candidate of candidates) {
    if (candidate.method !== LEAVE_ONE_OUT) {
      judged.push(candidate);
      continue;
    }
    const probabilities = await crossValidateFrozen(context, candidate.taps, folds);
    const figures = evaluate(probabilities, targets, set.labels.length);
    judged.push({ ...candidate, method: `${folds}-fold`, figures, probabilities });
  }
  return judged;
}

function tunedCandidate(context: Context, validation: CrossValidation): Candidate {
  const { backbone, set, targets } = context;
  const { strategy, from, folds, probabilities } = validation;
  const { tailSteps } = cutAt(backbone.plan, from);
  const taps = readableTaps(backbone.plan, { from, tensors: new Map() });
  return {
    strategy,
    taps: taps.map((tap) => tap.name),
    from,
    method: `${folds}-fold`,
    figures: evaluate(probabilities, targets, set.labels.length),
    probabilities,
    cost: {
      ms: stepsMs(tailSteps, backbone, 32),
      bytes: tailedHeadBytes(taps, tailSteps, backbone, set.labels.length),
    },
  };
}
