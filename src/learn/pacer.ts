/**
 * Pauses in long computations. There is no clock here (in a Worker it stands still during a computation), so work is
 * counted in multiply-adds of plain JavaScript, and the host may pause after every million.
 */

/** A host's pause: resolves when the event loop has had its turn. */
export type Pause = () => Promise<void>;

/** About a millisecond. A turn of an event loop can take a tenth of one, and there are thousands in a long training. */
export const OPERATIONS_BETWEEN_PAUSES = 1e6;

/** Cost in multiply-adds: reading a number in half precision, and an exponential with its sum. */
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
