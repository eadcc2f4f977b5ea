/** Who a key is and which versions a head has: which store is read, which is not, and how long an answer counts. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { newApiKey, newTenantId, sha256Hex, tenantOf } from '../../worker/access/api-key.ts';
import type { Env } from '../../worker/env.ts';
import {
  POINTER_STALE_MS,
  REFUSED_KEY_ENTRIES,
  REFUSED_KEY_MS,
  REVOKED_KEY_MS,
} from '../../worker/limits.ts';
import { KeyStore } from '../../worker/stores/keys.ts';
import { keyEntryName, Pointer, pointerName, tenantEntryName } from '../../worker/stores/layout.ts';
import { PointerStore } from '../../worker/stores/pointers.ts';
import type { FoundKey } from '../../worker/tenant/keys.ts';

const NOW = 4_000_000_000_000;
const HEAD = 'pets';
const unauthorized: unknown = expect.objectContaining({
  code: 'unauthorized',
  headers: { 'www-authenticate': 'Bearer' },
});
const revoked: unknown = expect.objectContaining({ code: 'key_revoked' });
const notFound: unknown = expect.objectContaining({ code: 'head_not_found' });

afterEach(() => vi.restoreAllMocks());
const clock = (ms: number) => vi.spyOn(Date, 'now').mockReturnValue(NOW + ms);

/** Stores that answer as they are told, and record their calls. */
class Stores {
  readonly calls: string[] = [];
  readonly kv = new Map<string, unknown>();
  kvFails = false;
  key: FoundKey = { status: 'unknown' };
  pointer: Pointer | null = null;
  objects: 'none' | 'some' | 'fails' = 'none';

