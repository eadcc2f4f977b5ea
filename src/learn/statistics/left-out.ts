/** What the logits of held-out examples say: probabilities, metrics, and the largest logits. */
import { EXPONENTIAL, type Pacer } from '../pacer.ts';
import type { CanonicalSet } from '../training-set.ts';
import { evaluate, largest, type DetailedMetrics } from './metrics.ts';

/** The largest logit of each of the chosen examples. @param logits [n × C] */
export function topLogits(chosen: Iterable<number>, logits: Float64Array, classes: number): Float64Array {
  return Float64Array.from(chosen, (i) => largest(logits, i * classes, classes));
}

/** From held-out logits, in canonical order, to probabilities in the order given and their metrics. */
export async function leaveOneOutMetrics(
  { order, targets, labels }: Pick<CanonicalSet, 'order' | 'targets' | 'labels'>,
  logits: Float64Array,
  temperature: number,
  judgeWeights: Float64Array,
  pacer: Pacer,
): Promise<{ leaveOneOut: Float32Array; metrics: DetailedMetrics | null }> {
  const classes = labels.length;
  const leaveOneOut = new Float32Array(logits.length);
  const shares = new Float64Array(classes);
  const judged: number[] = [];
  for (let i = 0; i < targets.length; i++) {
    writeProbabilities(logits, i * classes, temperature, shares, leaveOneOut, order[i] * classes);
    if (judgeWeights[i] > 0) judged.push(i);
    if (pacer.due(classes * EXPONENTIAL)) await pacer.rest();
  }
  if (judged.length === 0) return { leaveOneOut, metrics: null };
  const probabilities = new Float32Array(judged.length * classes);
  judged.forEach((i, place) => {
    const from = order[i] * classes;
    probabilities.set(leaveOneOut.subarray(from, from + classes), place * classes);
  });
  const judgedTargets = Uint16Array.from(judged, (i) => targets[i]);
  return { leaveOneOut, metrics: evaluate(probabilities, judgedTargets, classes) };
}

/** Softmax of the logits that begin at `from`, to out[to …]. @param shares [C] room. */
export function writeProbabilities(
  logits: Float64Array,
  from: number,
  temperature: number,
  shares: Float64Array,
  out: Float32Array,
  to: number,
): void {
  const top = largest(logits, from, shares.length);
  let sum = 0;
  for (let c = 0; c < shares.length; c++) {
    shares[c] = Math.exp((logits[from + c] - top) / temperature);
    sum += shares[c];
  }
  for (let c = 0; c < shares.length; c++) out[to + c] = shares[c] / sum;
}
