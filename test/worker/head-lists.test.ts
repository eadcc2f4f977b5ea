/** Lists of heads and versions read no description: pages, columns and counts, in old databases as well. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { HeadDetail, HeadList } from '../../src/api/index.ts';
import { MAX_IDEMPOTENCY_KEYS, OLD_VERSIONS_AT_ONCE } from '../../worker/limits.ts';
import { describe as describeHead, headDetail, headList } from '../../worker/tenant/heads/describe.ts';
import { openRows } from '../../worker/tenant/rows.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { Isolate, makeHead, makeHeadFile, problemOf, stubOf, testEnv } from './support.ts';

const isolate = new Isolate();

interface Reads {
  rows: number;
  bytes: number;
}

/** The same storage, which counts the rows that are read and the bytes of text that come out of it. */
function counting(storage: DurableObjectStorage): { storage: DurableObjectStorage; reads: Reads } {
  const reads = { rows: 0, bytes: 0 };
  const exec = (query: string, ...bindings: unknown[]) => {
    const cursor = storage.sql.exec(query, ...bindings);
    const rows = cursor.toArray();
    reads.rows += cursor.rowsRead;
    for (const value of rows.flatMap((row) => Object.values(row)))
      if (typeof value === 'string') reads.bytes += value.length;
    return {
      toArray: () => rows,
      one: () => rows[0],
      [Symbol.iterator]: () => rows[Symbol.iterator](),
      rowsWritten: cursor.rowsWritten,
    };
  };
  const counted = new Proxy(storage, {
    get(target, name): unknown {
      const value: unknown = name === 'sql' ? { exec } : Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { storage: counted, reads };
}

/** A megabyte of labels, and real metrics. */
async function longDescription(): Promise<string> {
  const stored = z.record(z.string(), z.string()).parse(JSON.parse(describeHead(await makeHead())));
  const labels = ['cat', 'dog', ...Array.from({ length: 8_000 }, (_, i) => `${i}`.padStart(120, 'x'))];
  return JSON.stringify({ ...stored, labels: JSON.stringify(labels) });
}

/** Heads h0001 … with so many versions each, as uploads leave them. */
async function manyHeads(tenant: string, heads: number, versions: number): Promise<void> {
  const description = await longDescription();
  await runInDurableObject(stubOf(tenant), (_, { storage }) => {
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)';
    storage.sql.exec(
      `${numbers} INSERT INTO heads (name, current, last_version, revision, created_at)
         SELECT printf('h%04d', i), ?, ?, 1, i FROM n`,
      heads,
      versions,
      versions,
    );
    storage.sql.exec(
      `INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at)
         SELECT name, i, 0, hex(randomblob(32)), 1, '', 1 FROM heads,
           (${numbers} SELECT i FROM n)`,
      versions,
    );
    storage.sql.exec('INSERT INTO descriptions SELECT head, version, ? FROM versions', description);
    const { summary } = summarise(storage, description);
    storage.sql.exec('UPDATE versions SET summary = ?, committed = 1', summary);
  });
}

function summarise(storage: DurableObjectStorage, description: string): { summary: string } {
  const { heads } = openRows(storage, testEnv);
  storage.sql.exec(
    "INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at) VALUES ('x', 1, 0, '', 1, '', 1)",
  );
  heads.descriptions.store('x', 1, description);
  const row = storage.sql.exec<{ summary: string }>("SELECT summary FROM versions WHERE head = 'x'").one();
  storage.sql.exec("DELETE FROM versions WHERE head = 'x'");
  return row;
}

const names = ({ heads }: HeadList): string[] => heads.map(({ head }) => head);

describe('a list of heads', () => {
  it('comes in pages, by name', async () => {
    const { key } = await isolate.newTenant();
    const file = await makeHeadFile();
    for (const name of ['c', 'a', 'b']) await isolate.put(key, name, file);
    const page = async (query: string) => (await isolate.call(`/v1/heads${query}`, { key })).json<HeadList>();
    const whole = await page('');
    expect(names(whole)).toEqual(['a', 'b', 'c']);
    expect(Object.keys(whole)).toEqual(['heads']);
    const first = await page('?limit=2');
    expect([names(first), first.next]).toEqual([['a', 'b'], 'b']);
    const second = await page(`?limit=2&after=${first.next}`);
    expect([names(second), second.next]).toEqual([['c'], undefined]);
    for (const query of ['?limit=0', '?limit=501', '?after=/', '?page=2'])
      expect((await problemOf(await isolate.call(`/v1/heads${query}`, { key }))).code).toBe(
        'invalid_request',
      );
  });

  it('reads 900 descriptions of a megabyte nowhere', async () => {
    const { id, key } = await isolate.newTenant();
    await manyHeads(id, 900, 1);
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      const { storage: counted, reads } = counting(storage);
      const { heads } = openRows(counted, testEnv);
      Object.assign(reads, { rows: 0, bytes: 0 });
      const listed: string[] = [];
      for (let after: string | undefined = ''; after !== undefined;) {
        const page: HeadList = headList(heads.list(after, 101), 100);
        listed.push(...page.heads.map(({ head }) => head));
        expect(page.heads.every(({ classes, versions }) => classes === 8_002 && versions === 1)).toBe(true);
        after = page.next;
      }
      expect(new Set(listed).size).toBe(900);
      expect(reads.rows).toBeLessThan(4 * 1_000);
      expect(reads.bytes).toBeLessThan(1_000 * 900);
    });
    const page = await (await isolate.call('/v1/heads?limit=500', { key })).json<HeadList>();
    expect(page.heads).toHaveLength(500);
  });
});

