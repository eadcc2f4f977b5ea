/**
 * The least pace at which a body must arrive. A slow body holds memory for nothing, so its reading is given up early, and
 * earlier while others wait for that memory. Only time spent waiting for the sender counts.
 */
import { BODY_READ_TIMEOUT_MS, MAX_SLOW_CONTESTED_MS, MAX_SLOW_MS, MIN_BODY_BYTES_PER_S } from './limits.ts';
import { ApiError } from './problem.ts';

const TICK_MS = 1_000;

/** Waits for a piece of the body. */
export type Await = <T extends { readonly byteLength: number }>(piece: Promise<T>) => Promise<T>;

export interface PaceOptions {
  /** The body's name in messages. */
  readonly what: string;
  /** How long all of it may take. Default: BODY_READ_TIMEOUT_MS. */
  readonly mostMs?: number;
  /** Whether others wait for the memory that it holds. */
  readonly contested?: () => boolean;
}

/**
 * Runs a reading, which awaits each piece of the body through its argument; fails where pieces come too slowly or break off.
 * @throws ApiError body_timeout, body_incomplete, and as the reading does
 */
export async function inPace<T>(options: PaceOptions, reading: (arrival: Await) => Promise<T>): Promise<T> {
  const pace = new Pace(options);
  try {
    return await Promise.race([pace.lost, reading((piece) => pace.arrival(piece))]);
  } finally {
    pace.end();
  }
}

class Pace {
  /** Rejects when the body is too slow. */
  readonly lost: Promise<never>;
  readonly #options: PaceOptions;
  readonly #startedAt = Date.now();
  #timer: number | null = null;
  #waiting = false;
  /** Since the last tick. */
  #bytes = 0;
  #slowMs = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.lost = new Promise((_, reject) => {
      const tick = (): void => {
        const reason = this.#reasonToEnd();
        if (reason === undefined) this.#timer = setTimeout(tick, TICK_MS);
        else reject(new ApiError('body_timeout', `${options.what} ${reason}`));
      };
      this.#timer = setTimeout(tick, TICK_MS);
    });
  }

  async arrival<T extends { readonly byteLength: number }>(piece: Promise<T>): Promise<T> {
    this.#waiting = true;
    try {
      const arrived = await piece;
      this.#bytes += arrived.byteLength;
      return arrived;
    } catch (cause) {
      throw new ApiError('body_incomplete', `${this.#options.what} broke off before its end.`, { cause });
    } finally {
      this.#waiting = false;
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #reasonToEnd(): string | undefined {
    const { mostMs = BODY_READ_TIMEOUT_MS, contested } = this.#options;
    const isSlow = this.#waiting && this.#bytes < (MIN_BODY_BYTES_PER_S * TICK_MS) / 1000;
    this.#slowMs = isSlow ? this.#slowMs + TICK_MS : 0;
    this.#bytes = 0;
    if (Date.now() - this.#startedAt >= mostMs) return `did not arrive within ${mostMs / 1000} s.`;
    const most = contested?.() === true ? MAX_SLOW_CONTESTED_MS : MAX_SLOW_MS;
    if (this.#slowMs < most) return undefined;
    return `came too slowly: for ${this.#slowMs / 1000} s, fewer than ${MIN_BODY_BYTES_PER_S} bytes a second. Send it faster, or in smaller requests.`;
  }
}
