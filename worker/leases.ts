/**
 * Lends out a fixed number of units (bytes of memory) to the requests of one isolate. A loan may grow: where two that grow
 * leave each other no room, one is turned away, like a request that waited too long.
 *
 * Built for a runtime that may end a request at any await without running its `finally`: a lease therefore expires, and
 * a request that waits polls with its own timer, since a promise that another request was to resolve might never be.
 */
import { ApiError } from './problem.ts';

const POLL_MS = 4;

interface Lease {
  units: number;
  expiresAt: number;
}

/** Adds to a loan, whose life begins anew. @throws ApiError overloaded */
export type Grow = (units: number) => Promise<void>;

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
   * Runs `task` while it holds `units`, or all there are where those are fewer; or fails when none came free in time.
   * @throws ApiError overloaded
   */
  async with<T>(units: number, task: (grow: Grow) => Promise<T>): Promise<T> {
    const lease: Lease = { units: 0, expiresAt: 0 };
    try {
      await this.#grow(lease, units);
      return await task((more) => this.#grow(lease, more));
    } finally {
      this.#held.delete(lease);
    }
  }

  async #grow(lease: Lease, units: number): Promise<void> {
    const deadline = Date.now() + this.#waitMs;
    while (!this.#tryGrow(lease, units)) {
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

  #tryGrow(lease: Lease, units: number): boolean {
    const now = Date.now();
    let others = 0;
    for (const each of this.#held) {
      if (each.expiresAt <= now) this.#held.delete(each);
      else if (each !== lease) others += each.units;
    }
    const wanted = Math.min(lease.units + units, this.#capacity);
    if (others + wanted > this.#capacity) return false;
    lease.units = wanted;
    lease.expiresAt = now + this.#leaseMs;
    this.#held.add(lease);
    return true;
  }
}
