/** Strategies that were tried, and the choice among them by held-out log-loss. */
import type { DetailedMetrics } from '../../src/learn/statistics/metrics.ts';
import { lossDifference } from './paired.ts';
import type { Strategy } from './strategies.ts';

export interface Candidate {
  readonly strategy: Strategy;
  readonly taps: readonly string[];
  /** Where the tail begins, for strategies that have one. */
  readonly from?: string;
  /** Folds in which its pictures were held out. Absent: leave-one-out. */
  readonly folds?: number | undefined;
  readonly metrics: DetailedMetrics;
  /** [n × C] held out, in the order of the pictures. */
  readonly probabilities: Float32Array;
  /** Milliseconds a picture at the edge beyond the shared trunk, estimated, and bytes of the head file. */
  readonly cost: { readonly ms: number; readonly bytes: number };
}

export interface Choice {
  readonly chosen: Candidate;
  /** One sentence. */
  readonly because: string;
}

/**
 * Differences within this many standard errors are a tie. One, as is usual with models that are simpler and not only
 * cheaper, would pass over most of what tuning gains on a few hundred pictures.
 */
const TIE = 0.5;

/**
 * At a tie the first of these: what runs on the shared trunk costs the edge nothing more, and of those the head on all
 * taps does well on most data.
 */
const PREFERENCE: readonly Strategy[] = ['linear-all', 'linear-deep', 'linear-shallow', 'fine-tune', 'full'];

/**
 * The least log-loss, or a preferable candidate that is level with it: whose paired difference to it lies within TIE
 * standard errors (after the one-standard-error rule, Breiman et al. 1984).
 * @param targets [n]
 */
export function choose(candidates: readonly Candidate[], targets: Uint16Array): Choice {
  const best = candidates.reduce((least, each) =>
    each.metrics.logLoss < least.metrics.logLoss ? each : least,
  );
  const rank = ({ strategy }: Candidate): number => PREFERENCE.indexOf(strategy);
  const chosen = candidates
    .toSorted((a, b) => rank(a) - rank(b))
    .find((each) => each === best || isLevel(each, best, targets))!;
  const least = best.metrics.logLoss.toFixed(3);
  if (chosen === best) return { chosen, because: `It has the least held-out log-loss, ${least}.` };
  const loss = chosen.metrics.logLoss.toFixed(3);
  const why = chosen.cost.ms < best.cost.ms ? 'it is cheaper' : 'it is the safer choice';
  return {
    chosen,
    because: `Its held-out log-loss, ${loss}, is level with the least, ${least} of ${best.strategy}, and ${why}.`,
  };
}

function isLevel(candidate: Candidate, best: Candidate, targets: Uint16Array): boolean {
  const { mean, error } = lossDifference(candidate.probabilities, best.probabilities, targets);
  return mean <= TIE * error;
}
