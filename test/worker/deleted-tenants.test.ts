/** Keys that caches still take for valid: they answer for a while, and write nothing. Of a deleted tenant nothing is left. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import type { Env } from '../../worker/env.ts';
import { DELETION_SWEEP_MS, KEY_STALE_MS, KV_CACHE_TTL_S } from '../../worker/limits.ts';
import { Records } from '../../worker/protocols/custom-vision/records.ts';
import { pointerName } from '../../worker/stores/layout.ts';
import { callTenant } from '../../worker/tenant/call.ts';
import { Removal } from '../../worker/tenant/removal.ts';
import { openRows } from '../../worker/tenant/rows.ts';
import { Writer } from '../../worker/tenant/writer.ts';
import { countingRows } from './counting-rows.ts';
import { ADMIN_SECRET, Isolate, JPEG, makeHeadFile, problemOf, stubOf, sweep, testEnv } from './support.ts';

const TRAINING = '/customvision/v3.3/training';
const isolate = new Isolate();

/** A tenant whose head is also published as a Custom Vision project's iteration, and its prediction's path. */
async function withProject(): Promise<{ id: string; key: string; project: string; path: string }> {
  const { id, key } = await isolate.newTenant();
  await isolate.put(key, 'pets', await makeHeadFile());
  const records = new Records(testEnv, id);
  const project = crypto.randomUUID();
  const now = new Date().toISOString();
  await records.put(`projects/${project}`, {
    id: project,
    name: 'Pets',
    description: '',
    head: 'pets',
    domainId: '',
    created: now,
    modified: now,
  });
  await records.put(`${project}/published/live`, { name: 'live', version: 1, resource: '' });
  return {
    id,
    key,
    project,
    path: `/customvision/v3.0/Prediction/${project}/classify/iterations/live/image`,
  };
}

const predict = (from: Isolate, key: string, path: string): Promise<Response> =>
  from.call(path, { headers: { 'prediction-key': key }, type: 'application/octet-stream', body: JPEG });

const remove = (id: string) => isolate.call(`/v1/tenants/${id}`, { key: ADMIN_SECRET, method: 'DELETE' });

const capture = (version: number) => ({
  id: `capture ${version}`,
  version,
  picture: `${version}`,
  code: new Uint8Array(2),
  predictions: [],
  unknown: { score: 0, is_unknown: false },
  worth: 1,
});

/** All that R2 and KV hold of a tenant, and the tables of its database. */
async function restOf(id: string): Promise<string[]> {
  const objects = (await testEnv.HEADS.list()).objects.map(({ key }) => key);
  const entries: string[] = [];
  for (const { name } of (await testEnv.POINTERS.list()).keys)
    entries.push(`${name} ${(await testEnv.POINTERS.get(name)) ?? ''}`);
  const tables = await runInDurableObject(stubOf(id), (_, { storage }) =>
    storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray()
      .map(({ name }) => name),
  );
  return [...[...objects, ...entries].filter((name) => name.includes(id)), ...tables];
}

describe('a cached key', () => {
  it('of a deleted tenant stores no prediction, and nothing of the tenant is left', async () => {
    const { id, key, path } = await withProject();
    const other = new Isolate();
    expect((await predict(other, key, path)).status).toBe(200);
    const running = [0, 1, 2, 3].map(() => predict(other, key, path));
    expect((await remove(id)).status).toBe(204);
    await Promise.all(running);
    // It still answers there, and what it would store is refused.
    expect((await other.classify(key, 'pets')).status).toBe(200);
    expect(await (await predict(other, key, path)).json()).toMatchObject({ problem: 'key_revoked' });
    await sweep(id);
    expect(await restOf(id)).toEqual([]);
  });

  it('of a deleted tenant stops where it was deleted', async () => {
    const { id, key } = await withProject();
    expect((await isolate.classify(key, 'pets')).status).toBe(200);
    await remove(id);
    expect(await problemOf(await isolate.classify(key, 'pets'))).toEqual({
      status: 401,
      code: 'key_revoked',
    });
  });

  it('that was revoked elsewhere writes nothing', async () => {
    const { id, key, path } = await withProject();
    const { id: keyId, key: writer } = await isolate.newKey(key, ['read', 'write']);
    const other = new Isolate();
    expect((await predict(other, writer, path)).status).toBe(200);
    await isolate.call(`/v1/keys/${keyId}`, { key, method: 'DELETE' });
    const revoked = { status: 401, code: 'key_revoked' };
    expect((await other.classify(writer, 'pets')).status).toBe(200);
    expect(await problemOf(await other.put(writer, 'pets', await makeHeadFile(['a', 'b'], 2)))).toEqual(
      revoked,
    );
    expect(await problemOf(await other.call('/v1/heads/pets', { key: writer, method: 'DELETE' }))).toEqual(
      revoked,
    );
    const headers = { 'training-key': writer };
    const made = await other.call(`${TRAINING}/projects?name=x`, { headers, method: 'POST' });
    expect(await made.json()).toMatchObject({ problem: 'key_revoked' });
    expect(await (await predict(other, writer, path)).json()).toMatchObject({ problem: 'key_revoked' });
    const { objects } = await testEnv.HEADS.list({ prefix: `customvision/${id}/` });
    expect(objects.filter(({ key: name }) => name.includes('/predictions/'))).toHaveLength(1);
  });
});

