/** The parts of the stores, each at its bounds: caches, shared loads, deletion by pages, pointers, files that are read. */
import { describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '../../worker/access/api-key.ts';
import type { Env } from '../../worker/env.ts';
import { R2_DELETE_BATCH, SHARED_LOAD_TIMEOUT_MS } from '../../worker/limits.ts';
import { ByteLru } from '../../worker/stores/byte-lru.ts';
import { deleteBelow } from '../../worker/stores/delete-below.ts';
import { recordFolder } from '../../worker/protocols/custom-vision/records.ts';
import {
  headFileHash,
  headFolder,
  headObjectName,
  imageFolder,
  Pointer,
} from '../../worker/stores/layout.ts';
import { fileOf } from '../../worker/stores/pointers.ts';
import { fromR2, readKv } from '../../worker/stores/reads.ts';
import { openHeadFile, readHeadFile } from '../../worker/stores/head-files.ts';
import { Leases } from '../../worker/isolate/leases.ts';
import { RefreshingCache } from '../../worker/stores/refreshing-cache.ts';
import { SharedLoads } from '../../worker/stores/shared-loads.ts';

const down = () => Promise.reject(new Error('down'));
const failed: unknown = expect.objectContaining({ code: 'store_failed' });

const TERMS = { leaseMs: 60_000, waitMs: 10 };
const plenty = new Leases(Infinity, TERMS);

describe('the byte-bounded cache', () => {
  it('gives way to loans, what was used longest ago first, and fills what is not lent', async () => {
    const memory = new Leases(20, TERMS);
    const [heads, tails] = [new ByteLru<string>(12, memory), new ByteLru<string>(12, memory)];
    for (const [key, cache] of [
      ['a', heads],
      ['b', tails],
      ['c', heads],
      ['d', tails],
    ] as const)
      cache.set(key, key, 5);
    heads.get('a');
    const there = () => [heads.get('a'), tails.get('b'), heads.get('c'), tails.get('d')];
    await memory.with(7, async () => {
      // Two of them, the oldest: a was used after b and c.
      expect(there()).toEqual(['a', undefined, undefined, 'd']);
      tails.set('e', 'E', 4);
      expect([heads.get('a'), tails.get('d'), tails.get('e')]).toEqual([undefined, 'd', 'E']);
      tails.set('large', 'L', 14);
      expect(tails.get('large')).toBeUndefined();
    });
    await memory.with(20, async () => expect(heads.bytes + tails.bytes).toBe(0));
    heads.set('a', 'a', 12);
    expect(heads.get('a')).toBe('a');
  });

  it('is full to the last byte, and tells of all that it keeps no longer', () => {
    const dropped: string[] = [];
    const cache = new ByteLru<string>(10, plenty, (value) => dropped.push(value));
    cache.set('a', 'A', 4);
    cache.set('b', 'B', 6);
    expect([cache.bytes, dropped]).toEqual([10, []]);
    cache.set('a', 'A', 9);
    expect([cache.bytes, dropped]).toEqual([10, []]);
    cache.set('c', 'C', 1);
    expect([cache.bytes, dropped]).toEqual([7, ['A']]);
    cache.set('d', 'D', 11);
    expect([cache.bytes, dropped]).toEqual([7, ['A', 'D']]);
    cache.set('b', 'B2', 10);
    expect([cache.bytes, dropped, cache.get('b')]).toEqual([10, ['A', 'D', 'B', 'C'], 'B2']);
    cache.delete('nothing');
    cache.delete('b');
    expect([cache.bytes, dropped.length, cache.get('b')]).toEqual([0, 5, undefined]);
  });

  it('makes as much room as is needed, of what was used longest ago', () => {
    const cache = new ByteLru<string>(9, plenty);
    for (const key of ['a', 'b', 'c']) cache.set(key, key, 3);
    cache.get('a');
    cache.set('d', 'd', 4);
    expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key))).toEqual(['a', undefined, undefined, 'd']);
  });
});

