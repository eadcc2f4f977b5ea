/**
 * Lets long computations breathe. There is no clock here (and in a Worker it stands still while one computes), so work
 * is counted in multiply-adds, and the host is given its turn after every few million.
 */

/** A host's pause: resolves when the event loop has had its turn. */
export type Pause = () => Promise<void>;

/** About 4 ms of plain JavaScript, and less in WebAssembly. */
export const OPERATIONS_BETWEEN_PAUSES = 4e6;

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
