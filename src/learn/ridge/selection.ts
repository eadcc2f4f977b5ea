/**
 * Chooses λ, and with it the softmax temperature, by the log-loss of the exact leave-one-out predictions. Weak priors
 * on both decide where examples are too few to tell (and alone where none can be judged).
 */
import type { Pacer } from '../pacer.ts';
import type { Ridge } from './ridge.ts';
import { fitTemperature } from '../statistics/temperature.ts';

/**
 * λ in units of the mean squared length of a standardised, centred code: from hardly any shrinkage to nearly all. The
 * prior's centre is tried as well.
 */
const GRID_DECADES = [-3.5, -2.5, -1.5, 0.5, 1.5];
/** Steps, in decades, by which the best of the grid is refined on both sides, before a parabola through the last three. */
const REFINEMENTS = [0.5, 0.25];
/** Of a decade, to which the parabola's vertex is rounded: hosts' exponentials and logarithms differ in their last bits. */
const VERTEX_STEPS = 1024;
/** Normal prior of λ in decades: what data sets from 10 to 80 pictures a class choose lies between −0.7 and −0.25. */
const PRIOR = { decade: -0.5, deviation: 1 / 3 };

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
  // Logits are n × C numbers: those that lost make room for the next.
  let room: Float64Array | undefined;
  const at = async (decade: number): Promise<Candidate> => {
    const lambda = ridge.scale * 10 ** decade;
    const logits = await ridge.leaveOneOut(lambda, pacer, room);
    const fit = await fitTemperature(logits, targets, judgeWeights, ridge.classes, pacer);
    const off = (decade - PRIOR.decade) / PRIOR.deviation;
    return { ...fit, decade, lambda, logits, objective: fit.objective + (off * off) / 2 };
  };
  const tried = new Map<number, number>();
  const attempt = async (best: Candidate | undefined, decade: number): Promise<Candidate> => {
    const candidate = await at(decade);
    tried.set(decade, candidate.objective);
    const isBest = best === undefined || candidate.objective < best.objective;
    room = isBest ? best?.logits : candidate.logits;
    return isBest ? candidate : best;
  };
  let best = await attempt(undefined, PRIOR.decade);
  for (const decade of GRID_DECADES) best = await attempt(best, decade);
  let step = 0;
  for (step of REFINEMENTS) {
    const { decade } = best;
    for (const side of [-step, step]) best = await attempt(best, decade + side);
  }
  const vertex = parabolaVertex(best.decade, step, tried);
  return vertex === undefined ? best : attempt(best, vertex);
}

/** Where a parabola through the best and its two neighbours is least; undefined at the end of the grid. */
function parabolaVertex(
  decade: number,
  step: number,
  tried: ReadonlyMap<number, number>,
): number | undefined {
  const [below, here, above] = [decade - step, decade, decade + step].map((x) => tried.get(x));
  if (below === undefined || here === undefined || above === undefined) return undefined;
  const curvature = below - 2 * here + above;
  if (!(curvature > 0)) return undefined;
  const vertex = decade + ((step / 2) * (below - above)) / curvature;
  return Math.round(vertex * VERTEX_STEPS) / VERTEX_STEPS;
}
