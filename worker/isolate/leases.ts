/**
 * Lends out a fixed number of units (bytes of memory) to the requests of one isolate. A loan grows as what it is for
 * arrives, up to what its request claims. Growth is granted only while all that are under way could still be finished one
 * after the other (the banker's algorithm), so that two never wait for each other. What a loan takes beyond its owner's
 * share comes from a pool beside, which one loan has at a time: it has all of its share by then and waits for nobody else, and
 * others have what they would have had.
 *
 * Built for a runtime that may end a request at any await without running its `finally`: a lease therefore expires, and
 * a request that waits polls with its own timer, since a promise that another request was to resolve might never be.
 */
import { ApiError } from '../http/problem.ts';

/** A waiting request tries again after the first, and doubles that up to the second: hundreds may wait, and each costs a little. */
const FIRST_POLL_MS = 4;
const LAST_POLL_MS = 64;
/** Where none was refused for this long, none waits. */
const CONTESTED_MS = 100;

interface Lease {
  units: number;
  /** Units that it may grow to. */
  readonly claim: number;
  readonly owner: string;
  expiresAt: number;
  /** When somebody was refused who could have had units if this one had ended. */
  contestedAt: number;
}

/** Adds to a loan, whose life begins anew. @throws ApiError overloaded; body_too_large beyond what a loan may ever have */
export type Grow = (units: number) => Promise<void>;

/** What lends to one owner. */
export interface Lender {
  /** @param claim units that the loan may grow to; it begins with none. @throws ApiError overloaded, body_too_large */
  with<T>(claim: number, task: (grow: Grow) => Promise<T>): Promise<T>;
  /** Whether somebody waits at this moment for units that this owner holds. */
  readonly contested: () => boolean;
}

export interface Shares {
  /** Units that one owner may hold at most, but for `largest`. */
  readonly share: number;
  /** Units that a single loan may grow to, at least the share: what is beyond the share is lent beside the capacity. */
  readonly largest: number;
  /** Units kept for those that claim no more than `small`. */
  readonly reserve: number;
  readonly small: number;
}

export class Leases {
  readonly #capacity: number;
  readonly #leaseMs: number;
  readonly #waitMs: number;
  readonly #shares: Shares;
  readonly #held = new Set<Lease>();

  /** @param capacity units there are. @param leaseMs life of a lease. @param waitMs patience of a request. */
  constructor(
    capacity: number,
    leaseMs: number,
    waitMs: number,
    shares: Shares = { share: capacity, largest: capacity, reserve: 0, small: 0 },
  ) {
    this.#capacity = capacity;
    this.#leaseMs = leaseMs;
    this.#waitMs = waitMs;
    this.#shares = shares;
  }

  /** Units lent out at this moment. */
  get inUse(): number {
    const now = Date.now();
    return unitsOf([...this.#held].filter(({ expiresAt }) => expiresAt > now));
  }

  /**
   * Runs `task` while it holds `units`, or fails when none came free in time.
   * @throws ApiError overloaded; body_too_large where there are never so many
   */
  with<T>(units: number, task: (grow: Grow) => Promise<T>): Promise<T> {
    return this.#with(units, '', async (grow) => {
      await grow(units);
      return task(grow);
    });
  }

  /** @param owner whose loans together stay within the share. */
  of(owner: string): Lender {
    return {
      with: (claim, task) => this.#with(claim, owner, task),
      contested: () => {
        const since = Date.now() - CONTESTED_MS;
        return [...this.#held].some((each) => each.owner === owner && each.contestedAt > since);
      },
    };
  }

  async #with<T>(claim: number, owner: string, task: (grow: Grow) => Promise<T>): Promise<T> {
    const lease: Lease = { units: 0, claim, owner, expiresAt: 0, contestedAt: -Infinity };
    try {
      return await task((more) => this.#grow(lease, more));
    } finally {
      this.#held.delete(lease);
    }
  }

  async #grow(lease: Lease, units: number): Promise<void> {
    const { largest } = this.#shares;
    if (lease.units + units > largest) throw tooLarge(lease.units + units, largest);
    const deadline = Date.now() + this.#waitMs;
    for (
      let pollMs = FIRST_POLL_MS;
      !this.#tryGrow(lease, units);
      pollMs = Math.min(2 * pollMs, LAST_POLL_MS)
    ) {
      if (Date.now() >= deadline) {
        throw new ApiError(
          'overloaded',
          'Too many requests are being worked on here. Try again in a moment.',
          {
            headers: { 'retry-after': '1' },
          },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  #tryGrow(lease: Lease, units: number): boolean {
    const now = Date.now();
    for (const each of this.#held) if (each.expiresAt <= now) this.#held.delete(each);
    const grown = { ...lease, units: lease.units + units };
    const others = [...this.#held].filter((each) => each !== lease);
    const inTheWay = this.#inTheWay([...others, grown]);
    if (inTheWay.length > 0) {
      for (const each of inTheWay) each.contestedAt = now;
      return false;
    }
    lease.units = grown.units;
    lease.expiresAt = now + this.#leaseMs;
    this.#held.add(lease);
    return true;
  }

  /**
   * Those of whom not all can come to their ends if the last has its units: its owner's beyond the share, large ones beyond
   * their part, any beyond all there is, or another that is beyond its share as well; none where they can.
   */
  #inTheWay(leases: readonly Lease[]): readonly Lease[] {
    const { share, reserve, small } = this.#shares;
    const beyond = leases.filter(({ units }) => units > share);
    if (beyond.length > 1 && beyond.includes(leases[leases.length - 1])) return beyond;
    // The usual case, without the lists below: every picture needs one.
    if (claimsOf(leases, share) <= Math.min(share, this.#capacity - reserve)) return [];
    const { owner, claim } = leases[leases.length - 1];
    const own = leases.filter((each) => each.owner === owner);
    if (!canEnd(own, share, share)) return own;
    const large = claim > small ? leases.filter((each) => each.claim > small) : [];
    if (!canEnd(large, this.#capacity - reserve, share)) return large;
    return canEnd(leases, this.#capacity, share) ? [] : leases;
  }
}

/**
 * Whether there is an order in which each gets what it still claims of its share and gives all back. Trying the smallest claim
 * first finds it.
 */
function canEnd(leases: readonly Lease[], capacity: number, share: number): boolean {
  const needOf = ({ claim, units }: Lease): number => Math.max(0, Math.min(claim, share) - units);
  if (claimsOf(leases, share) <= capacity) return true;
  if (unitsOf(leases, share) > capacity) return false;
  // Most need nothing more: they end first, in any order.
  const growing = leases.filter((lease) => needOf(lease) > 0);
  let free = capacity - unitsOf(growing, share);
  for (const lease of growing.sort((a, b) => needOf(a) - needOf(b))) {
    if (needOf(lease) > free) return false;
    free += lease.units;
  }
  return true;
}

/** What all hold at their ends, within the share. */
function claimsOf(leases: readonly Lease[], share: number): number {
  return leases.reduce((sum, { claim, units }) => sum + Math.min(Math.max(units, claim), share), 0);
}

/** @param share beyond which a loan's units are not counted. */
function unitsOf(leases: readonly Lease[], share = Infinity): number {
  return leases.reduce((sum, { units }) => sum + Math.min(units, share), 0);
}

function tooLarge(units: number, largest: number): ApiError {
  const [needed, most] = [units, largest].map((each) => Math.ceil(each / 1e6));
  return new ApiError(
    'body_too_large',
    `This request would take ${needed} MB of memory; ${most} are the most here. Send less in one request.`,
  );
}
