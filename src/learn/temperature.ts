/**
 * The softmax temperature that makes logits mean probabilities (Guo et al. 2017): the one that minimises the weighted
 * log-loss of logits / temperature. In β = 1/temperature the loss is convex, so a safeguarded Newton iteration finds it.
 */

/** One-hot regression gives logits around 0 to 1, so useful temperatures lie well inside. */
export const TEMPERATURE_RANGE = { low: 0.01, high: 2 };
const MAX_ITERATIONS = 40;
const RELATIVE_PRECISION = 1e-7;

export interface Calibration {
  readonly temperature: number;
  /** Weighted mean log-loss at that temperature, in nats. */
  readonly logLoss: number;
}

/**
 * @param logits n × classes.
 * @param weights [n] not negative; an example of weight 0 does not count. At least one is positive.
 */
export function fitTemperature(
  logits: Float64Array,
  targets: Uint16Array,
  weights: Float64Array,
  classes: number,
): Calibration {
  let low = 1 / TEMPERATURE_RANGE.high;
  let high = 1 / TEMPERATURE_RANGE.low;
  let beta = 5;
  for (let i = 0; i < MAX_ITERATIONS; i++) {
    const { slope, curvature } = derivatives(logits, targets, weights, classes, beta);
    if (slope > 0) high = beta;
    else low = beta;
    const newton = beta - slope / Math.max(curvature, Number.MIN_VALUE);
    const next = newton > low && newton < high ? newton : Math.sqrt(low * high);
    const moved = Math.abs(next - beta);
    beta = next;
    if (moved < RELATIVE_PRECISION * beta) break;
  }
  return { temperature: 1 / beta, logLoss: derivatives(logits, targets, weights, classes, beta).loss };
}

function derivatives(
  logits: Float64Array,
  targets: Uint16Array,
  weights: Float64Array,
  classes: number,
  beta: number,
): { loss: number; slope: number; curvature: number } {
  let [loss, slope, curvature, total] = [0, 0, 0, 0];
  for (let i = 0; i < targets.length; i++) {
    const weight = weights[i];
    if (weight === 0) continue;
    const row = i * classes;
    const truth = logits[row + targets[i]];
    let top = logits[row];
    for (let c = 1; c < classes; c++) top = Math.max(top, logits[row + c]);
    let [sum, first, second] = [0, 0, 0];
    for (let c = 0; c < classes; c++) {
      const below = logits[row + c] - top;
      const share = Math.exp(beta * below);
      sum += share;
      first += share * below;
      second += share * below * below;
    }
    const mean = first / sum;
    loss += weight * (Math.log(sum) - beta * (truth - top));
    slope += weight * (mean - (truth - top));
    curvature += weight * (second / sum - mean * mean);
    total += weight;
  }
  return { loss: loss / total, slope: slope / total, curvature: curvature / total };
}
