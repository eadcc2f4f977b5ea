/** Two isolates with caches of their own on the same stores: what one is taught, the other knows in time. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { startLocalWorker, type LocalWorker } from '../../../scripts/local-worker.ts';
import { png } from '../trainer/workspace.ts';
import { batchOf } from './teaching.ts';

const ADMIN_SECRET = 'a secret for this test';
/** What the contract promises for requests that name no version. */
const FOLLOWS_WITHIN_MS = 60_000;

let worker: LocalWorker;
beforeAll(async () => {
  worker = await startLocalWorker({ port: 0, adminSecret: ADMIN_SECRET, isolates: 2 });
});
afterAll(() => worker.close());

async function call(base: URL, key: string, path: string, init: RequestInit = {}): Promise<unknown> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${key}`);
  const answer = await fetch(new URL(path, base), { ...init, headers });
  const text = await answer.text();
  expect(answer.status, text).toBeLessThan(300);
  return JSON.parse(text);
}

const json = (value: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: value,
});

it('a named version is right at once, the current one within a minute, and at once where it was taught', async () => {
  const [first, second] = [worker.url, worker.second];
  if (second === undefined) throw new Error('There is no second isolate.');
  const tenant = await call(first, ADMIN_SECRET, '/v1/tenants', json('{"name":"two places"}'));
  const { key } = z.object({ key: z.string() }).parse(tenant);
  const health = z.object({ backbone: z.looseObject({}) }).parse(await call(first, key, '/healthz'));
  const teach = async (label: string): Promise<number | undefined> => {
    const batch = batchOf(health.backbone, label, 5, 1);
    const taught = await call(first, key, '/v1/heads/pets/teach', json(batch));
    return z.object({ version: z.int().optional() }).parse(taught).version;
  };
  const versionAt = async (base: URL, query = ''): Promise<number> => {
    const body = new Uint8Array(png(0, 1));
    const init = { method: 'POST', headers: { 'content-type': 'image/png' }, body };
    return z
      .object({ version: z.int() })
      .parse(await call(base, key, `/v1/heads/pets/classify${query}`, init)).version;
  };

  await teach('ant');
  expect(await teach('bee')).toBe(1);
  expect(await versionAt(second)).toBe(1);
  expect(await teach('cow')).toBe(2);
  // The caller reads what it wrote; the other isolate has the older pointer in its memory.
  expect(await versionAt(first)).toBe(2);
  expect(await versionAt(second)).toBe(1);
  expect(await versionAt(second, '?version=2')).toBe(2);

  expect(await teach('dog')).toBe(3);
  const taughtAt = performance.now();
  expect(await versionAt(second)).toBe(2);
  while ((await versionAt(second)) !== 3) {
    expect(performance.now() - taughtAt).toBeLessThan(FOLLOWS_WITHIN_MS);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  console.log(`The second isolate followed after ${Math.round((performance.now() - taughtAt) / 1000)} s.`);
});
