/**
 * What decoding costs, so that a host can bound it and let others have their turn. There is no clock here: work is
 * estimated from a picture's header, and counted while it is done, in nanoseconds of one core of the machine that
 * docs/performance.md names.
 */

/** A host's pause: resolves when the event loop has had its turn. */
export type Pause = () => Promise<void>;

/** What a host can control while a picture is decoded. */
export interface DecodeOptions {
  /** Called now and then in the middle of long work. Without it pictures are decoded in one go. */
  readonly pause?: Pause | undefined;
  /** Called with the work before it is done, mostly before a decoder sees a byte. An error that it throws ends the decoding. */
  readonly allow?: ((workNs: number) => void) | undefined;
  /** Lends what a decoder takes: of a PNG's, any number may pause at once. Without it there is no bound on all together. */
  readonly hold?: Hold | undefined;
}

/** Runs a task once there is so much memory for it, which it has until it is done. */
export type Hold = <T>(bytes: number, task: () => Promise<T>) => Promise<T>;

/** Several times the turn of an event loop, and a small part of the time that other requests may wait. */
const WORK_BETWEEN_PAUSES_NS = 5e6;

/** One picture's work. */
export class DecodingWork {
  readonly #options: DecodeOptions;
  #sincePause = 0;

  constructor(options: DecodeOptions = {}) {
    this.#options = options;
  }

  /** Announces work that is about to be done. @throws what the host's `allow` throws. */
  allow(workNs: number): void {
    this.#options.allow?.(workNs);
  }

  /** Runs what takes so many bytes. @throws what the host says to it, and as the task does. */
  hold<T>(bytes: number, task: () => Promise<T>): Promise<T> {
    const { hold } = this.#options;
    return hold === undefined || bytes === 0 ? task() : hold(bytes, task);
  }

  /** Counts work just done. True when it is time to `await rest()`. */
  due(workNs: number): boolean {
    this.#sincePause += workNs;
    return this.#options.pause !== undefined && this.#sincePause >= WORK_BETWEEN_PAUSES_NS;
  }

  async rest(): Promise<void> {
    this.#sincePause = 0;
    await this.#options.pause?.();
  }
}
