/** What becomes of the rest of a request's body before its answer goes out. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Bodied } from '../../worker/http/body.ts';
import { drained } from '../../worker/http/drain.ts';
import { DRAIN_TIMEOUT_MS, MAX_DRAINED_BYTES } from '../../worker/limits.ts';
import { PieceReader } from '../../worker/http/piece-reader.ts';
import { brokenBytes, slowBytes } from './support.ts';

const PIECE = 1 << 20;
const request = (body: BodyInit, headers: Record<string, string> = {}): Bodied =>
  new Request('https://headwater.example/', { method: 'POST', body, headers });
const answer = new Response('no', { status: 401 });

afterEach(() => {
  vi.useRealTimers();
});

describe('the rest of a body', () => {
  it('is read to its end before the answer', async () => {
    const { stream, sent } = slowBytes(5 * PIECE);
    expect(await drained(request(stream), Promise.resolve(answer))).toBe(answer);
    expect(sent()).toBe(5 * PIECE);
  });

  it('is what its reader left', async () => {
    const { stream, sent } = slowBytes(5 * PIECE);
    const incoming = request(stream);
    const reader = new PieceReader(incoming.body!);
    expect((await reader.read(new Uint8Array(10))).byteLength).toBe(10);
    reader.release();
    await drained(incoming, answer);
    expect(sent()).toBe(5 * PIECE);
  });

  it('is nothing where all was read, or nothing came', async () => {
    const incoming = new Request('https://headwater.example/', { method: 'POST', body: new Uint8Array(100) });
    await incoming.arrayBuffer();
    expect(await drained(incoming, answer)).toBe(answer);
    expect(await drained(new Request('https://headwater.example/'), answer)).toBe(answer);
  });

  it('is left where it is too much, or declared to be', async () => {
    const undeclared = slowBytes(100 * PIECE);
    expect(await drained(request(undeclared.stream), answer)).toBe(answer);
    expect(undeclared.sent()).toBeLessThanOrEqual(MAX_DRAINED_BYTES + 3 * PIECE);
    const declared = slowBytes(100 * PIECE);
    const headers = { 'content-length': String(100 * PIECE) };
    expect(await drained(request(declared.stream, headers), answer)).toBe(answer);
    expect(declared.sent()).toBeLessThanOrEqual(PIECE);
  });

  it('is not waited for where the client has gone', async () => {
    expect(await drained(request(brokenBytes()), answer)).toBe(answer);
  });

  it('is not waited for longer than a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const waiting = drained(request(new ReadableStream()), answer);
    while (vi.getTimerCount() === 0) await scheduler.wait(1);
    await vi.advanceTimersByTimeAsync(DRAIN_TIMEOUT_MS);
    expect(await waiting).toBe(answer);
  });

  it('is not waited for where a read of it is still waiting', async () => {
    const incoming = request(new ReadableStream());
    const reader = new PieceReader(incoming.body!);
    void reader.read(new Uint8Array(10));
    reader.release();
    expect(await drained(incoming, answer)).toBe(answer);
  });
});