  get env(): Env {
    const stub = {
      keys: { find: async () => this.#answer('key', this.key) },
      heads: { pointer: async () => this.#answer('pointer', this.pointer) },
    };
    const list = async () => {
      if (this.objects === 'fails') throw new Error('down');
      return this.#answer('R2', { objects: this.objects === 'some' ? [{}] : [] });
    };
    const get = async (name: string) => {
      if (this.kvFails) throw new Error('down');
      return this.#answer('KV', this.kv.get(name) ?? null);
    };
    const env: unknown = {
      POINTERS: { get },
      HEADS: { list },
      TENANTS: { idFromName: String, get: () => stub },
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of it as is used
    return env as Env;
  }

  #answer<T>(what: string, answer: T): T {
    this.calls.push(what);
    return answer;
  }

  /** Calls since the last time. */
  take(): string[] {
    return this.calls.splice(0);
  }
}

/** Of a tenant that exists. */
async function setUp(found: FoundKey = { status: 'active', id: 'id', scopes: ['read'] }) {
  const stores = new Stores();
  const tenant = newTenantId();
  const key = newApiKey(tenant);
  stores.key = found;
  stores.kv.set(tenantEntryName(tenant), {});
  const keys = new KeyStore();
  const find = (which = key, address = 'here') => keys.find(stores.env, which, address);
  return { stores, tenant, key, hash: await sha256Hex(key), keys, find };
}

describe('a key', () => {
  it('is known from KV, then from memory', async () => {
    const { stores, tenant, hash, find } = await setUp({ status: 'unknown' });
    const entry = { tenant, id: 'id', scopes: ['write'] };
    stores.kv.set(keyEntryName(hash), entry);
    expect([await find(), await find()]).toEqual([entry, entry]);
    expect(stores.take()).toEqual(['KV']);
  });

  it('that KV has not is known from the object, where the tenant may exist', async () => {
    const { stores, tenant, key, find } = await setUp();
    const entry = { tenant, id: 'id', scopes: ['read'] };
    expect([await find(), await find()]).toEqual([entry, entry]);
    expect(stores.take()).toEqual(['KV', 'KV', 'key']);
    stores.kv.clear();
    stores.objects = 'some';
    const fresh = () => new KeyStore().find(stores.env, key, 'here');
    expect(await fresh()).toEqual(entry);
    expect(stores.take()).toEqual(['KV', 'KV', 'R2', 'key']);
    stores.objects = 'fails';
    expect(await fresh()).toEqual(entry);
    stores.objects = 'none';
    stores.take();
    await expect(fresh()).rejects.toThrow(unauthorized);
    expect(stores.take()).toEqual(['KV', 'KV', 'R2']);
    stores.kvFails = true;
    expect(await fresh()).toEqual(entry);
    expect(stores.take()).toEqual(['key']);
  });

  it.each([
    ['no tenant has', 'absent', unauthorized, REFUSED_KEY_MS],
    ['its tenant has not', 'unknown', unauthorized, REFUSED_KEY_MS],
    ['was revoked', 'revoked', revoked, REVOKED_KEY_MS],
  ] as const)('that %s is refused from memory for a while', async (_, status, refusal, ms) => {
    const { stores, find } = await setUp({ status: status === 'absent' ? 'unknown' : status });
    if (status === 'absent') stores.kv.clear();
    clock(0);
    await expect(find()).rejects.toThrow(refusal);
    expect(stores.take()).not.toEqual([]);
    clock(ms - 1);
    await expect(find()).rejects.toThrow(refusal);
    expect(stores.take()).toEqual([]);
    clock(ms);
    await expect(find()).rejects.toThrow(refusal);
    expect(stores.take()).not.toEqual([]);
  });

  it('that is refused is one of so many: the oldest is looked up again', async () => {
    const { stores, tenant, key, find } = await setUp({ status: 'unknown' });
    const others = Array.from({ length: REFUSED_KEY_ENTRIES - 1 }, () => newApiKey(tenant));
    for (const [i, each] of [key, ...others].entries())
      await expect(find(each, `address ${i}`)).rejects.toThrow(unauthorized);
    stores.take();
    await expect(find()).rejects.toThrow(unauthorized);
    expect(stores.take()).toEqual([]);
    await expect(find(newApiKey(tenant), 'elsewhere')).rejects.toThrow(unauthorized);
    stores.take();
    await expect(find(key, 'elsewhere')).rejects.toThrow(unauthorized);
    expect(stores.take()).not.toEqual([]);
  });

  it('without a tenant in it is refused without a look-up', async () => {
    const { stores, find } = await setUp();
    expect(tenantOf('hw_x')).toBeUndefined();
    await expect(find('hw_x')).rejects.toThrow(unauthorized);
    expect(stores.take()).toEqual([]);
  });

  it('that was revoked here stops at once, and all of a deleted tenant, and no others', async () => {
    const { stores, hash, keys, find, tenant } = await setUp();
    const [second, other] = [newApiKey(tenant), newApiKey(newTenantId())];
    stores.objects = 'some';
    for (const each of [undefined, second, other]) await find(each);
    keys.revoked(hash);
    stores.take();
    await expect(find()).rejects.toThrow(revoked);
    await find(second);
    keys.deleted(tenant);
    await expect(find(second)).rejects.toThrow(revoked);
    await find(other);
    expect(stores.take()).toEqual([]);
  });

  it('is confirmed by the object alone', async () => {
    const { stores, tenant, keys } = await setUp();
    const confirm = () => keys.confirm(stores.env, { tenant, keyId: 'id' });
    await confirm();
    expect(stores.take()).toEqual(['key']);
    stores.key = { status: 'revoked' };
    await expect(confirm()).rejects.toThrow(revoked);
    stores.key = { status: 'unknown' };
    await expect(confirm()).rejects.toThrow(unauthorized);
  });
});

const pointer = (revision: number, versions: Record<string, string> = { 1: 'a' }): Pointer =>
  Pointer.parse({ revision, current: 1, versions, names: { live: 1 } });

/** @param kv what KV has. @param truth what the object has. */
function lookUp(kv: Pointer | null, truth: Pointer | null) {
  const stores = new Stores();
  stores.pointer = truth;
  if (kv !== null) stores.kv.set(pointerName('t', HEAD), kv);
  const pointers = new PointerStore();
  const resolve = (version?: number | string) => pointers.resolve(stores.env, 't', HEAD, version);
  return { stores, pointers, resolve };
}

describe('a pointer', () => {
  it('comes from KV, then from memory', async () => {
    const { stores, resolve } = lookUp(pointer(1), null);
    for (const version of [undefined, 1, 'live']) expect((await resolve(version)).version).toBe(1);
    expect(stores.take()).toEqual(['KV']);
  });

  it('that KV has not, or can not give, comes from the object', async () => {
    const { stores, resolve } = lookUp(null, pointer(1));
    expect((await resolve()).version).toBe(1);
    expect(stores.take()).toEqual(['KV', 'pointer']);
    const failing = lookUp(pointer(2), pointer(1));
    failing.stores.kvFails = true;
    expect((await failing.resolve()).version).toBe(1);
    expect(failing.stores.take()).toEqual(['pointer']);
    const never = lookUp(null, null);
    for (let i = 0; i < 2; i++) await expect(never.resolve()).rejects.toThrow(notFound);
    expect(never.stores.take()).toEqual(['KV', 'pointer', 'KV', 'pointer']);
  });

  it.each([2, 'new'])(
    'that lacks a version which is named is looked up farther and farther: %s',
    async (version) => {
      const newer = Pointer.parse({
        revision: 2,
        current: 2,
        versions: { 1: 'a', 2: 'b' },
        names: { new: 2 },
      });
      const { stores, resolve } = lookUp(pointer(1), newer);
      await resolve();
      stores.take();
      expect((await resolve(version)).version).toBe(2);
      expect(stores.take()).toEqual(['KV', 'pointer']);
      expect((await resolve(version)).version).toBe(2);
      expect((await resolve()).version).toBe(2);
      expect(stores.take()).toEqual([]);
      const kvKnows = lookUp(pointer(1), pointer(1));
      await kvKnows.resolve();
      kvKnows.stores.kv.set(pointerName('t', HEAD), newer);
      kvKnows.stores.take();
      expect((await kvKnows.resolve(version)).version).toBe(2);
      expect(kvKnows.stores.take()).toEqual(['KV']);
      await expect(kvKnows.resolve(7)).rejects.toMatchObject({ code: 'version_not_found' });
    },
  );

  it('that is older in KV than what is known here is read from the object', async () => {
    const { stores, pointers, resolve } = lookUp(pointer(4), pointer(5, { 1: 'c' }));
    clock(0);
    pointers.remember('t', HEAD, pointer(5, { 1: 'b' }));
    clock(POINTER_STALE_MS);
    expect((await resolve()).objectName).toContain('1-c');
    expect(stores.take()).toEqual(['KV', 'pointer']);
    stores.kv.set(pointerName('t', HEAD), pointer(5, { 1: 'd' }));
    clock(2 * POINTER_STALE_MS);
    expect((await resolve()).objectName).toContain('1-d');
    expect(stores.take()).toEqual(['KV']);
  });

  it('is remembered from writes, the newest of them', async () => {
    const { stores, pointers, resolve } = lookUp(null, null);
    const pointed = async (revision: number, sha256: string): Promise<string> => {
      pointers.remember('t', HEAD, pointer(revision, { 1: sha256 }));
      return (await resolve()).objectName;
    };
    expect(await pointed(3, 'a')).toContain('1-a');
    expect(await pointed(2, 'b')).toContain('1-a');
    expect(await pointed(3, 'c')).toContain('1-c');
    expect(await pointed(4, 'd')).toContain('1-d');
    expect(stores.take()).toEqual([]);
  });
});