describe('a head of 100 versions', () => {
  it('is described by one description, and written to KV without any', async () => {
    const { id } = await isolate.newTenant();
    await manyHeads(id, 1, 100);
    const description = describeHead(await makeHead());
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      storage.sql.exec('UPDATE descriptions SET description = ? WHERE version = 100', description);
      const { storage: counted, reads } = counting(storage);
      const { heads } = openRows(counted, testEnv);
      const during = (work: () => unknown): Reads => {
        Object.assign(reads, { rows: 0, bytes: 0 });
        work();
        return { ...reads };
      };
      const detail = during(() => headDetail(heads, heads.live('h0001')!));
      expect(detail.bytes).toBeLessThan(description.length + 100_000);
      expect(detail.rows).toBeLessThan(300);
      for (const work of [
        () => heads.pointer('h0001'),
        () => heads.newestTrained('h0001'),
        () => heads.absent('h0001'),
        () => heads.unknown('h0001', 7),
        () => heads.activate('h0001', 7),
      ]) {
        const { rows, bytes } = during(work);
        expect(bytes).toBeLessThan(50_000);
        expect(rows).toBeLessThan(500);
      }
    });
  });
});

describe('counts of versions', () => {
  it('follow uploads, deletions and forgetting', async () => {
    const { id, key } = await isolate.newTenant();
    const count = async () =>
      (await (await isolate.call('/v1/heads', { key })).json<HeadList>()).heads[0]?.versions;
    await isolate.put(key, 'pets', await makeHeadFile(['a', 'b'], 1));
    await isolate.put(key, 'pets', await makeHeadFile(['a', 'b'], 2));
    await isolate.put(key, 'pets', await makeHeadFile(['a', 'b'], 2));
    expect(await count()).toBe(2);
    await isolate.call('/v1/heads/pets/versions/1', { key, method: 'DELETE' });
    expect(await count()).toBe(1);
    await isolate.call('/v1/heads/pets', { key, method: 'DELETE' });
    await isolate.call('/v1/heads/pets/teach', { key, json: teachRequest(codes('cat', 3), codes('dog', 3)) });
    expect(await count()).toBe(1);
    await isolate.call('/v1/heads/pets/classes/dog', { key, method: 'DELETE' });
    expect(await count()).toBeUndefined();
    const rows = await runInDurableObject(stubOf(id), (_, { storage }) =>
      storage.sql.exec('SELECT committed_versions AS n FROM heads').one(),
    );
    expect(rows).toEqual({ n: 0 });
  });
});

describe('a database of before there were summaries', () => {
  it('is listed the same, and brought up by alarms, a bounded step each', async () => {
    const { id, key } = await isolate.newTenant();
    for (let i = 0; i < 3; i++) await isolate.put(key, `h${i}`, await makeHeadFile(['a', 'b'], i + 1));
    const look = async (): Promise<[HeadList, HeadDetail]> => [
      await (await isolate.call('/v1/heads', { key })).json(),
      await (await isolate.call('/v1/heads/h1', { key })).json(),
    ];
    const before = await look();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      storage.sql.exec(
        `UPDATE versions SET summary = NULL, description = (SELECT description FROM descriptions AS d
           WHERE d.head = versions.head AND d.version = versions.version)`,
      );
      storage.sql.exec('DELETE FROM descriptions');
      // More of the kind, of a head that is of no interest.
      for (let i = 1; i <= OLD_VERSIONS_AT_ONCE; i++)
        storage.sql.exec(
          "INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at) VALUES ('a', ?, 0, '', 1, '{}', ?)",
          i,
          Date.now(),
        );
      await storage.setAlarm(Date.now() + 60_000);
    });
    expect(await look()).toEqual(before);
    const left = () =>
      runInDurableObject(stubOf(id), (_, { storage }) =>
        storage.sql
          .exec<{ n: number }>(
            "SELECT count(*) AS n FROM versions WHERE summary IS NULL OR description <> ''",
          )
          .one(),
      );
    await runDurableObjectAlarm(stubOf(id));
    expect(await left()).toEqual({ n: 3 });
    // Set again by the alarm itself.
    await runDurableObjectAlarm(stubOf(id));
    expect(await left()).toEqual({ n: 0 });
    expect(await look()).toEqual(before);
  });
});

describe('remembered requests', () => {
  it('are bounded without being counted', async () => {
    const { id } = await isolate.newTenant();
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      const now = Date.now();
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO idempotency SELECT 'key ' || i, '', 'pets', 1, '1 0', NULL, ? FROM n`,
        MAX_IDEMPOTENCY_KEYS,
        now,
      );
      const { storage: counted, reads } = counting(storage);
      const { idempotency } = openRows(counted, testEnv);
      Object.assign(reads, { rows: 0, bytes: 0 });
      idempotency.remember(
        { key: 'one more', digest: '' },
        'pets',
        { revision: 1, added: 1, duplicates: 0 },
        now,
      );
      expect(reads.rows).toBeLessThan(20);
      expect(storage.sql.exec('SELECT count(*) AS n FROM idempotency').one()).toEqual({
        n: MAX_IDEMPOTENCY_KEYS,
      });
      expect(storage.sql.exec("SELECT 1 FROM idempotency WHERE key = 'key 1'").toArray()).toEqual([]);
    });
  });
});
