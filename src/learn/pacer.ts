/**
 * Lets long computations breathe. There is no clock here (and in a Worker it stands still while one computes), so work
 * is counted in multiply-adds of plain JavaScript, and the host is offered its turn after every half a million.
 */

/** A host's pause: resolves when the event loop has had its turn. */
export type Pause = () => Promise<void>;

/** About half a millisecond: several stretches lie between a request's arrival and its answer. */
export const OPERATIONS_BETWEEN_PAUSES = 5e5;

/** What takes longer than a multiply-add: reading a number in half precision, and an exponential with what it is for. */
export const HALF = 5;
export const EXPONENTIAL = 15;

export class Pacer {
  readonly #pause: Pause | undefined;
  #spent = 0;

  constructor(pause?: Pause) {
    this.#pause = pause;
  }

  /** Counts work just done. True when it is time to `await rest()`. */
  due(operations: number): boolean {
    this.#spent += operations;
    return this.#pause !== undefined && this.#spent >= OPERATIONS_BETWEEN_PAUSES;
  }

  async rest(): Promise<void> {
    this.#spent = 0;
    await this.#pause?.();
  }
}
