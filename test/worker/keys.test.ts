/** What a guessed key costs, and what a key without a check value may: nothing and little. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { newApiKey, newKeyId, newTenantId, sha256Hex, tenantOf } from '../../worker/access/api-key.ts';
import type { Env } from '../../worker/env.ts';
import { checkKey, withCheck } from '../../worker/access/key-check.ts';
import { KEY_STALE_MS, MAX_KEY_MISSES_PER_WINDOW, RATE_WINDOW_MS } from '../../worker/limits.ts';
import { networkOf } from '../../worker/access/rate-limits.ts';
import { keyEntryName, tenantEntryName } from '../../worker/stores/layout.ts';
import { callTenant } from '../../worker/tenant/call.ts';
import { counted, Isolate, problemOf, stubOf, testEnv } from './support.ts';

const SECRET = 'the newest secret of check values';
const OLD_SECRET = 'the secret of check values before';
const unauthorized = { status: 401, code: 'unauthorized' };

const { KEY_MISSES: _, ...withoutBinding } = testEnv;
/** Without the binding, whose counts outlive a test. */
const under = (secret?: string): Env => ({
  ...withoutBinding,
  ...(secret === undefined ? {} : { HEADWATER_KEY_SECRET: secret }),
});
const heads = (isolate: Isolate, key: string, address = '192.0.2.1') =>
  isolate.call('/v1/heads', { key, headers: { 'cf-connecting-ip': address } });
const guess = (key: string) => `${key.slice(0, 20)}${'b'.repeat(43)}${key.slice(63)}`;

describe('a key with a check value', () => {
  it('is made where the deployment has a secret, and works', async () => {
    const isolate = new Isolate(under(SECRET));
    const { id, key } = await isolate.newTenant();
    expect(key).toMatch(/^hw_[a-z2-7]{16}_[A-Za-z0-9_-]{43}_[A-Za-z0-9_-]{16}$/);
    expect(tenantOf(key)).toBe(id);
    const made = await isolate.newKey(key, ['read', 'admin']);
    expect(made.key).toHaveLength(80);
    const path = `/v1/keys/${made.id}/rotate`;
    const rotated = await (await isolate.call(path, { key, method: 'POST' })).json<{ key: string }>();
    for (const each of [key, rotated.key])
      expect((await heads(new Isolate(under(SECRET)), each)).status).toBe(200);
  });

  it('that is guessed touches no store, however often', async () => {
    const { key } = await new Isolate(under(SECRET)).newTenant();
    const { env, calls } = counted(under(SECRET));
    const isolate = new Isolate(env);
    for (let i = 0; i < 3 * MAX_KEY_MISSES_PER_WINDOW; i++)
      expect(await problemOf(await heads(isolate, guess(key)))).toEqual(unauthorized);
    const headers = { 'training-key': guess(key) };
    expect((await isolate.call('/customvision/v3.3/training/projects', { headers })).status).toBe(401);
    expect(calls).toEqual([]);
    expect((await heads(isolate, key)).status).toBe(200);
  });

  it('outlives a change of the secret that keeps the old one beside the new', async () => {
    const { key } = await new Isolate(under(OLD_SECRET)).newTenant();
    expect((await heads(new Isolate(under(`${SECRET}, ${OLD_SECRET}`)), key)).status).toBe(200);
    expect(await problemOf(await heads(new Isolate(under(SECRET)), key))).toEqual(unauthorized);
    // A deployment that lost its secret locks nobody out.
    expect((await heads(new Isolate(under()), key)).status).toBe(200);
  });

  it('has the MAC of its own text, under the first secret', async () => {
    const env = { HEADWATER_KEY_SECRET: `${SECRET},${OLD_SECRET}` };
    const base = newApiKey(newTenantId());
    const key = await withCheck(env, base);
    expect(await checkKey({ HEADWATER_KEY_SECRET: SECRET }, key)).toBe('genuine');
    expect(await checkKey({ HEADWATER_KEY_SECRET: OLD_SECRET }, key)).toBe('forged');
    expect(await checkKey({ HEADWATER_KEY_SECRET: ' , ' }, key)).toBe('unchecked');
    expect(await checkKey(env, base)).toBe('unchecked');
    expect(await withCheck({}, base)).toBe(base);
  });
});

