/**
 * Lends out a fixed number of units (bytes of memory) to the requests of one isolate. A loan grows as what it is for
 * arrives, up to what its request claims. Growth is granted only while all that are under way could still be finished one
 * after the other (the banker's algorithm), so that two never wait for each other. A request that holds something and turns
 * out to need more than it claimed waits for it only where that stays so, and is refused at once where it does not.
 *
 * What is not lent, caches may fill. They give way to loans, what was used last staying longest.
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
  claim: number;
  /** What was claimed before it held anything: it counts towards its owner's share, and says whether the lease is small. */
  declared: number;
  /** Undefined where it is in nobody's share. */
  readonly owner: string | undefined;
  expiresAt: number;
  /** When somebody was refused who could have had units if this one had ended. */
  contestedAt: number;
}

/** A task's part in the lease of its request. */
interface Borrowed {
  /** What the lease holds where this has all that it claims. */
  readonly wanted: number;
  lent: number;
  /** By how much it raised the lease's claim. */
  raised: number;
  isOver: boolean;
}

/** Adds to a loan, whose life begins anew. @throws ApiError overloaded; body_too_large beyond what a loan may ever have */
export type Grow = (units: number) => Promise<void>;

/** What lends to one request. */
export interface Lender {
  /**
   * Runs `task`, which may grow its loan to a claim; what it grew by is given back at its end. Within the task of another, the
   * loan is a part of the other's: units that the other claimed and does not hold are this one's to take.
   * @throws ApiError overloaded, body_too_large
   */
  with<T>(claim: number, task: (grow: Grow) => Promise<T>): Promise<T>;
  /** Whether somebody waits at this moment for units that this request's owner holds. */
  readonly contested: () => boolean;
}

/** How long things take, milliseconds. */
export interface Terms {
  /** A lease that was not grown for so long is taken back: its request died. */
  readonly leaseMs: number;
  /** Patience of a request. */
  readonly waitMs: number;
}

export interface Shares {
  /** Units of one owner's requests, but for what they turn out to need beyond what they claimed at first. */
  readonly share: number;
  /** Units kept for those that claim no more than `small`. */
  readonly reserve: number;
  readonly small: number;
}

/** A cache, whose entries give way to loans. */
export interface Elastic {
  readonly bytes: number;
  /** When the entry was used last that goes first, in any count that all caches share; Infinity where there is none. */
  readonly oldestUse: number;
  dropOldest(): void;
}

export class Leases {
  readonly #capacity: number;
  readonly #terms: Terms;
  readonly #shares: Shares;
  readonly #held = new Set<Lease>();
  readonly #caches: Elastic[] = [];

  /** @param capacity units there are. */
  constructor(capacity: number, terms: Terms, shares: Shares = { share: capacity, reserve: 0, small: 0 }) {
    this.#capacity = capacity;
    this.#terms = terms;
    this.#shares = shares;
  }

  /** Units lent out at this moment. */
  get inUse(): number {
    const now = Date.now();
    return unitsOf([...this.#held].filter(({ expiresAt }) => expiresAt > now));
  }

  /** The most that a loan may have which is not small. */
  get largest(): number {
    return this.#capacity - this.#shares.reserve;
  }

  /**
   * Runs `task` while it holds `units` that count towards nobody's share, or fails when none came free in time.
   * @throws ApiError overloaded; body_too_large where there are never so many
   */
  with<T>(units: number, task: (grow: Grow) => Promise<T>, terms = this.#terms): Promise<T> {
    return this.#with(newLease(undefined), units, terms, async (grow) => {
      await grow(units);
      return task(grow);
    });
  }

