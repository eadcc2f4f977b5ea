/** Chooses λ, and with it the softmax temperature, by the log-loss of the exact leave-one-out predictions. */
import type { Pacer } from './pacer.ts';
import type { Ridge } from './ridge.ts';
import { fitTemperature } from './temperature.ts';

/** λ in units of the mean squared length of a standardised, centred code: from hardly any shrinkage to nearly all. */
const GRID_DECADES = [-4, -3, -2, -1, 0, 1, 2];
/** Steps, in decades, by which the best of the grid is refined on both sides. */
const REFINEMENTS = [0.5, 0.25, 0.125];
/** Where no example can be judged, because each is the only one of its class. Near what small data sets choose. */
const FALLBACK = { decade: 0, temperature: 0.15 };

export interface Selection {
  readonly lambda: number;
  readonly temperature: number;
  /** [n × C] leave-one-out logits at that λ. */
  readonly logits: Float64Array;
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
    const calibration = fitTemperature(logits, targets, judgeWeights, ridge.classes);
    if (pacer.due(logits.length * OPERATIONS_PER_EXP)) await pacer.rest();
    return { decade, lambda, logits, ...calibration };
  };
  if (judgeWeights.every((weight) => weight === 0)) {
    return { ...(await at(FALLBACK.decade)), temperature: FALLBACK.temperature };
  }
  let best: Candidate | undefined;
  for (const decade of GRID_DECADES) best = better(best, await at(decade));
  for (const step of REFINEMENTS) {
    const { decade } = best!;
    for (const side of [-step, step]) best = better(best, await at(decade + side));
  }
  return best!;
}

/** All iterations of the temperature's fit together, in multiply-adds a logit. */
const OPERATIONS_PER_EXP = 200;

interface Candidate extends Selection {
  readonly decade: number;
  readonly logLoss: number;
}

function better(best: Candidate | undefined, other: Candidate): Candidate {
  return best === undefined || other.logLoss < best.logLoss ? other : best;
}
