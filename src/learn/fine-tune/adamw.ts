/**
 * AdamW (Loshchilov & Hutter 2019) in units of the parameters: a learning rate of 0.001 moves a parameter by about a
 * thousandth of its unit a step. Decay pulls towards the pretrained values, not towards zero (L2-SP, Li et al. 2018):
 * with little data, the knowledge from pretraining must be kept.
 */

import type { FineTuneOptions } from './options.ts';

/** All that a later step depends on. */
export interface AdamWState {
  steps: number;
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

export class AdamW {
  readonly #state: AdamWState;
  readonly #start: Float32Array;
  readonly #units: Float32Array;
  readonly #rates: Float32Array;
  readonly #options: FineTuneOptions['adamW'];

  /**
   * @param start what decay pulls towards.
   * @param units positive, one a parameter.
   * @param rates of each parameter, as a share of the rate of a step.
   * @param state to go on from; the steps change it.
   */
  constructor(
    start: Float32Array,
    units: Float32Array,
    rates: Float32Array,
    options: FineTuneOptions['adamW'],
    state: AdamWState,
  ) {
    this.#start = start;
    this.#units = units;
    this.#rates = rates;
    this.#options = options;
    this.#state = state;
  }

  /** Moves `values` one step against `gradient`. */
  step(values: Float32Array, gradient: Float32Array, rate: number): void {
    const { beta1, beta2, epsilon, decay } = this.#options;
    const { mean, square } = this.#state;
    const [start, units, rates] = [this.#start, this.#units, this.#rates];
    this.#state.steps++;
    const correction1 = 1 / (1 - beta1 ** this.#state.steps);
    const correction2 = 1 / (1 - beta2 ** this.#state.steps);
    for (let i = 0; i < values.length; i++) {
      // In units, so that epsilon means the same for every parameter.
      const slope = gradient[i] * units[i];
      const m = beta1 * mean[i] + (1 - beta1) * slope;
      const v = beta2 * square[i] + (1 - beta2) * slope * slope;
      mean[i] = m;
      square[i] = v;
      const move = (m * correction1) / (Math.sqrt(v * correction2) + epsilon);
      values[i] -= rate * rates[i] * (move * units[i] + decay * (values[i] - start[i]));
    }
  }
}
