/**
 * Trains a closed-form head further, without the examples it was trained on. Its weights are the least-squares fit to
 * them. With S the scatter of its training codes, n their number and λ its ridge, every other fit has a squared error that
 * is larger by tr(ΔW·(S + λ)·ΔWᵀ) + n·|Δb|². Adding the squared errors of new examples gives the head that all examples
 * together would give, if S were known exactly: recursive least squares (Plackett 1950). A new label is one that no old
 * example has. Of S the head keeps the leading principal directions, the variance along each, and the mean variance
 * across them (Head.variances). Without these, equal variance is assumed in all directions.
 *
 * The same algebra gives exact leave-one-out predictions of the new examples. The old ones can't be predicted again.
 */
import { withGolden } from '../../head/golden.ts';
import type { Head } from '../../head/head.ts';
import { trainedFurther } from '../../head/method.ts';
import { ROWS_AT_ONCE } from '../linalg/add-rows.ts';
import { dot } from '../linalg/dot.ts';
import { classWeight, weightsOfJudged } from '../statistics/example-weights.ts';
import { summarise } from '../statistics/metrics.ts';
import { Pacer } from '../pacer.ts';
import { timesRows, type Rows } from '../linalg/panels.ts';
import { rowsTimesVectors } from '../linalg/products.ts';
import { decompose, type Decomposition } from '../ridge/ridge.ts';
import type { SymmetricPrimitives } from '../linalg/primitives.ts';
import { canonical, type TaughtExamples } from './taught-examples.ts';
import type { TrainedHead, TrainOptions } from '../ridge/train.ts';
import { leaveOneOutMetrics } from '../statistics/left-out.ts';
import { factor, quadraticForms, solve } from '../linalg/tridiagonal.ts';
import { WhitenedRows, Whitening } from './whitened-rows.ts';

/** Share of a new label's shortfall that liftNewLabels corrects. */
const LIFT = 0.5;

/** Whether `continueHead` applies: the head was fitted by least squares on at least one example. */
export function isContinuable({ training: { method, lambda, examples } }: Pick<Head, 'training'>): boolean {
  return method.fit.includes(LEAST_SQUARES) && lambda > 0 && examples > 0;
}

/** In the `fit` of all heads in closed form. */
const LEAST_SQUARES = 'ridge-';

/**
 * @param base a head for which `isContinuable` holds.
 * @returns a head with the old labels, then the new ones by code unit; the same for the examples in any order. Its
 * leave-one-out metrics are over the new examples alone.
 * @throws HeadwaterError `training_data_invalid`, `training_data_too_large`.
 */
export async function continueHead(
  base: Head,
  taught: TaughtExamples,
  options: Pick<TrainOptions, 'linalg' | 'pause'>,
): Promise<TrainedHead> {
  const pacer = new Pacer(options.pause);
  const examples = canonical(base, taught);
  const { labels, targets, counts, order } = examples;
  const weights = Float64Array.from(targets, (target) => classWeight(base.training.counts, counts[target]));
  const space = new Whitening(base);
  const rows = await WhitenedRows.create(space, examples, weights, pacer);
  const decomposition = await decompose(rows, options.linalg, pacer, 'dual');
  const residuals = await residualsOf(base, rows, targets, labels.length, pacer);
  const logits = await fit(decomposition, residuals, targets, weights, pacer);
  const multipliers = residuals;
  const lift = liftNewLabels(base, targets, labels.length, logits);
  const { matrix, bias } = await updated(base, rows, multipliers, decomposition.primitives, pacer);
  const judgeWeights = weightsOfJudged(weights, targets, counts);
  const known = { order, targets, labels };
  const judged = await leaveOneOutMetrics(known, logits, base.temperature, judgeWeights, pacer);
  const head = withGolden({
    ...base,
    labels,
    weights: matrix,
    bias: bias.map((value, c) => value + lift[c]),
    training: {
      method: trainedFurther(base.training.method, 'continued'),
      examples: counts.reduce((sum, count) => sum + count, 0),
      counts,
      lambda: base.training.lambda,
      leaveOneOut: judged.metrics === null ? null : summarise(judged.metrics),
    },
    variances: rows.variances(),
  });
  return { head, ...judged };
}

/**
 * A label with few examples gets too low logits on new pictures, compared with labels of many examples: lower by the
 * difference between the logits of its own left-out examples and those of the old head's examples. Half of the difference
 * is added to the bias of the new label. That was best or nearly best from 2 to 40 examples beside 400 old ones, on frozen
 * codes and tuned ones.
 * @param logits [n × C] of left-out examples; they are lifted too, each by the mean of the others.
 * @returns [C]
 */
function liftNewLabels(
  base: Head,
  targets: Uint16Array,
  classes: number,
  logits: Float64Array,
): Float64Array {
  const { centre } = base.novelty.logit;
  const lift = new Float64Array(classes);
  for (let c = base.labels.length; c < classes; c++) {
    const own = [...targets.keys()].filter((i) => targets[i] === c);
    const found = Float64Array.from(own, (i) => logits[i * classes + c]);
    const sum = found.reduce((total, logit) => total + logit, 0);
    lift[c] = LIFT * (centre - sum / own.length);
    for (let i = 0; i < targets.length; i++) logits[i * classes + c] += lift[c];
    const others = Math.max(own.length - 1, 1);
    for (const [place, i] of own.entries())
      logits[i * classes + c] = found[place] + LIFT * (centre - (sum - found[place]) / others);
  }
  return lift;
}

