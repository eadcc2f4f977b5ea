/** The isolate's memory: lent to requests, shared among tenants, filled by caches. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Leases, type Grow } from '../../worker/isolate/leases.ts';
import { ApiError } from '../../worker/http/problem.ts';
import { ByteLru } from '../../worker/stores/byte-lru.ts';

const NO_RESERVE = { reserve: 0, small: 0 };
const SHORT = { leaseMs: 10_000, waitMs: 10 };
const PATIENT = { leaseMs: 10_000, waitMs: 1_000 };
const full = { code: 'overloaded' };

afterEach(() => {
  vi.useRealTimers();
});

/** Holds a loan until it is let go. */
function hold(leases: Leases, owner: string, claim: number) {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  let lend: Grow | undefined;
  const lender = leases.of(owner);
  const done = lender.with(claim, (grow) => {
    lend = grow;
    return promise;
  });
  const letGo = (): Promise<void> => {
    release();
    return done;
  };
  /** Borrows more for a task of the request that holds the loan. */
  const inside = <T>(units: number, task: () => Promise<T>): Promise<T> =>
    lender.with(units, async (grow) => {
      await grow(units);
      return task();
    });
  return { grow: (units: number) => lend!(units), inside, letGo };
}

describe('shares', () => {
  it('hold an owner back, and no other', async () => {
    const leases = new Leases(10, SHORT, { share: 6, ...NO_RESERVE });
    const first = hold(leases, 'a', 4);
    await first.grow(4);
    const second = hold(leases, 'a', 3);
    await second.grow(2);
    await expect(second.grow(1)).rejects.toMatchObject(full);
    const other = hold(leases, 'b', 4);
    await other.grow(4);
    expect(leases.inUse).toBe(10);
    await first.letGo();
    await second.grow(1);
  });

  it('refuse at once what is more than there ever is, and say how much', async () => {
    const leases = new Leases(10e6, PATIENT, { share: 6e6, reserve: 1e6, small: 1e6 });
    const refused = {
      code: 'body_too_large',
      message: expect.stringContaining('11 MB of memory; 9 are') as unknown,
    };
    await expect(hold(leases, 'a', 11e6).grow(1)).rejects.toMatchObject(refused);
    await expect(leases.with(11e6, () => Promise.resolve())).rejects.toMatchObject(refused);
    const growing = hold(leases, 'a', 6e6);
    await growing.grow(6e6);
    await expect(growing.grow(5e6)).rejects.toMatchObject(refused);
    expect(leases.inUse).toBe(6e6);
    await growing.letGo();
    expect(leases.inUse).toBe(0);
  });

  it('do not count what a request turns out to need, which is lent beside', async () => {
    const leases = new Leases(12, SHORT, { share: 6, reserve: 1, small: 1 });
    const body = hold(leases, 'a', 6);
    await body.grow(6);
    await body.inside(4, async () => {
      expect(leases.inUse).toBe(10);
      // Its owner has all of the share; others have what is left.
      await expect(hold(leases, 'a', 1).grow(1)).rejects.toMatchObject(full);
      await expect(hold(leases, 'b', 2).grow(2)).rejects.toMatchObject(full);
      await hold(leases, 'b', 1).grow(1);
    });
    expect(leases.inUse).toBe(7);
    await body.letGo();
    expect(leases.inUse).toBe(1);
  });

  it('lend inside a request what it claimed, without asking twice', async () => {
    const leases = new Leases(10, SHORT, { share: 10, ...NO_RESERVE });
    const body = hold(leases, 'a', 7);
    await body.grow(5);
    // All else is claimed already by one that was there before.
    const other = hold(leases, 'b', 6);
    await other.grow(3);
    await expect(other.grow(1)).rejects.toMatchObject(full);
    await body.inside(2, async () => expect(leases.inUse).toBe(10));
    expect(leases.inUse).toBe(8);
  });

  it('a request that needs more than it claimed waits for those who can end', async () => {
    const leases = new Leases(10, PATIENT, { share: 10, ...NO_RESERVE });
    const [first, second] = [hold(leases, 'a', 4), hold(leases, 'b', 4)];
    await first.grow(4);
    await second.grow(4);
    let inside = false;
    const waiting = first.inside(6, async () => void (inside = leases.inUse === 10));
    await scheduler.wait(10);
    expect(inside).toBe(false);
    expect(leases.of('b').contested()).toBe(true);
    await second.letGo();
    await waiting;
    expect(inside).toBe(true);
    expect(leases.inUse).toBe(4);
  });

  it('a growth that still waits when its task has failed is given up, and leaves nothing lent', async () => {
    const leases = new Leases(10, PATIENT, { share: 10, ...NO_RESERVE });
    const other = hold(leases, 'a', 8);
    await other.grow(8);
    let growth: Promise<void> | undefined;
    const failing = leases.of('b').with(4, async (grow) => {
      growth = grow(4);
      throw new Error('too slow');
    });
    await expect(failing).rejects.toThrow('too slow');
    await other.letGo();
    await expect(growth).rejects.toMatchObject(full);
    expect(leases.inUse).toBe(0);
  });

  it('one that could only be served if another gave up is refused at once', async () => {
    const leases = new Leases(10, { leaseMs: 1e9, waitMs: 1e9 }, { share: 10, ...NO_RESERVE });
    const [first, second] = [hold(leases, 'a', 4), hold(leases, 'b', 4)];
    await first.grow(4);
    await second.grow(4);
    const waiting = first.inside(6, async () => leases.inUse);
    await expect(second.inside(6, () => Promise.resolve())).rejects.toMatchObject(full);
    await second.letGo();
    expect(await waiting).toBe(10);
  });

  it('keep a reserve for small ones', async () => {
    const leases = new Leases(10, SHORT, { share: 10, reserve: 2, small: 1 });
    const large = hold(leases, 'a', 8);
    await large.grow(8);
    await expect(hold(leases, 'b', 2).grow(1)).rejects.toMatchObject(full);
    await hold(leases, 'b', 1).grow(1);
    await hold(leases, 'c', 1).grow(1);
    await expect(hold(leases, 'c', 1).grow(1)).rejects.toMatchObject(full);
  });

  it('tell whose memory is waited for', async () => {
    const leases = new Leases(10, SHORT, { share: 6, ...NO_RESERVE });
    const contested = (): boolean[] => ['a', 'b', 'c'].map((owner) => leases.of(owner).contested());
    await hold(leases, 'a', 6).grow(6);
    await hold(leases, 'b', 2).grow(2);
    await expect(hold(leases, 'a', 1).grow(1)).rejects.toMatchObject(full);
    // What others hold would not help one who has all of its share.
    expect(contested()).toEqual([true, false, false]);
    await expect(hold(leases, 'c', 4).grow(3)).rejects.toMatchObject(full);
    expect(contested()).toEqual([true, true, false]);
  });

  it('are tried ever less often by those who wait', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const leases = new Leases(1, { leaseMs: 60_000, waitMs: 1_000 }, { share: 1, ...NO_RESERVE });
    await hold(leases, 'a', 1).grow(1);
    const waiting = expect(hold(leases, 'a', 1).grow(1)).rejects.toMatchObject(full);
    const start = Date.now();
    let timers = 0;
    for (; vi.getTimerCount() > 0; timers++) await vi.advanceTimersToNextTimerAsync();
    await waiting;
    expect(Date.now() - start).toBeGreaterThanOrEqual(1_000);
    expect(timers).toBeGreaterThan(1);
    expect(timers).toBeLessThan(30);
  });

  it('two that grow never leave each other no room: the second waits for the first', async () => {
    const leases = new Leases(10, PATIENT, { share: 10, ...NO_RESERVE });
    const first = hold(leases, 'a', 8);
    const second = hold(leases, 'b', 8);
    await first.grow(4);
    await second.grow(2);
    const waiting = second.grow(2);
    await first.grow(4);
    expect(leases.inUse).toBe(10);
    await first.letGo();
    await waiting;
    await second.grow(4);
    expect(leases.inUse).toBe(8);
  });

  it('small ones pass while a large one waits', async () => {
    const leases = new Leases(10, SHORT, { share: 10, ...NO_RESERVE });
    const large = hold(leases, 'a', 8);
    await large.grow(4);
    await hold(leases, 'b', 2).grow(2);
    await large.grow(4);
    expect(leases.inUse).toBe(10);
  });
});