describe('the refreshing cache', () => {
  const options = { freshMs: 100, staleMs: 200, entries: 2 };

  it('counts a value as old as its question, and tells the loader what was known', async () => {
    const cache = new RefreshingCache<string>(options);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(1_000);
    const known: unknown[] = [];
    const loader = async (before: string | undefined) => {
      known.push(before);
      clock.mockReturnValue(1_050);
      return `value ${known.length}`;
    };
    expect(await cache.get('a', loader)).toBe('value 1');
    clock.mockReturnValue(1_099);
    expect(await cache.get('a', loader)).toBe('value 1');
    expect(known).toHaveLength(1);
    clock.mockReturnValue(1_100);
    expect(await cache.get('a', loader)).toBe('value 1');
    await vi.waitFor(() => expect(cache.peek('a')).toBe('value 2'), { timeout: 60_000 });
    clock.mockReturnValue(1_300);
    expect(await cache.get('a', loader)).toBe('value 3');
    expect(known).toEqual([undefined, 'value 1', 'value 2']);
    clock.mockRestore();
  });

  it('keeps the last that were set, lists them and forgets them', () => {
    const cache = new RefreshingCache<number>(options);
    for (const [i, key] of ['a', 'b', 'a', 'c'].entries()) cache.set(key, i);
    expect(cache.known()).toEqual([
      ['a', 2],
      ['c', 3],
    ]);
    cache.delete('a');
    expect([cache.peek('a'), cache.peek('c')]).toEqual([undefined, 3]);
  });

  it('goes on with an older value where a refresh behind it fails', async () => {
    const cache = new RefreshingCache<number>(options);
    cache.set('a', 1, Date.now() - 150);
    expect(await cache.get('a', () => Promise.reject(new Error('down')))).toBe(1);
    cache.set('a', 1, Date.now() - 250);
    await expect(cache.get('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  });
});

describe('loads that are shared', () => {
  it('are made once for all that query meanwhile, and anew afterwards', async () => {
    const loads = new SharedLoads<number>();
    let made = 0;
    const loader = async () => {
      await scheduler.wait(1);
      return ++made;
    };
    const both = [loads.load('a', loader), loads.load('a', loader), loads.load('b', loader)];
    expect(await Promise.all(both)).toEqual([1, 1, 2]);
    expect(await loads.load('a', loader)).toBe(3);
    await expect(loads.load('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await loads.load('a', loader)).toBe(4);
  });

  it('are made by those that waited too long themselves', async () => {
    vi.useFakeTimers();
    const loads = new SharedLoads<string>();
    const stuck = loads.load('a', () => new Promise(() => {}));
    void stuck.catch(() => undefined);
    const mine = loads.load('a', async () => 'mine');
    await vi.advanceTimersByTimeAsync(SHARED_LOAD_TIMEOUT_MS);
    expect(await mine).toBe('mine');
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});

/** A bucket of so many objects of which others than the page are told to be there. */
function bucketOf(count: number) {
  const names = Array.from({ length: count }, (_, i) => `p/${i}`);
  const deletions: number[] = [];
  const bucket = {
    list: async ({ prefix, limit }: { prefix: string; limit: number }) => {
      const found = names.filter((name) => name.startsWith(prefix));
      return { objects: found.slice(0, limit).map((key) => ({ key })), truncated: found.length > limit };
    },
    delete: async (keys: string[]) => {
      deletions.push(keys.length);
      names.splice(0, keys.length);
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of it as is used
  return { bucket: bucket as unknown as R2Bucket, deletions };
}

describe('deleting by the beginning of names', () => {
  it.each([
    [0, 5, [], true],
    [R2_DELETE_BATCH, 1, [R2_DELETE_BATCH], true],
    [R2_DELETE_BATCH + 1, 1, [R2_DELETE_BATCH], false],
    [R2_DELETE_BATCH + 1, 2, [R2_DELETE_BATCH, 1], true],
    [5, 0, [], false],
  ])('goes page by page: %i objects, %i pages', async (count, pages, expected, whole) => {
    const { bucket, deletions } = bucketOf(count);
    expect(await deleteBelow(bucket, 'p/', pages)).toBe(whole);
    expect(deletions).toEqual(expected);
    expect(await deleteBelow(bucket, 'q/', 1)).toBe(true);
  });

  it('is told where a tenant has its objects', () => {
    expect([headFolder('t'), imageFolder('t'), recordFolder('t')]).toEqual([
      'heads/t/',
      'images/t/',
      'customvision/t/',
    ]);
  });
});

const resolve = (its: Pointer, version?: number | string) => fileOf('t', 'pets', its, version);

describe('a pointer', () => {
  const versions = { 1: 'a', 2: 'b', 3: 'c' };
  const pointer = (changed: Partial<Pointer> = {}): Pointer =>
    Pointer.parse({ revision: 1, current: 2, versions, names: { live: 1, '3': 1 }, ...changed });
  const file = (version: 1 | 2 | 3) => ({
    head: 'pets',
    version,
    objectName: headObjectName('t', 'pets', version, versions[version]),
  });

  it('means the current version, or the one that is named', () => {
    expect(resolve(pointer())).toEqual({ ...file(2), capture: false });
    expect(resolve(pointer({ capture: true }))).toEqual({ ...file(2), capture: true });
    expect(resolve(pointer({ capture: true }), 3)).toEqual(file(3));
    expect(resolve(pointer(), 'live')).toEqual(file(1));
    expect(resolve(pointer(), '3')).toEqual(file(1));
    for (const version of [4, '2', 'constructor'])
      expect(() => resolve(pointer(), version)).toThrow(
        expect.objectContaining({ code: 'version_not_found' }),
      );
    const gone = pointer({ current: null, versions: {} });
    for (const version of [undefined, 1, 'live'])
      expect(() => resolve(gone, version)).toThrow(expect.objectContaining({ code: 'head_not_found' }));
    expect(resolve(pointer({ current: null }), 1)).toEqual(file(1));
  });

  it('has a canary and a shadow beside it, where they are there and others', () => {
    const canary = { version: 3, percent: 5 };
    const both = pointer({ canary, shadow: 1 });
    expect(resolve(both)).toEqual({
      ...file(2),
      capture: false,
      shadow: file(1),
      canary: { file: { ...file(3), capture: false, shadow: file(1) }, percent: 5 },
    });
    expect(resolve(both, 2)).toEqual(file(2));
    expect(resolve(pointer({ canary: { version: 9, percent: 5 }, shadow: 9 }))).toEqual({
      ...file(2),
      capture: false,
    });
    expect(resolve(pointer({ shadow: 2 }))).toEqual({ ...file(2), capture: false });
    const { canary: own } = resolve(pointer({ canary, shadow: 3 }));
    expect(own).toEqual({ file: { ...file(3), capture: false }, percent: 5 });
  });
});

/** A bucket that gives these one after the other. */
function filesOf(...given: readonly (Uint8Array | null)[]) {
  let reads = 0;
  const get = async () => {
    const next = given[reads++];
    return next === null ? null : new Response(next);
  };
  const bucket = { get: async (name: string) => (name.startsWith('heads/') ? get() : null) };
  return { bucket, reads: () => reads };
}

/** KV that answers so. */
function kv(get: () => Promise<unknown>): Pick<Env, 'POINTERS'> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of it as is used
  return { POINTERS: { get } as unknown as KVNamespace };
}

const readAs = (get: () => Promise<unknown>) => readKv(kv(get), 'x', Pointer);

describe('reads', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const bad = Uint8Array.of(1, 2, 4);
  const named = async () => ({
    head: 'pets',
    version: 1,
    objectName: headObjectName('t', 'a-head', 1, await sha256Hex(bytes)),
  });
  it('take a head file that hashes to its name, at the second time as well', async () => {
    const file = await named();
    expect(headFileHash(file.objectName)).toBe(await sha256Hex(bytes));
    for (const [given, reads] of [
      [[bytes], 1],
      [[bad, bytes], 2],
    ] as const) {
      const { bucket, reads: count } = filesOf(...given);
      expect(await readHeadFile(bucket, file)).toEqual(bytes);
      expect(count()).toBe(reads);
    }
    expect(await readHeadFile(filesOf(null).bucket, file)).toBeNull();
    const twice = filesOf(bad, bad, bytes);
    await expect(readHeadFile(twice.bucket, file)).rejects.toMatchObject({ code: 'head_damaged' });
    expect(twice.reads()).toBe(2);
  });

  it('say which store failed, and when to come again', async () => {
    await expect(fromR2(down)).rejects.toThrow(failed);
    await expect(fromR2(down)).rejects.toMatchObject({ headers: { 'retry-after': '1' } });
    await expect(readHeadFile({ get: down }, await named())).rejects.toThrow(failed);
    await expect(openHeadFile({ get: down }, await named())).rejects.toThrow(failed);
    expect(await fromR2(async () => 7)).toBe(7);
  });

  it('of KV tell what is absent from what failed', async () => {
    const entry = { revision: 1, current: null, versions: {} };
    expect(await readAs(async () => entry)).toMatchObject(entry);
    for (const other of [null, {}, 'text']) expect(await readAs(async () => other)).toBe('absent');
    expect(await readAs(down)).toBe('failed');
  });
});
