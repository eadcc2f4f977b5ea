/**
 * Multinomial logistic regression on standardised codes, as a function to minimise: the weighted mean of the examples'
 * log-losses and λ/2 times the sum of the squared weights, the bias being free. Each value and gradient is one walk
 * through the rows, so that nothing but a stretch of them is ever held.
 *
 * Parameters: weights [C × D], then the bias [C].
 */
import { addRows, multiplyRows, ROWS_AT_ONCE } from '../linalg/add-rows.ts';
import { stretches, type CodeRows } from '../code-rows.ts';
import type { Pacer } from '../pacer.ts';
import type { Objective } from './lbfgs.ts';

/** Rows that are read and standardised at once. */
const ROWS = 64;

export interface LogisticData {
  readonly rows: CodeRows;
  /** [D] */
  readonly mean: Float64Array;
  readonly deviation: Float32Array;
  /** [n] class of each row. */
  readonly targets: Uint16Array;
  readonly classes: number;
}

export function parameterCount({ rows, classes }: LogisticData): number {
  return (rows.codeLength + 1) * classes;
}

/** @param weights [n] what each row counts; those of weight 0 are passed over. */
export function softmaxObjective(
  data: LogisticData,
  weights: Float64Array,
  lambda: number,
  pacer: Pacer,
): Objective {
  const { targets, classes, rows } = data;
  const { codeLength } = rows;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return async (parameters, gradient) => {
    gradient.fill(0);
    const bias = gradient.subarray(classes * codeLength);
    // A group's slopes towards its logits, [ROWS_AT_ONCE × C].
    const slopes = new Float64Array(ROWS_AT_ONCE * classes);
    let loss = 0;
    for await (const { group, places, count } of groups(data, (i) => weights[i] > 0, pacer)) {
      writeGroupLogits(group, parameters, classes, slopes);
      slopes.fill(0, count * classes);
      for (let r = 0; r < count; r++) {
        const slope = slopes.subarray(r * classes, (r + 1) * classes);
        const share = weights[places[r]] / total;
        loss += share * turnIntoSlopes(slope, targets[places[r]], share);
        for (let c = 0; c < classes; c++) bias[c] += slope[c];
      }
      for (let c = 0; c < classes; c++) {
        addRows(gradient, c * codeLength, group, slopes, c, classes);
      }
    }
    for (let i = 0; i < classes * codeLength; i++) {
      loss += (lambda / 2) * parameters[i] * parameters[i];
      gradient[i] += lambda * parameters[i];
    }
    return loss;
  };
}

/** Writes the logits of the chosen rows to `out`, [n × C]. */
export async function writeLogits(
  data: LogisticData,
  parameters: Float64Array,
  chosen: (example: number) => boolean,
  out: Float64Array,
  pacer: Pacer,
): Promise<void> {
  const { classes } = data;
  const logits = new Float64Array(ROWS_AT_ONCE * classes);
  for await (const { group, places, count } of groups(data, chosen, pacer)) {
    writeGroupLogits(group, parameters, classes, logits);
    for (let r = 0; r < count; r++) {
      out.set(logits.subarray(r * classes, (r + 1) * classes), places[r] * classes);
    }
  }
}

interface Group {
  /** ROWS_AT_ONCE standardised rows; those beyond `count` hold what they held. */
  readonly group: readonly Float64Array[];
  readonly places: Uint32Array;
  readonly count: number;
}

/** The chosen rows, standardised, a few at a time. The next overwrites the last. */
async function* groups(
  { rows, mean, deviation, classes }: LogisticData,
  chosen: (example: number) => boolean,
  pacer: Pacer,
): AsyncGenerator<Group> {
  const { codeLength } = rows;
  const inverse = Float64Array.from(deviation, (value) => 1 / value);
  const group = Array.from({ length: ROWS_AT_ONCE }, () => new Float64Array(codeLength));
  const places = new Uint32Array(ROWS_AT_ONCE);
  let count = 0;
  for (const stretch of stretches(rows, ROWS)) {
    for (let r = 0; r < stretch.count; r++) {
      if (!chosen(stretch.begin + r)) continue;
      const row = group[count];
      const from = r * codeLength;
      for (let d = 0; d < codeLength; d++) row[d] = (stretch.out[from + d] - mean[d]) * inverse[d];
      places[count++] = stretch.begin + r;
      if (count < ROWS_AT_ONCE) continue;
      yield { group, places, count };
      count = 0;
    }
    if (pacer.due(2 * classes * stretch.out.length)) await pacer.rest();
  }
  if (count > 0) yield { group, places, count };
}

/** [ROWS_AT_ONCE × C], of rows beyond the group's count too. */
function writeGroupLogits(
  group: Group['group'],
  parameters: Float64Array,
  classes: number,
  out: Float64Array,
): void {
  const d = group[0].length;
  for (let c = 0; c < classes; c++) {
    multiplyRows(parameters, c * d, group, parameters[classes * d + c], out, c, classes);
  }
}

/** From logits to what the weighted log-loss changes by with each of them. @returns the log-loss, in nats. */
function turnIntoSlopes(logits: Float64Array, target: number, share: number): number {
  const top = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const truth = logits[target] - top;
  let sum = 0;
  for (let c = 0; c < logits.length; c++) sum += logits[c] = Math.exp(logits[c] - top);
  for (let c = 0; c < logits.length; c++) logits[c] *= share / sum;
  logits[target] -= share;
  return Math.log(sum) - truth;
}
