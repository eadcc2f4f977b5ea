/**
 * Chooses λ, and with it the softmax temperature, by the log-loss of the exact leave-one-out predictions. Weak priors
 * on both decide where examples are too few to tell (and alone where none can be judged).
 */
import type { Pacer } from './pacer.ts';
import type { Ridge } from './ridge.ts';
import { fitTemperature } from './temperature.ts';

/** λ in units of the mean squared length of a standardised, centred code: from hardly any shrinkage to nearly all. */
const GRID_DECADES = [-4, -3, -2, -1, 0, 1, 2];
/** Steps, in decades, by which the best of the grid is refined on both sides. */
const REFINEMENTS = [0.5, 0.25, 0.125];
/** Normal prior of λ in decades: what data sets from 10 to 80 pictures a class choose lies between −0.7 and −0.25. */
const PRIOR = { decade: -0.5, deviation: 1 / 3 };
/** All iterations of the temperature's fit together, in multiply-adds a logit. */
const OPERATIONS_PER_LOGIT = 200;

export interface Selection {
  readonly lambda: number;
  readonly temperature: number;
  /** [n × C] leave-one-out logits at that λ. */
  readonly logits: Float64Array;
}

interface Candidate extends Selection {
  readonly decade: number;
  readonly objective: number;
}

/**
 * @param judgeWeights [n] what each left-out example counts; 0 for one that cannot be judged.
 */
export async function selectRidge(
  ridge: Ridge,
  targets: Uint16Array,
  judgeWeights: Float64Array,
  pacer: Pacer,
): Promise<Selection> {
  // Codes that are all alike have no scale; any λ then gives the same fit.
  const unit = ridge.scale > 0 ? ridge.scale : 1;
  const at = async (decade: number): Promise<Candidate> => {
    const lambda = unit * 10 ** decade;
    const logits = await ridge.leaveOneOut(lambda, pacer);
    const { temperature, objective } = fitTemperature(logits, targets, judgeWeights, ridge.classes);
    if (pacer.due(logits.length * OPERATIONS_PER_LOGIT)) await pacer.rest();
    const off = (decade - PRIOR.decade) / PRIOR.deviation;
    return { decade, lambda, logits, temperature, objective: objective + (off * off) / 2 };
  };
  let best: Candidate | undefined;
  for (const decade of GRID_DECADES) best = better(best, await at(decade));
  for (const step of REFINEMENTS) {
    const { decade } = best!;
    for (const side of [-step, step]) best = better(best, await at(decade + side));
  }
  return best!;
}

function better(best: Candidate | undefined, other: Candidate): Candidate {
  return best === undefined || other.objective < best.objective ? other : best;
}