/** One of the older form beside the newer ones. */
async function olderKey(): Promise<{ id: string; key: string }> {
  const { id } = await new Isolate(under(SECRET)).newTenant();
  const key = newApiKey(id);
  const row = { id: newKeyId(), hash: await sha256Hex(key), name: 'older', scopes: ['read'] as const };
  await callTenant(testEnv, id, (stub) => stub.keys.create(row));
  return { id, key };
}

describe('a key without a check value', () => {
  it('works, also where KV has lost it', async () => {
    const { key } = await olderKey();
    expect((await heads(new Isolate(under(SECRET)), key)).status).toBe(200);
    await testEnv.POINTERS.delete(keyEntryName(await sha256Hex(key)));
    expect((await heads(new Isolate(under(SECRET)), key)).status).toBe(200);
  });

  it('is not looked up in the object any more when an address guessed too many', async () => {
    const { id, key } = await olderKey();
    const { env, calls } = counted(under(SECRET));
    const isolate = new Isolate(env);
    expect((await heads(isolate, key)).status).toBe(200);
    for (let i = 0; i < MAX_KEY_MISSES_PER_WINDOW; i++)
      expect(await problemOf(await heads(isolate, newApiKey(id)))).toEqual(unauthorized);
    calls.length = 0;
    const refused = await heads(isolate, newApiKey(id));
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problemOf(refused)).toEqual({ status: 429, code: 'rate_limited' });
    expect(calls.filter((call) => !call.startsWith('KV'))).toEqual([]);
    // Other addresses, keys that KV knows and keys that are cached are let in, from the same address too.
    expect(await problemOf(await heads(isolate, newApiKey(id), '192.0.2.2'))).toEqual(unauthorized);
    const other = await olderKey();
    expect((await heads(isolate, other.key)).status).toBe(200);
    await testEnv.POINTERS.delete(keyEntryName(await sha256Hex(key)));
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now + KEY_STALE_MS);
    expect((await heads(isolate, key)).status).toBe(200);
    clock.mockImplementation(() => now + RATE_WINDOW_MS);
    expect(await problemOf(await heads(isolate, newApiKey(id)))).toEqual(unauthorized);
    clock.mockRestore();
  });

  it('is counted by the binding where there is one', async () => {
    const { id } = await olderKey();
    const keys: string[] = [];
    const limit = ({ key }: { key?: string }) => {
      keys.push(key ?? '');
      return Promise.resolve({ success: keys.length <= 1 });
    };
    const isolate = new Isolate({ ...under(SECRET), KEY_MISSES: { limit } });
    expect(await problemOf(await heads(isolate, newApiKey(id), '2001:db8::5:1'))).toEqual(unauthorized);
    const refused = await heads(isolate, newApiKey(id), '2001:db8::6:1');
    expect(await problemOf(refused)).toEqual({ status: 429, code: 'rate_limited' });
    expect(keys).toEqual(['2001:db8:0:0', '2001:db8:0:0']);
  });

  it('of a tenant that never was reaches no Durable Object', async () => {
    const { env, calls } = counted(under(SECRET));
    expect(await problemOf(await heads(new Isolate(env), newApiKey(newTenantId())))).toEqual(unauthorized);
    expect(calls).toEqual(['KV.get', 'KV.get', 'R2.list']);
  });
});

it('a tenant has an entry in KV as long as it lasts, older ones from their next change on', async () => {
  const isolate = new Isolate(under(SECRET));
  const { id, key } = await isolate.newTenant();
  expect(await testEnv.POINTERS.get(tenantEntryName(id))).toBe('{}');
  await testEnv.POINTERS.delete(tenantEntryName(id));
  await runInDurableObject(stubOf(id), (_, { storage }) => {
    storage.sql.exec("INSERT INTO outbox VALUES ('tenant', ?, 1)", id);
  });
  await isolate.newKey(key, ['read']);
  expect(await testEnv.POINTERS.get(tenantEntryName(id))).toBe('{}');
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['unknown', 'unknown'],
])('the network of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));
