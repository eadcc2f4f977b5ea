/** What the stores promise: truth in the Durable Object, crashes between the steps, isolates that follow. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Classification } from '../../src/api/index.ts';
import { sha256Hex } from '../../worker/access/api-key.ts';
import { MAX_VERSIONS_PER_HEAD, POINTER_STALE_MS, RESERVATION_MS } from '../../worker/limits.ts';
import { keyEntryName, pointerName } from '../../worker/stores/layout.ts';
import { callTenant } from '../../worker/tenant/call.ts';
import { counted, Isolate, makeHeadFile, problemOf, stubOf, testEnv } from './support.ts';

let first: Uint8Array;
let second: Uint8Array;

beforeAll(async () => {
  first = await makeHeadFile(['cat', 'dog'], 1);
  second = await makeHeadFile(['cat', 'dog'], 2);
});

const versionOf = async (response: Response) => (await response.json<Classification>()).version;
const objectsOf = async (tenant: string) =>
  (await testEnv.HEADS.list({ prefix: `heads/${tenant}/` })).objects;

describe('the hot path', () => {
  it('reads no store when its caches are warm', async () => {
    const { env, calls } = counted();
    const isolate = new Isolate(env);
    const { key } = await isolate.newTenant();
    await isolate.put(key, 'pets', first);
    await isolate.classify(key, 'pets');
    expect(calls.length).toBeGreaterThan(0);
    calls.length = 0;
    for (let i = 0; i < 5; i++) expect((await isolate.classify(key, 'pets')).status).toBe(200);
    expect((await isolate.classify(key, 'pets', '?version=1')).status).toBe(200);
    expect(calls).toEqual([]);
  });

  it('loads a head once for requests that come together', async () => {
    const setUp = new Isolate();
    const { key } = await setUp.newTenant();
    await setUp.put(key, 'pets', first);
    const { env, calls } = counted();
    const isolate = new Isolate(env);
    const responses = await Promise.all(Array.from({ length: 16 }, () => isolate.classify(key, 'pets')));
    expect(responses.map(({ status }) => status)).toEqual(Array(16).fill(200));
    expect(calls.filter((call) => call === 'R2.get')).toHaveLength(1);
  });
});

describe('two isolates on the same stores', () => {
  it('agree on a version that is named, at once', async () => {
    const [writer, reader] = [new Isolate(), new Isolate()];
    const { key } = await writer.newTenant();
    await writer.put(key, 'pets', first);
    expect(await versionOf(await reader.classify(key, 'pets'))).toBe(1);
    await writer.put(key, 'pets', second);
    expect(await versionOf(await writer.classify(key, 'pets'))).toBe(2);
    expect(await versionOf(await reader.classify(key, 'pets', '?version=2'))).toBe(2);
    expect(await versionOf(await reader.classify(key, 'pets', '?version=1'))).toBe(1);
  });

  it('agree on the current version within a minute', async () => {
    const [writer, reader] = [new Isolate(), new Isolate()];
    const { key } = await writer.newTenant();
    await writer.put(key, 'pets', first);
    expect(await versionOf(await reader.classify(key, 'pets'))).toBe(1);
    await writer.put(key, 'pets', second);
    expect(await versionOf(await reader.classify(key, 'pets'))).toBe(1);
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now + POINTER_STALE_MS);
    expect(await versionOf(await reader.classify(key, 'pets'))).toBe(2);
    clock.mockRestore();
  });

  it('find a new head and a new key without KV', async () => {
    const [writer, reader] = [new Isolate(), new Isolate()];
    const { id, key } = await writer.newTenant();
    expect(await problemOf(await reader.classify(key, 'pets'))).toMatchObject({ code: 'head_not_found' });
    await writer.put(key, 'pets', first);
    await testEnv.POINTERS.delete(pointerName(id, 'pets'));
    await testEnv.POINTERS.delete(keyEntryName(await sha256Hex(key)));
    expect(await versionOf(await reader.classify(key, 'pets'))).toBe(1);
    expect(await versionOf(await new Isolate().classify(key, 'pets'))).toBe(1);
  });

  it('do not fall back to what KV still says of a head deleted here', async () => {
    const isolate = new Isolate();
    const { id, key } = await isolate.newTenant();
    await isolate.put(key, 'pets', first);
    expect(await versionOf(await isolate.classify(key, 'pets'))).toBe(1);
    const old = await testEnv.POINTERS.get(pointerName(id, 'pets'));
    await isolate.call('/v1/heads/pets', { key, method: 'DELETE' });
    await testEnv.POINTERS.put(pointerName(id, 'pets'), old!);
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now + POINTER_STALE_MS);
    expect(await problemOf(await isolate.classify(key, 'pets'))).toEqual({
      status: 404,
      code: 'head_not_found',
    });
    // Another isolate believes KV, finds the object gone, and asks the Durable Object.
    expect(await problemOf(await new Isolate().classify(key, 'pets'))).toEqual({
      status: 404,
      code: 'head_not_found',
    });
    clock.mockRestore();
  });
});

describe('a crash', () => {
  it('after the reservation or after the object leaves nothing to see, and is cleaned up', async () => {
    const isolate = new Isolate();
    const { id, key } = await isolate.newTenant();
    await isolate.put(key, 'pets', first);
    const reserved = await callTenant(testEnv, id, (tenant) =>
      upload(second).then((it) => tenant.heads.reserve('pets', it)),
    );
    if (reserved.state !== 'reserved') throw new Error('not reserved');
    await testEnv.HEADS.put(reserved.objectName, second);
    await evictDurableObject(stubOf(id));

    expect(await versionOf(await new Isolate().classify(key, 'pets'))).toBe(1);
    expect((await isolate.classify(key, 'pets', `?version=${reserved.version}`)).status).toBe(404);
    expect(await objectsOf(id)).toHaveLength(2);
    // Too early: the upload may still be under way.
    await runDurableObjectAlarm(stubOf(id));
    expect(await objectsOf(id)).toHaveLength(2);

    await later(id, RESERVATION_MS);
    await runDurableObjectAlarm(stubOf(id));
    expect(await objectsOf(id)).toHaveLength(1);
    const late = callTenant(testEnv, id, (tenant) => tenant.heads.commit('pets', reserved.version));
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    // The upload is repeated and gets a number of its own.
    expect(await (await isolate.put(key, 'pets', second)).json()).toMatchObject({
      version: 3,
      created: true,
    });
  });

  it('after the commit, before KV, is made good by the alarm', async () => {
    const isolate = new Isolate();
    const { id, key } = await isolate.newTenant();
    await isolate.put(key, 'pets', first);
    // What a crash right after the transaction leaves: the row in the outbox, KV as it was.
    await testEnv.POINTERS.delete(pointerName(id, 'pets'));
    await runInDurableObject(stubOf(id), async (_, state) => {
      state.storage.sql.exec("INSERT INTO outbox VALUES ('head', 'pets', 1)");
      await state.storage.setAlarm(Date.now() + 60_000);
    });
    await evictDurableObject(stubOf(id));
    expect(await versionOf(await new Isolate().classify(key, 'pets'))).toBe(1);
    await runDurableObjectAlarm(stubOf(id));
    expect(await testEnv.POINTERS.get(pointerName(id, 'pets'), 'json')).toMatchObject({ current: 1 });
    expect(await rows(id, 'outbox')).toBe(0);
  });

  it('of the Durable Object loses nothing', async () => {
    const isolate = new Isolate();
    const { id, key } = await isolate.newTenant();
    await isolate.put(key, 'pets', first);
    await isolate.put(key, 'pets', second);
    const before = await (await isolate.call('/v1/heads/pets', { key })).json();
    await evictDurableObject(stubOf(id));
    const fresh = new Isolate();
    expect(await (await fresh.call('/v1/heads/pets', { key })).json()).toEqual(before);
    expect(await (await fresh.put(key, 'pets', first)).json()).toMatchObject({ version: 1, created: false });
  });

  it('leaves a commit that can be repeated', async () => {
    const isolate = new Isolate();
    const { id, key } = await isolate.newTenant();
    await isolate.put(key, 'pets', first);
    const again = await callTenant(testEnv, id, (tenant) => tenant.heads.commit('pets', 1));
    expect(again).toMatchObject({ version: 1, pointer: { current: 1, revision: 1 } });
  });
});

describe('uploads that meet', () => {
  it('of the same file become one version, of different ones two', async () => {
    const isolate = new Isolate();
    const { id, key } = await isolate.newTenant();
    const responses = await Promise.all(
      [first, first, first, second].map((file) => isolate.put(key, 'pets', file)),
    );
    const answers = await Promise.all(
      responses.map((response) => response.json<{ version: number; sha256: string }>()),
    );
    expect(new Set(answers.map(({ version, sha256 }) => `${version} ${sha256}`)).size).toBe(2);
    const { versions } = await (
      await isolate.call('/v1/heads/pets', { key })
    ).json<{ versions: unknown[] }>();
    expect(versions).toHaveLength(2);
    await later(id, RESERVATION_MS);
    await runDurableObjectAlarm(stubOf(id));
    expect(await objectsOf(id)).toHaveLength(2);
  });

  it('end in the order of their reservation, and never bring an older one back', async () => {
    const { id } = await new Isolate().newTenant();
    const reserve = (sha256: string) =>
      callTenant(testEnv, id, (tenant) =>
        tenant.heads.reserve('pets', { sha256, bytes: 1, description: '{}' }),
      );
    await reserve('aa');
    await reserve('bb');
    const commit = (version: number) =>
      callTenant(testEnv, id, (tenant) => tenant.heads.commit('pets', version));
    expect((await commit(2)).pointer.current).toBe(2);
    expect((await commit(1)).pointer).toMatchObject({
      revision: 2,
      current: 2,
      versions: { 1: 'aa', 2: 'bb' },
    });
  });

  it('lose to a deletion', async () => {
    const isolate = new Isolate();
    const { id, key } = await isolate.newTenant();
    await isolate.put(key, 'pets', first);
    const small = { sha256: 'aa', bytes: 1, description: '{}' };
    await callTenant(testEnv, id, (tenant) => tenant.heads.reserve('pets', small));
    await isolate.call('/v1/heads/pets', { key, method: 'DELETE' });
    const late = callTenant(testEnv, id, (tenant) => tenant.heads.commit('pets', 2));
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
  });

  it('keep the newest versions, and the current one whatever its age', async () => {
    const { id } = await new Isolate().newTenant();
    const add = (n: number) =>
      callTenant(testEnv, id, async (tenant) => {
        const reserved = await tenant.heads.reserve('pets', { sha256: `${n}`, bytes: 1, description: '{}' });
        if (!('version' in reserved)) throw new Error('refused');
        return tenant.heads.commit('pets', reserved.version);
      });
    for (let n = 1; n <= MAX_VERSIONS_PER_HEAD + 3; n++) await add(n);
    const pointer = await callTenant(testEnv, id, (tenant) => tenant.heads.pointer('pets'));
    const versions = Object.keys(pointer!.versions).map(Number);
    expect(versions).toHaveLength(MAX_VERSIONS_PER_HEAD);
    expect(Math.min(...versions)).toBe(4);
    expect(pointer!.current).toBe(MAX_VERSIONS_PER_HEAD + 3);
  });
});

describe('a tenant that does not exist', () => {
  it('leaves no database behind when it is looked up', async () => {
    const tenant = 'nosuchtenantatal';
    const key = `hw_${tenant}_${'x'.repeat(43)}`.replaceAll('1', 'a');
    expect(await problemOf(await new Isolate().call('/v1/heads', { key }))).toEqual({
      status: 401,
      code: 'unauthorized',
    });
    const tables = await runInDurableObject(stubOf(tenant), (_, state) =>
      state.storage.sql
        .exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
        .toArray(),
    );
    expect(tables).toEqual([]);
  });
});

/** Lets the tenant's reservations be older than they are. */
async function later(tenant: string, ms: number): Promise<void> {
  await runInDurableObject(stubOf(tenant), async (_, state) => {
    state.storage.sql.exec('UPDATE garbage SET due_at = due_at - ?', ms);
    state.storage.sql.exec('UPDATE versions SET created_at = created_at - ?', ms);
    await state.storage.setAlarm(Date.now() + 60_000);
  });
}

async function rows(tenant: string, table: 'outbox' | 'garbage'): Promise<number> {
  return runInDurableObject(
    stubOf(tenant),
    (_, state) => state.storage.sql.exec(`SELECT * FROM ${table}`).toArray().length,
  );
}

const upload = async (bytes: Uint8Array) => ({
  sha256: await sha256Hex(bytes),
  bytes: bytes.byteLength,
  description: '{}',
});