/** Requests of all kinds, drawn from a seed; every step checks what is lent and kept. @returns how they ended. */
async function crowd(seed: number) {
  const capacity = 82;
  const memory = new Leases(capacity, { leaseMs: 1e12, waitMs: 1e12 }, { share: 52, reserve: 4, small: 3 });
  const caches = [new ByteLru<number>(17, memory), new ByteLru<number>(16, memory)];
  let state = seed;
  const random = (below: number): number => (state = (state * 48_271) % 0x7fffffff) % below;
  const ended = { well: 0, overloaded: 0, most: 0 };
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, random(20)));
  const check = (): void => {
    const kept = caches.reduce((sum, { bytes }) => sum + bytes, 0);
    ended.most = Math.max(ended.most, memory.inUse);
    if (memory.inUse + kept > capacity) throw new Error(`${memory.inUse} are lent, and ${kept} kept.`);
  };
  const grown = async (units: number, grow: Grow): Promise<void> => {
    for (let left = units; left > 0;) {
      const some = Math.min(left, 1 + random(8));
      await grow(some);
      left -= some;
      check();
      await pause();
    }
  };
  const body = async (owner: string, claim: number): Promise<void> => {
    const lender = memory.of(owner);
    await lender.with(claim + 2, async (grow) => {
      await grown(claim, grow);
      for (let pictures = random(4); pictures > 0; pictures--) {
        const units = random(5) === 0 ? random(48) : 1 + random(2);
        await lender.with(units, (more) => grown(units, more));
      }
    });
  };
  const request = async (i: number): Promise<void> => {
    await pause();
    const kind = random(8);
    caches[i % 2].set(`${i % 9}`, i, 1 + random(17));
    check();
    if (kind === 0) await memory.with(20 + random(58), pause);
    else await body(`tenant ${random(5)}`, kind < 4 ? 1 : 1 + random(24));
  };
  await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      request(i).then(
        () => ended.well++,
        (error: unknown) => {
          if (!(error instanceof ApiError) || error.code !== 'overloaded') throw error;
          ended.overloaded++;
        },
      ),
    ),
  );
  expect(memory.inUse).toBe(0);
  return ended;
}

describe('one account', () => {
  it('never lends more than there is, caches included, and lets nobody wait for ever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    for (let seed = 1; seed <= 20; seed++) {
      const state = { ended: false };
      const ending = crowd(seed).finally(() => void (state.ended = true));
      // Patience is without end: only those are turned away that would have waited in a circle.
      for (let s = 0; s < 1_000 && !state.ended; s++) await vi.advanceTimersByTimeAsync(1_000);
      expect(state.ended).toBe(true);
      const { well, overloaded, most } = await ending;
      expect(well + overloaded).toBe(60);
      expect(well).toBeGreaterThan(30);
      expect(most).toBeGreaterThan(60);
    }
  });
});
