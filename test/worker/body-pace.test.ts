/** Bodies that come too slowly give up the memory that they were lent. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BackupReader } from '../../worker/backup/reader.ts';
import { readBytes, withBody } from '../../worker/http/body.ts';
import { ApiError } from '../../worker/http/problem.ts';
import { Leases } from '../../worker/isolate/leases.ts';
import { MAX_SLOW_CONTESTED_MS, MAX_SLOW_MS, MIN_BODY_BYTES_PER_S } from '../../worker/limits.ts';

const SHORT = { leaseMs: 10_000, waitMs: 10 };

afterEach(() => {
  vi.useRealTimers();
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
