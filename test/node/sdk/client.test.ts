/** The client's manners: what it repeats and what not, when it gives up, what it tells while it sends. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { clientSize } from '../../../scripts/build/client-size.ts';
import { root } from '../../../scripts/build/stale.ts';
import { ApiError, HeadwaterClient, type Taught, type UploadProgress } from '../../../sdk/client.ts';
import type { Classification, HeadDetail } from '../../../src/api/index.ts';
import { serve } from './server.ts';

const KEY_MADE = { id: 'k', name: 'n', scopes: ['read'], created_at: '2026-01-01T00:00:00Z', key: 'hw_x' };
const QUICK = { 'retry-after': '0.01' };

describe('another attempt', () => {
  test('is made where a repeat does no harm', async () => {
    const { url, requests } = await serve((count) =>
      count < 3 ? { status: 503, headers: QUICK } : { status: 200, body: { heads: [] } },
    );
    expect(await new HeadwaterClient({ url, key: 'k' }).listHeads()).toEqual([]);
    expect(requests).toHaveLength(3);
  });

  test.each(['before', 'within'] as const)(
    'is made when the connection is lost %s the answer, where a repeat does no harm',
    async (lost) => {
      const body = { heads: [] };
      const flaky = await serve((count) => (count < 3 ? { status: 200, body, lost } : { status: 200, body }));
      expect(await new HeadwaterClient({ url: flaky.url, key: 'k' }).listHeads()).toEqual([]);
      expect(flaky.requests).toHaveLength(3);
      const broken = await serve(() => ({ status: 201, body: KEY_MADE, lost }));
      const made = new HeadwaterClient({ url: broken.url, key: 'k' }).createKey('n', ['read']);
      await expect(made).rejects.toMatchObject({ name: 'ApiError', code: 'unreachable' });
      expect(broken.requests).toHaveLength(1);
    },
  );

  test('is not made where it might make a second key', async () => {
    const { url, requests } = await serve(() => ({ status: 503, headers: QUICK }));
    const made = new HeadwaterClient({ url, key: 'k' }).createKey('n', ['read']);
    await expect(made).rejects.toMatchObject({ status: 503 });
    expect(requests).toHaveLength(1);
  });

  test('is made even then when the Worker says that it did nothing', async () => {
    const { url, requests } = await serve((count) =>
      count === 1 ? { status: 429, headers: QUICK } : { status: 201, body: KEY_MADE },
    );
    const client = new HeadwaterClient({ url, key: 'k' });
    expect(await client.createKey('n', ['read'])).toMatchObject({ key: 'hw_x' });
    expect(requests).toHaveLength(2);
  });

  test('of teaching carries the same idempotency key', async () => {
    const { url, requests } = await serve((count) =>
      count === 1 ? { status: 502, headers: QUICK } : { status: 200, body: { head: 'h', version: 1 } },
    );
    const client = new HeadwaterClient({ url, key: 'k' });
    const pictures = [{ label: 'a', name: '1.jpg', bytes: new Uint8Array([1, 2, 3]) }];
    expect(await client.teach('h', pictures, { idempotencyKey: 'once' })).toMatchObject({ version: 1 });
    expect(requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['once', 'once']);
  });

  test('is not made of what the Worker refuses', async () => {
    const problem = { code: 'invalid_request', detail: 'top_k is wrong.', field: 'top_k' };
    const { url, requests } = await serve(() => ({ status: 400, body: problem }));
    const refused = new HeadwaterClient({ url, key: 'k' }).describeHead('h');
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', field: 'top_k' });
    expect(requests).toHaveLength(1);
  });
});

describe('giving up', () => {
  test('after the time-out, with a message that says how long', async () => {
    const { url } = await serve(() => ({ status: 201, body: KEY_MADE, afterMs: 2_000 }));
    const client = new HeadwaterClient({ url, key: 'k', timeoutMs: 50 });
    const made = client.createKey('n', ['read']);
    await expect(made).rejects.toBeInstanceOf(ApiError);
    await expect(made).rejects.toMatchObject({ code: 'timeout' });
    await expect(made).rejects.toThrow('within 0.05 s');
  });

  test('says so when the Worker stays away', async () => {
    const { url, requests } = await serve(() => ({ status: 200, lost: 'before' }));
    const listed = new HeadwaterClient({ url, key: 'k' }).listHeads();
    await expect(listed).rejects.toThrow(/^No answer from http:.*Is the Worker running/);
    expect(requests).toHaveLength(4);
  });

  test('at once when the caller aborts, while it waits for the answer and between attempts', async () => {
    const slow = await serve(() => ({ status: 200, afterMs: 30_000 }));
    const busy = await serve(() => ({ status: 503, headers: { 'retry-after': '30' } }));
    for (const { url } of [slow, busy]) {
      const started = performance.now();
      const listed = new HeadwaterClient({ url, key: 'k' }).listHeads({ signal: AbortSignal.timeout(100) });
      await expect(listed).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(performance.now() - started).toBeLessThan(20_000);
    }
  });
});

test('tells how far an upload is, to its end', async () => {
  const { url, requests } = await serve(() => ({ status: 200, body: { head: 'h', version: 2 } }));
  const told: UploadProgress[] = [];
  const bytes = new Uint8Array(300_000);
  await new HeadwaterClient({ url, key: 'k' }).teach('h', [{ label: 'a', name: '1.jpg', bytes }], {
    idempotencyKey: 'x',
    onUploadProgress: (progress) => told.push(progress),
  });
  expect(told.length).toBeGreaterThan(3);
  expect(told.map(({ sent }) => sent)).toEqual(told.map(({ sent }) => sent).sort((a, b) => a - b));
  const last = told.at(-1);
  expect(last?.sent).toBe(last?.total);
  expect(requests[0]).toMatchObject({ bytes: last?.total });
  expect(requests[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
});

test('quotes names in addresses', async () => {
  const { url, requests } = await serve(() => ({ status: 204 }));
  await new HeadwaterClient({ url, key: 'k' }).forgetClass('h', 'a/b?c=ä');
  expect(requests[0]?.url).toBe('/v1/heads/h/classes/a%2Fb%3Fc%3D%C3%A4');
});

test('types', () => {
  expectTypeOf<HeadwaterClient['classify']>().returns.resolves.toEqualTypeOf<Classification>();
  expectTypeOf<HeadwaterClient['describeHead']>().returns.resolves.toEqualTypeOf<HeadDetail>();
  expectTypeOf<HeadwaterClient['teach']>().returns.resolves.toEqualTypeOf<Taught>();
  expectTypeOf<HeadwaterClient['classify']>().parameter(0).toBeString();
});

test('needs nothing but itself when it runs, and is small', async () => {
  const folder = join(root, 'sdk');
  for (const name of readdirSync(folder)) {
    const source = readFileSync(join(folder, name), 'utf8').replaceAll(/(?:import|export) type [^;]+;/g, '');
    const outside = [...source.matchAll(/from '([^']+)'/g)].filter(([, from]) => !from?.startsWith('./'));
    expect(outside, name).toEqual([]);
  }
  const { gzipBytes } = await clientSize();
  expect(gzipBytes).toBeGreaterThan(1_000);
  expect(gzipBytes).toBeLessThan(6_000);
});