describe('a deleted tenant', () => {
  it('is swept once more when nobody can write any more who was let in before', async () => {
    const { id } = await withProject();
    expect(DELETION_SWEEP_MS).toBeGreaterThan(KEY_STALE_MS + KV_CACHE_TTL_S * 1_000);
    const before = Date.now();
    await remove(id);
    // What was confirmed a moment before the deletion is written a moment after it.
    await new Records(testEnv, id).put('projects/late', {});
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      expect(await storage.getAlarm()).toBeGreaterThanOrEqual(before + DELETION_SWEEP_MS);
    });
    expect((await restOf(id)).length).toBeGreaterThan(0);
    await sweep(id);
    expect(await restOf(id)).toEqual([]);
  });

  it('of 3,000 examples is deleted without a transaction over them, and nothing can be read', async () => {
    const { id } = await withProject();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
           INSERT INTO examples SELECT printf('e%04d', i), 'pets', 'cat', i, 'picture', x'00', 1, 1, 'i' || i, 1 FROM n`,
      );
      storage.sql.exec("INSERT INTO taught_heads VALUES ('pets', '{}', 1, 1, 1)");
      const { storage: counted, rows: moved } = countingRows(storage);
      const rows = openRows(counted, testEnv);
      moved.n = 0;
      await new Removal(rows, new Writer(counted, rows).write, testEnv).tenant();
      expect(moved.n).toBeLessThan(300);
    });
    expect(await callTenant(testEnv, id, (stub) => stub.heads.list('', 10))).toEqual({ heads: [] });
    expect(await callTenant(testEnv, id, (stub) => stub.heads.describe('pets'))).toBeNull();
    expect(
      await callTenant(testEnv, id, (stub) => stub.examples.list('pets', undefined, undefined, 10)),
    ).toBeNull();
    expect(await callTenant(testEnv, id, (stub) => stub.examples.picture('pets', 'e0001'))).toBeNull();
    expect(await callTenant(testEnv, id, (stub) => stub.backup.examples('pets', '', 10))).toEqual([]);
    expect(await callTenant(testEnv, id, (stub) => stub.heads.pointer('pets'))).toBeNull();
    expect(await testEnv.POINTERS.get(pointerName(id, 'pets'))).toBeNull();
    await sweep(id);
    expect(await restOf(id)).toEqual([]);
  });

  it('deletes a page of objects at once, and the rest by the alarm', async () => {
    const { id } = await isolate.newTenant();
    for (let i = 0; i < 5; i++) await testEnv.HEADS.put(`images/${id}/pets/${i}`, 'x');
    const calls: string[] = [];
    const HEADS = new Proxy(testEnv.HEADS, {
      get(bucket, name): unknown {
        calls.push(String(name));
        if (name === 'list') return (options: R2ListOptions) => bucket.list({ ...options, limit: 2 });
        const value: unknown = Reflect.get(bucket, name);
        return typeof value === 'function' ? (value.bind(bucket) as unknown) : value;
      },
    });
    const left = async () => (await testEnv.HEADS.list({ prefix: `images/${id}/` })).objects.length;
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      const rows = openRows(storage, testEnv);
      await new Removal(rows, new Writer(storage, rows).write, { HEADS }).tenant();
      // No head files, and a page of pictures.
      expect(calls).toEqual(['list', 'list', 'delete']);
    });
    // The alarm may be there by itself already.
    while ((await left()) > 0) await runDurableObjectAlarm(stubOf(id));
    await sweep(id);
    expect(await restOf(id)).toEqual([]);
  });

  it('takes no captures and no counts', async () => {
    const { id } = await withProject();
    await remove(id);
    const counted = { requests: [{ day: '2026-01-01', kind: 'classify', count: 1 }], shadows: [] };
    await callTenant(testEnv, id, (stub) => stub.usage.add(counted));
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      expect(storage.sql.exec("SELECT * FROM usage WHERE day = '2026-01-01'").toArray()).toEqual([]);
    });
  });
});

describe('what is told too late', () => {
  it('of a version that is gone leaves no row', async () => {
    const { id, key } = await withProject();
    await isolate.call('/v1/heads/pets/settings', {
      key,
      method: 'PUT',
      json: { guard_margin: 0.02, capture: true },
    });
    const shadows = [1, 7].map((version) => ({ head: 'pets', version, requests: 1, disagreements: 0 }));
    await callTenant(testEnv, id, (stub) => stub.usage.add({ requests: [], shadows }));
    for (const version of [1, 7])
      await callTenant(testEnv, id, (stub) => stub.examples.capture('pets', capture(version)));
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      for (const table of ['captures', 'shadow_counts'])
        expect(storage.sql.exec(`SELECT version FROM ${table}`).toArray(), table).toEqual([{ version: 1 }]);
    });
  });

  it('of a Custom Vision project that is gone leaves no prediction', async () => {
    const { id, key, project, path } = await withProject();
    const late = vi.fn(async () => {
      const records = new Records(testEnv, id);
      await records.delete(`projects/${project}`);
      await records.deleteAll(`${project}/`);
    });
    const HEADS = new Proxy(testEnv.HEADS, {
      get(bucket, name): unknown {
        const value: unknown = Reflect.get(bucket, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          if (name === 'put') await late();
          return Reflect.apply(value, bucket, args) as unknown;
        };
      },
    });
    const env: Env = { ...testEnv, HEADS };
    expect((await predict(new Isolate(env), key, path)).status).toBe(404);
    expect(late).toHaveBeenCalledOnce();
    expect((await testEnv.HEADS.list({ prefix: `customvision/${id}/` })).objects).toEqual([]);
  });
});