/** [C × n] the one-hot targets minus the old head's logits, times √weight. Labels that it doesn't have get 0. */
async function residualsOf(
  base: Head,
  rows: WhitenedRows,
  targets: Uint16Array,
  classes: number,
  pacer: Pacer,
): Promise<Float64Array> {
  const d = base.codeLength;
  const n = targets.length;
  const residuals = new Float64Array(classes * n);
  for (let i = 0; i < n; i++) {
    const z = rows.standardised(i);
    const root = Math.sqrt(rows.weights[i]);
    for (let c = 0; c < classes; c++) {
      const said = c < base.labels.length ? base.bias[c] + dot(base.weights, c * d, z, 0, d) : 0;
      residuals[c * n + i] = root * ((targets[i] === c ? 1 : 0) - said);
    }
    if (pacer.due(d * (base.labels.length + 1))) await pacer.rest();
  }
  return residuals;
}

/**
 * With A the whitened rows and R the residuals, both scaled by √weight: multipliers α = √w·(AAᵀ + I)⁻¹R, so that the
 * change of the fit is αᵀ times the rows; and logits of each example without itself, which miss its target by
 * ((AAᵀ + I)⁻¹R)ᵢ / ((AAᵀ + I)⁻¹)ᵢᵢ.
 * @param residuals [C × n] are overwritten with the multipliers: an isolate has no memory for one more such matrix.
 * @returns [n × C] logits.
 */
async function fit(
  { basis, order: m, tridiagonal, primitives }: Decomposition,
  residuals: Float64Array,
  targets: Uint16Array,
  weights: Float64Array,
  pacer: Pacer,
): Promise<Float64Array> {
  const classes = residuals.length / m;
  const factored = factor(tridiagonal, 1);
  const right = new Float64Array(residuals.length);
  await timesRows(rowsOf(basis, m), [{ left: residuals, out: right }], primitives, pacer);
  solve(factored, right, classes);
  await rowsTimesVectors(primitives, basis, m, right, classes, pacer, residuals, true);
  const logits = new Float64Array(residuals.length);
  const forms = new Float64Array(ROWS_AT_ONCE);
  for (let i = 0; i < m; i++) {
    const together = i % ROWS_AT_ONCE;
    if (together === 0) quadraticForms(factored.lower, factored.inverse, basis, i, m, forms);
    const root = Math.sqrt(weights[i]);
    for (let c = 0; c < classes; c++) {
      const solved = residuals[c * m + i];
      residuals[c * m + i] = root * solved;
      logits[i * classes + c] = (targets[i] === c ? 1 : 0) - solved / (forms[together] * root);
    }
    if (pacer.due(4 * m)) await pacer.rest();
  }
  return logits;
}

/** Rows of a matrix [m × m] that is in memory. */
function rowsOf(matrix: Float64Array, m: number): Rows {
  return {
    examples: m,
    codeLength: m,
    writeRow(i, begin, count, out, offset, stride) {
      for (let c = 0; c < count; c++)
        out[offset + c * stride] = begin + c < m ? matrix[i * m + begin + c] : 0;
    },
  };
}

/** Classes whose change is found at once: in double precision, which the change of all has no memory for. */
const CLASSES_AT_ONCE = 64;

/** W + αᵀ·Z·(S + λ)⁻¹ and b + Σα/n. @param multipliers [C × n] */
async function updated(
  base: Head,
  rows: WhitenedRows,
  multipliers: Float64Array,
  primitives: SymmetricPrimitives,
  pacer: Pacer,
): Promise<{ matrix: Float32Array; bias: Float32Array }> {
  const d = base.codeLength;
  const n = rows.examples;
  const classes = multipliers.length / n;
  const matrix = new Float32Array(classes * d);
  matrix.set(base.weights);
  const bias = new Float32Array(classes);
  for (let first = 0; first < classes; first += CLASSES_AT_ONCE) {
    const count = Math.min(CLASSES_AT_ONCE, classes - first);
    const left = multipliers.subarray(first * n, (first + count) * n);
    const change = new Float64Array(count * d);
    await timesRows(rows.plain, [{ left, out: change }], primitives, pacer);
    for (let r = 0; r < count; r++) {
      const row = change.subarray(r * d, (r + 1) * d);
      unwhiten(rows.space, row);
      for (let e = 0; e < d; e++) matrix[(first + r) * d + e] += row[e];
      const sum = left.subarray(r * n, (r + 1) * n).reduce((total, factor) => total + factor, 0);
      bias[first + r] = (base.bias[first + r] ?? 0) + sum / base.training.examples;
      if (pacer.due(2 * d * rows.space.count)) await pacer.rest();
    }
  }
  return { matrix, bias };
}

/** Turns row into row·(S + λ)⁻¹. */
function unwhiten(space: Whitening, row: Float64Array): void {
  const inverse = space.powers(-1);
  const across = inverse[space.count];
  const along = space.project(row);
  for (let e = 0; e < row.length; e++) row[e] *= across;
  for (const [l, value] of along.entries()) {
    const factor = (inverse[l] - across) * value;
    for (let e = 0; e < row.length; e++) row[e] += factor * space.base.novelty.directions[l * row.length + e];
  }
}