  /** What lends to one request. @param owner whose requests together stay within the share. */
  of(owner: string): Lender {
    const lease = newLease(owner);
    return {
      with: (claim, task) => this.#with(lease, claim, this.#terms, task),
      contested: () => {
        const since = Date.now() - CONTESTED_MS;
        return [...this.#held].some((each) => each.owner === owner && each.contestedAt > since);
      },
    };
  }

  /** Adds a cache that holds what is not lent. It is to call `makeRoom` when it has grown. */
  addCache(cache: Elastic): void {
    this.#caches.push(cache);
  }

  /** Empties caches, what was used longest ago first, until they and the loans are no more than there is. */
  makeRoom(): void {
    const free = this.#capacity - unitsOf([...this.#held]);
    while (this.#caches.reduce((sum, { bytes }) => sum + bytes, 0) > free) {
      const oldest = this.#caches.reduce((a, b) => (b.oldestUse < a.oldestUse ? b : a));
      if (oldest.oldestUse === Infinity) return;
      oldest.dropOldest();
    }
  }

  async #with<T>(lease: Lease, claim: number, terms: Terms, task: (grow: Grow) => Promise<T>): Promise<T> {
    const part: Borrowed = { wanted: lease.units + claim, lent: 0, raised: 0, isOver: false };
    try {
      return await task((units) => this.#grow(lease, part, units, terms));
    } finally {
      part.isOver = true;
      lease.units -= part.lent;
      lease.claim -= part.raised;
      if (lease.units === 0) this.#held.delete(lease);
    }
  }

  async #grow(lease: Lease, part: Borrowed, units: number, { leaseMs, waitMs }: Terms): Promise<void> {
    const claim = Math.max(lease.claim, part.wanted, lease.units + units);
    if (lease.units === 0) lease.declared = claim;
    const most = lease.declared > this.#shares.small ? this.largest : this.#capacity;
    if (claim > most) throw tooLarge(claim, most);
    const raised = claim - lease.claim;
    if (raised > 0 && lease.units > 0 && this.#inTheWay({ ...lease, claim }, lease, true).length > 0)
      throw overloaded();
    lease.claim = claim;
    part.raised += raised;
    const deadline = Date.now() + waitMs;
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(2 * pollMs, LAST_POLL_MS)) {
      // A task that failed while its growth was waiting has given all back.
      if (part.isOver) throw overloaded();
      if (this.#tryGrow(lease, units, leaseMs)) break;
      if (Date.now() >= deadline) throw overloaded();
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    part.lent += units;
  }

  #tryGrow(lease: Lease, units: number, leaseMs: number): boolean {
    const now = Date.now();
    for (const each of this.#held) if (each.expiresAt <= now) this.#held.delete(each);
    const inTheWay = this.#inTheWay({ ...lease, units: lease.units + units }, lease, false);
    if (inTheWay.length > 0) {
      for (const each of inTheWay) each.contestedAt = now;
      return false;
    }
    lease.units += units;
    lease.expiresAt = now + leaseMs;
    this.#held.add(lease);
    this.makeRoom();
    return true;
  }

  /**
   * Those in whose way it would be that `changed` takes the place of a lease: where it holds more than there is in one of its
   * parts, all of that part; where not all can come to their ends, those who cannot; none where all is well.
   */
  #inTheWay(changed: Lease, lease: Lease, mayWait: boolean): readonly Lease[] {
    const leases = [...this.#held].filter((each) => each !== lease);
    leases.push(changed);
    // The usual case, without the parts below: every picture needs one.
    if (claimsOf(leases) <= Math.min(this.#shares.share, this.largest)) return [];
    const drawn = this.#drawn(leases);
    const full = mayWait ? undefined : drawn.at(-1)?.draws.find(({ part }) => part.free < 0)?.part;
    if (full !== undefined)
      return drawn.filter(({ draws }) => draws.some(({ part }) => part === full)).map(({ lease }) => lease);
    return stuckOf(drawn);
  }

  /** What each draws from: its owner's share, the large ones' part, and all there is. */
  #drawn(leases: readonly Lease[]): Drawn[] {
    const { share, small } = this.#shares;
    const [large, all] = [{ free: this.largest }, { free: this.#capacity }];
    const shares = new Map<string, Part>();
    return leases.map((lease) => {
      const { units, claim, declared, owner } = lease;
      const draws = [
        { part: all, units, need: claim - units },
        ...(declared > small ? [{ part: large, units, need: claim - units }] : []),
      ];
      if (owner !== undefined) {
        const part = shares.get(owner) ?? { free: share };
        shares.set(owner, part);
        const counted = Math.min(units, declared);
        draws.unshift({ part, units: counted, need: declared - counted });
      }
      for (const { part, units } of draws) part.free -= units;
      return { lease, draws };
    });
  }
}

type Claiming = Pick<Lease, 'units' | 'claim'>;

/** A bound on some of the leases. */
interface Part {
  free: number;
}

interface Drawn {
  readonly lease: Lease;
  readonly draws: readonly { readonly part: Part; readonly units: number; readonly need: number }[];
}

/** Those who never get what they still claim: none where there is an order in which each gets it and gives all back. */
function stuckOf(drawn: readonly Drawn[]): readonly Lease[] {
  for (let left = drawn; ;) {
    const stuck = left.filter(({ draws }) => draws.some(({ part, need }) => need > 0 && need > part.free));
    if (stuck.length === left.length) return stuck.map(({ lease }) => lease);
    // One after the other: each leaves more than it found.
    const ending = left.filter((each) => !stuck.includes(each));
    for (const { draws } of ending) for (const { part, units } of draws) part.free += units;
    left = stuck;
  }
}

/** What all hold at their ends. */
function claimsOf(leases: readonly Claiming[]): number {
  return leases.reduce((sum, { claim, units }) => sum + Math.max(units, claim), 0);
}

function unitsOf(leases: readonly Claiming[]): number {
  return leases.reduce((sum, { units }) => sum + units, 0);
}

function newLease(owner: string | undefined): Lease {
  return { units: 0, claim: 0, declared: 0, owner, expiresAt: 0, contestedAt: -Infinity };
}

function overloaded(): ApiError {
  return new ApiError('overloaded', 'Too many requests are being worked on here. Try again in a moment.', {
    headers: { 'retry-after': '1' },
  });
}

function tooLarge(units: number, largest: number): ApiError {
  const [needed, most] = [units, largest].map((each) => Math.ceil(each / 1e6));
  return new ApiError(
    'body_too_large',
    `This request would take ${needed} MB of memory; ${most} are the most here. Send less in one request.`,
  );
}
