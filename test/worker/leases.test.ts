/** Memory for bodies: lent as they arrive, shared among tenants, taken from those that come too slowly. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readBytes, withBody } from '../../worker/http/body.ts';
import { Leases, type Grow } from '../../worker/isolate/leases.ts';
import { MAX_SLOW_CONTESTED_MS, MAX_SLOW_MS, MIN_BODY_BYTES_PER_S } from '../../worker/limits.ts';
import { ApiError } from '../../worker/http/problem.ts';
import { ByteLru } from '../../worker/stores/byte-lru.ts';
import { BackupReader } from '../../worker/backup/reader.ts';

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

  it('are asked for ever less often by those who wait', async () => {
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

const sent = (stream: ReadableStream<Uint8Array>, length?: number) =>
  new Request('https://headwater.example/', {
    method: 'POST',
    body: stream,
    headers: length === undefined ? {} : { 'content-length': String(length) },
  });

/** Sends so many bytes a second, for ever. */
function dripping(bytes: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      controller.enqueue(new Uint8Array(bytes));
    },
  });
}

/** The seconds after which the reading of a body failed, and how. */
async function failure(reading: Promise<unknown>): Promise<{ after: number; code: string; text: string }> {
  const failed: unknown[] = [];
  void reading.catch((error: unknown) => failed.push(error));
  let after = 0;
  for (; failed.length === 0 && after < 100; after++) await vi.advanceTimersByTimeAsync(1_000);
  const [error] = failed;
  if (!(error instanceof ApiError)) throw new Error('It did not fail as expected.', { cause: error });
  return { after, code: error.code, text: error.message };
}

/** Half of the least pace. */
const slow = () => sent(dripping(MIN_BODY_BYTES_PER_S / 2));

describe('a body', () => {
  const BODY = { maxBytes: 1 << 20, factor: 2, what: 'The body' };
  it('has memory lent for what came of it', async () => {
    const leases = new Leases(1 << 30, SHORT);
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const stream = new ReadableStream<Uint8Array>({ start: (its) => void (controller = its) });
    const lent: number[] = [];
    const reading = withBody(sent(stream, 1 << 20), leases.of('a'), BODY, async (body) => body.byteLength);
    for (const bytes of [0, 100_000, 100_000, 400_000]) {
      if (bytes > 0) controller?.enqueue(new Uint8Array(bytes));
      await scheduler.wait(5);
      lent.push(leases.inUse / BODY.factor);
    }
    expect(lent).toEqual([128 << 10, 128 << 10, 256 << 10, 1 << 20]);
    controller?.close();
    expect(await reading).toBe(600_000);
    expect(leases.inUse).toBe(0);
  });

  it('of a known length is whole with its last byte', async () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const stream = new ReadableStream<Uint8Array>({ start: (its) => void (controller = its) });
    const reading = readBytes(sent(stream, 5), 1 << 20, 'The body');
    for (const bytes of [
      [1, 2],
      [3, 4, 5],
    ])
      controller?.enqueue(Uint8Array.from(bytes));
    expect([...(await reading)]).toEqual([1, 2, 3, 4, 5]);
  });

  it('that comes too slowly is given up, sooner where others wait for its memory', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const alone = await failure(readBytes(slow(), 1 << 20, 'The body'));
    expect(alone).toMatchObject({ after: MAX_SLOW_MS / 1000, code: 'body_timeout' });
    expect(alone.text).toMatch(/too slowly: for 5 s, fewer than 8192 bytes a second\. Send it faster/);
    const loan = { grow: () => Promise.resolve(), contested: () => true, factor: 1 };
    const contested = await failure(readBytes(slow(), 1 << 20, 'The body', loan));
    expect(contested).toMatchObject({ after: MAX_SLOW_CONTESTED_MS / 1000, code: 'body_timeout' });
  });

  it('that keeps the pace has its time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const steady = await failure(readBytes(sent(dripping(2 * MIN_BODY_BYTES_PER_S)), 1 << 20, 'The body'));
    expect(steady).toMatchObject({ after: 30, text: 'The body did not arrive within 30 s.' });
  });

  it('that waits for memory is not slow', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const loan = {
      grow: () => new Promise<void>((resolve) => setTimeout(resolve, 2 * MAX_SLOW_MS)),
      contested: () => true,
      factor: 1,
    };
    const reading = readBytes(
      new Request('https://headwater.example/', { method: 'POST', body: 'abc' }),
      1 << 20,
      'The body',
      loan,
    );
    await vi.advanceTimersByTimeAsync(2 * MAX_SLOW_MS);
    expect((await reading).byteLength).toBe(3);
  });
});

/** So many lines, one after each pause, of so many bytes each. */
const lines = (count: number, pauseMs: number, bytes: number): ReadableStream<Uint8Array> => {
  let left = count;
  return new ReadableStream({
    async pull(controller) {
      if (left-- === 0) return controller.close();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const row = JSON.stringify({ row: 'end', rows: 1, unchanged: true });
      controller.enqueue(new TextEncoder().encode(`${row.padEnd(bytes - 1)}\n`));
    },
  });
};
/** @param workMs that each line's row takes. */
async function readAll(body: ReadableStream<Uint8Array>, workMs = 0): Promise<number> {
  const reader = new BackupReader(body, new Leases(1 << 30, SHORT).of('a'));
  for (let count = 0; ; count++) {
    const isLine = await reader.next(async (row) => {
      await new Promise((resolve) => setTimeout(resolve, workMs));
      return row !== undefined;
    });
    if (!isLine) return count;
  }
}

describe('a backup', () => {
  it.each([
    ['tiny lines', 100, 60],
    ['lines that each come before the first tick', 900, 4_000],
  ])('of %s is too slow as a whole', async (_, pauseMs, bytes) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const { after, text } = await failure(readAll(lines(1_000, pauseMs, bytes)));
    expect(after).toBeGreaterThanOrEqual(MAX_SLOW_MS / 1000);
    expect(after).toBeLessThanOrEqual(MAX_SLOW_MS / 1000 + 2);
    expect(text).toMatch(/^Line \d+ of the backup came too slowly: for 5 s, fewer than 8192 bytes a second/);
  });

  it('that keeps the pace may take longer than a line, and the time for its rows is not the sender’s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const counts: number[] = [];
    const count = (lines: number): void => void counts.push(lines);
    void readAll(lines(40, 1_000, 2 * MIN_BODY_BYTES_PER_S)).then(count);
    void readAll(lines(39, 1, 200), 2 * MAX_SLOW_MS).then(count);
    for (let s = 0; s < 500 && counts.length < 2; s++) await vi.advanceTimersByTimeAsync(1_000);
    expect(counts).toEqual([40, 39]);
  });
});
