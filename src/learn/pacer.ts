/**
 * Lets long computations breathe. There is no clock here (and in a Worker it stands still while one computes), so work
 * is counted in multiply-adds of plain JavaScript, and the host is offered its turn after every million.
 */

/** A host's pause: resolves when the event loop has had its turn. */
export type Pause = () => Promise<void>;

/** About a millisecond. A turn of an event loop can take a tenth of one, and there are thousands in a long training. */
export const OPERATIONS_BETWEEN_PAUSES = 1e6;

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
