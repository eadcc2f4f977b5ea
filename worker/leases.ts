/**
 * Lends out a fixed number of units (bytes of memory) to the requests of one isolate.
 *
 * Built for a runtime that may end a request at any await without running its `finally`: a lease therefore expires, and
 * a request that waits polls with its own timer, since a promise that another request was to resolve might never be.
 */
import { ApiError } from './problem.ts';

const POLL_MS = 4;

interface Lease {
  readonly units: number;
  readonly expiresAt: number;
}

export class Leases {
  readonly #capacity: number;
  readonly #leaseMs: number;
  readonly #waitMs: number;
  readonly #held = new Set<Lease>();

  /** @param capacity units there are. @param leaseMs life of a lease. @param waitMs patience of a request. */
  constructor(capacity: number, leaseMs: number, waitMs: number) {
    this.#capacity = capacity;
    this.#leaseMs = leaseMs;
    this.#waitMs = waitMs;
  }

  /** Units lent out at this moment. */
  get inUse(): number {
    let sum = 0;
    const now = Date.now();
    for (const lease of this.#held) if (lease.expiresAt > now) sum += lease.units;
    return sum;
  }

  /**
   * Runs `task` while it holds `units`, or fails when none came free in time.
   * @throws ApiError overloaded
   */
  async with<T>(units: number, task: () => Promise<T>): Promise<T> {
    const lease = await this.#acquire(units);
    try {
      return await task();
    } finally {
      this.#held.delete(lease);
    }
  }

  async #acquire(units: number): Promise<Lease> {
    const wanted = Math.min(units, this.#capacity);
    const deadline = Date.now() + this.#waitMs;
    for (;;) {
      const lease = this.#tryAcquire(wanted);
      if (lease) return lease;
      if (Date.now() >= deadline) {
        throw new ApiError(
          'overloaded',
          'Too many requests are being worked on here. Try again in a moment.',
          {
            headers: { 'retry-after': '1' },
          },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #tryAcquire(units: number): Lease | undefined {
    const now = Date.now();
    for (const lease of this.#held) if (lease.expiresAt <= now) this.#held.delete(lease);
    if (this.inUse + units > this.#capacity) return undefined;
    const lease = { units, expiresAt: now + this.#leaseMs };
    this.#held.add(lease);
    return lease;
  }
}
