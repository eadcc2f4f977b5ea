/**
 * The softmax temperature that makes logits mean probabilities (Guo et al. 2017): the one that minimises the weighted
 * log-loss of logits / temperature. A weak prior decides where there is little to learn it from.
 */
import { largest } from './metrics.ts';
import { EXPONENTIAL, type Pacer } from '../pacer.ts';

/** One-hot regression gives logits around 0 to 1, so useful temperatures lie well inside. */
export const TEMPERATURE_RANGE = { low: 0.01, high: 2 };

/**
 * Log-normal prior of the temperature: what data sets from 5 to 80 pictures a class choose lies between 0.1 and 0.25.
 * It weighs as much as a few examples and is forgotten beyond some dozens.
 */
const PRIOR = { temperature: 0.15, logDeviation: 1 / 3 };
const MAX_ITERATIONS = 60;
const PRECISION = 1e-7;

export interface Calibration {
  readonly temperature: number;
  /** Weighted sum of the log-losses at that temperature, in nats, and the prior's share. */
  readonly objective: number;
}

/**
 * @param logits n × classes.
 * @param weights [n] not negative; an example of weight 0 does not count.
 */
export async function fitTemperature(
  logits: Float64Array,
  targets: Uint16Array,
  weights: Float64Array,
  classes: number,
  pacer: Pacer,
): Promise<Calibration> {
  // In x = ln β, β = 1 / temperature, and safeguarded: Newton where it stays in the bracket, else halving.
  let low = -Math.log(TEMPERATURE_RANGE.high);
  let high = -Math.log(TEMPERATURE_RANGE.low);
  let x = -Math.log(PRIOR.temperature);
  for (let i = 0; i < MAX_ITERATIONS; i++) {
    const { slope, curvature } = await derivatives(logits, targets, weights, classes, x, pacer);
    if (slope > 0) high = x;
    else low = x;
    const newton = x - slope / curvature;
    const next = curvature > 0 && newton > low && newton < high ? newton : (low + high) / 2;
    const moved = Math.abs(next - x);
    x = next;
    if (moved < PRECISION) break;
  }
  const { objective } = await derivatives(logits, targets, weights, classes, x, pacer);
  // In single precision, for the last bits of exponentials and logarithms are the host's own.
  return { temperature: Math.fround(Math.exp(-x)), objective };
}

interface Derivatives {
  readonly objective: number;
  readonly slope: number;
  readonly curvature: number;
}

/** Of the log-loss and the prior's penalty, with respect to ln β. */
async function derivatives(
  logits: Float64Array,
  targets: Uint16Array,
  weights: Float64Array,
  classes: number,
  x: number,
  pacer: Pacer,
): Promise<Derivatives> {
  const beta = Math.exp(x);
  const off = (x + Math.log(PRIOR.temperature)) / PRIOR.logDeviation;
  const sums = Float64Array.of((off * off) / 2, off / PRIOR.logDeviation, 1 / PRIOR.logDeviation ** 2);
  for (let i = 0; i < targets.length; i++) {
    if (weights[i] === 0) continue;
    addExample(sums, logits, i * classes, classes, targets[i], weights[i], beta);
    if (pacer.due(classes * EXPONENTIAL)) await pacer.rest();
  }
  return { objective: sums[0], slope: sums[1], curvature: sums[2] };
}

/** One example's part of objective, slope and curvature; its logits begin at `from`. */
function addExample(
  sums: Float64Array,
  logits: Float64Array,
  from: number,
  classes: number,
  target: number,
  weight: number,
  beta: number,
): void {
  const top = largest(logits, from, classes);
  let sum = 0;
  let first = 0;
  let second = 0;
  for (let c = 0; c < classes; c++) {
    const below = beta * (logits[from + c] - top);
    const share = Math.exp(below);
    sum += share;
    first += share * below;
    second += share * below * below;
  }
  const mean = first / sum;
  const truth = beta * (logits[from + target] - top);
  sums[0] += weight * (Math.log(sum) - truth);
  sums[1] += weight * (mean - truth);
  sums[2] += weight * (second / sum - mean * mean + mean - truth);
}
