/**
 * The least pace at which a body must arrive. A slow body holds memory for nothing, so its reading is given up early, and
 * earlier while others wait for that memory. Only time spent waiting for the sender counts.
 */
import { BODY_READ_TIMEOUT_MS, MAX_SLOW_CONTESTED_MS, MAX_SLOW_MS, MIN_BODY_BYTES_PER_S } from '../limits.ts';
import { ApiError } from './problem.ts';

const TICK_MS = 1_000;

/** Waits for a piece of the body. */
export type Await = <T extends { readonly byteLength: number }>(piece: Promise<T>) => Promise<T>;

export interface Part {
  /** Its name in messages. */
  readonly what: string;
  /** How long all of it may take. Default: BODY_READ_TIMEOUT_MS. */
  readonly mostMs?: number;
}

/** The pace of one body, which may be read in parts. */
export class Pace {
  readonly #contested: () => boolean;
  #waitingSince: number | undefined;
  /** What was waited, and what came, since it was judged last. */
  #waitedMs = 0;
  #bytes = 0;
  #slowMs = 0;

  /** @param contested whether others wait for the memory that its reading holds. */
  constructor(contested: () => boolean = () => false) {
    this.#contested = contested;
  }

  /**
   * Runs the reading of one part, which awaits each piece of it through its argument; fails where pieces come too slowly or
   * break off. What the parts before it were waited for counts on.
   * @throws ApiError body_timeout, body_incomplete, and as the reading does
   */
  async keep<T>(
    { what, mostMs = BODY_READ_TIMEOUT_MS }: Part,
    reading: (arrival: Await) => Promise<T>,
  ): Promise<T> {
    const endsAt = Date.now() + mostMs;
    const check = (): void => {
      this.#judge();
      const reason = Date.now() >= endsAt ? `did not arrive within ${mostMs / 1000} s.` : this.#tooSlow();
      if (reason !== undefined) throw new ApiError('body_timeout', `${what} ${reason}`);
    };
    const { lost, end } = repeated(check);
    try {
      return await Promise.race([
        lost,
        reading(async (piece) => {
          const arrived = await this.#arrival(what, piece);
          check();
          return arrived;
        }),
      ]);
    } finally {
      end();
    }
  }

  async #arrival<T extends { readonly byteLength: number }>(what: string, piece: Promise<T>): Promise<T> {
    this.#waitingSince = Date.now();
    try {
      const arrived = await piece;
      this.#bytes += arrived.byteLength;
      return arrived;
    } catch (cause) {
      throw new ApiError('body_incomplete', `${what} broke off before its end.`, { cause });
    } finally {
      this.#countWaiting();
      this.#waitingSince = undefined;
    }
  }

  #countWaiting(): void {
    if (this.#waitingSince === undefined) return;
    const now = Date.now();
    this.#waitedMs += now - this.#waitingSince;
    this.#waitingSince = now;
  }

  /** Second by second of waiting: one in which enough came makes up for those before it. */
  #judge(): void {
    this.#countWaiting();
    if (this.#waitedMs < TICK_MS) return;
    const isSlow = this.#bytes < (MIN_BODY_BYTES_PER_S * this.#waitedMs) / 1000;
    this.#slowMs = isSlow ? this.#slowMs + this.#waitedMs : 0;
    this.#waitedMs = 0;
    this.#bytes = 0;
  }

  #tooSlow(): string | undefined {
    const most = this.#contested() ? MAX_SLOW_CONTESTED_MS : MAX_SLOW_MS;
    if (this.#slowMs < most) return undefined;
    return `came too slowly: for ${most / 1000} s, fewer than ${MIN_BODY_BYTES_PER_S} bytes a second. Send it faster, or in smaller requests.`;
  }
}

/** Calls a check every second. @returns a promise that rejects with what it throws, and how to end it. */
function repeated(check: () => void): { lost: Promise<never>; end: () => void } {
  const { promise: lost, reject } = Promise.withResolvers<never>();
  const tick = (): void => {
    try {
      check();
      timer = setTimeout(tick, TICK_MS);
    } catch (error) {
      reject(error);
    }
  };
  let timer = setTimeout(tick, TICK_MS);
  return { lost, end: () => clearTimeout(timer) };
}
