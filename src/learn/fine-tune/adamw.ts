/**
 * AdamW (Loshchilov & Hutter 2019) in units of the parameters: a learning rate of 0.001 moves a parameter by about a
 * thousandth of its unit a step. Decay pulls towards the pretrained values, not towards zero (L2-SP, Li et al. 2018):
 * with little data, the knowledge from pretraining must be kept.
 */

export interface AdamWOptions {
  /** Of the running mean of gradients and of their squares. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Share of the distance to the start that a step at learning rate 1 takes back. */
  readonly decay: number;
}

export const ADAMW_DEFAULTS: AdamWOptions = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.05 };

/** All that a later step depends on. */
export interface AdamWState {
  steps: number;
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

export class AdamW {
  readonly state: AdamWState;
  readonly #start: Float32Array;
  readonly #units: Float32Array;
  readonly #options: AdamWOptions;

  /** @param start what decay pulls towards. @param units positive, one a parameter. */
  constructor(
    start: Float32Array,
    units: Float32Array,
    options: AdamWOptions = ADAMW_DEFAULTS,
    state?: AdamWState,
  ) {
    this.#start = start;
    this.#units = units;
    this.#options = options;
    this.state = state ?? {
      steps: 0,
      mean: new Float32Array(start.length),
      square: new Float32Array(start.length),
    };
  }

  /** Moves `values` one step against `gradient`. @param rate one for all parameters, or one a parameter. */
  step(values: Float32Array, gradient: Float32Array, rate: number, rates?: Float32Array): void {
    const { beta1, beta2, epsilon, decay } = this.#options;
    const { mean, square } = this.state;
    const [start, units] = [this.#start, this.#units];
    this.state.steps++;
    const correction1 = 1 / (1 - beta1 ** this.state.steps);
    const correction2 = 1 / (1 - beta2 ** this.state.steps);
    for (let i = 0; i < values.length; i++) {
      // In units, so that epsilon means the same for every parameter.
      const slope = gradient[i] * units[i];
      const m = beta1 * mean[i] + (1 - beta1) * slope;
      const v = beta2 * square[i] + (1 - beta2) * slope * slope;
      mean[i] = m;
      square[i] = v;
      const local = rates === undefined ? rate : rate * rates[i];
      const move = (m * correction1) / (Math.sqrt(v * correction2) + epsilon);
      values[i] -= local * (move * units[i] + decay * (values[i] - start[i]));
    }
  }
}
