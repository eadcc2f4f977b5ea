/** Guessed keys on local workerd: no file is left of them, and keys go on working when the Worker is started again. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { startLocalWorker } from '../../../scripts/local-worker.ts';

const Key = z.object({ key: z.string().length(80) });
const adminSecret = 'the admin secret of the tests';
const state = mkdtempSync(join(tmpdir(), 'headwater-keys-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** Files of Durable Objects, each tenant's own. */
const tenantFiles = (): number =>
  readdirSync(state, { recursive: true }).filter((file) => /Tenant\W[0-9a-f]{64}\.sqlite$/.test(String(file)))
    .length;

it('leave no file behind', async () => {
  let worker = await startLocalWorker({ port: 0, state, adminSecret });
  const call = async (path: string, key: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, worker.url), {
      ...init,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
  try {
    const body = JSON.stringify({ name: 'a tenant' });
    const made = await call('/v1/tenants', adminSecret, { method: 'POST', body });
    const { key } = Key.parse(await made.json());
    expect(tenantFiles()).toBe(1);
    for (const letter of 'abcdefghijklmnop') {
      const older = `hw_${letter.repeat(16)}_${letter.repeat(43)}`;
      for (const guess of [older, `${older}_${letter.repeat(16)}`])
        expect((await call('/v1/heads', guess)).status).toBe(401);
    }
    expect(tenantFiles()).toBe(1);
    await worker.close();
    worker = await startLocalWorker({ port: 0, state, adminSecret });
    expect((await call('/v1/heads', key)).status).toBe(200);
  } finally {
    await worker.close();
  }
});
