/** What may concern all examples of a tenant goes in bounded steps, and no teach request counts them. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { ExampleList } from '../../src/api/index.ts';
import { SWEPT_AT_ONCE } from '../../worker/limits.ts';
import { callTenant } from '../../worker/tenant/call.ts';
import { openRows } from '../../worker/tenant/rows.ts';
import { backupOf, sendBackup } from './backups.ts';
import { countingRows } from './counting-rows.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { Isolate, JPEG, makeHeadFile, picture, problemOf, stubOf, testEnv } from './support.ts';

const isolate = new Isolate();
const PICTURES = [JPEG, picture('lossy.webp'), picture('palette-alpha.png')];

const keepImages = (key: string, keep: boolean) =>
  isolate.call('/v1/settings', { key, method: 'PUT', json: { keep_images: keep } });

async function teach(key: string, head: string, pictures: readonly Uint8Array[]): Promise<void> {
  const body = new FormData();
  for (const [i, bytes] of pictures.entries()) body.append(i % 2 ? 'dog' : 'cat', new Blob([bytes]), 'p');
  const response = await isolate.call(`/v1/heads/${head}/teach`, { key, body });
  expect(response.status, await response.clone().text()).toBe(200);
}

/** Examples with pictures, as they would be after many teach requests. */
const fill = (tenant: string, count: number): Promise<void> =>
  runInDurableObject(stubOf(tenant), (_, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO examples SELECT printf('e%06d', i), 'h' || (i % 50), 'cat', i, 'picture', x'00', 1, 1,
           printf('i%06d', i), 10 FROM n`,
      count,
    );
  });

const listOf = async (key: string, head: string) =>
  (await (await isolate.call(`/v1/heads/${head}/examples`, { key })).json<ExampleList>()).examples;

const stillKept = (tenant: string): Promise<number> =>
  runInDurableObject(
    stubOf(tenant),
    (_, { storage }) => storage.sql.exec<{ n: number }>('SELECT count(image) AS n FROM examples').one().n,
  );

describe('keep_images switched off', () => {
  it('hides every picture at once, and deletes them in steps of bounded size', async () => {
    const { id, key } = await isolate.newTenant();
    await keepImages(key, true);
    await teach(key, 'pets', PICTURES);
    const count = 2 * SWEPT_AT_ONCE + 100;
    await fill(id, count);
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      const { storage: counted, rows } = countingRows(storage);
      const { pictures, examples } = openRows(counted, testEnv);
      const step = (work: () => unknown): void => {
        rows.n = 0;
        storage.transactionSync(work);
        // Of each row that goes: itself, its places in indexes, its note as garbage, and the count.
        expect(rows.n).toBeLessThan(15 * SWEPT_AT_ONCE);
      };
      const now = Date.now();
      step(() => pictures.configure({ keep_images: false }, now));
      step(() => pictures.configure({ keep_images: true }, now));
      const shown = examples.list('pets', undefined, undefined, 10).examples;
      expect(shown.map((example) => example.has_image)).toEqual([false, false, false]);
      expect(shown.map((example) => pictures.find('pets', example.id))).toEqual([null, null, null]);
      for (let i = 0; i < 2; i++) step(() => pictures.sweep(now));
      const left = 'SELECT count(image) AS n, (SELECT image_bytes FROM tenant) AS bytes FROM examples';
      expect(storage.sql.exec(left).one()).toEqual({ n: 0, bytes: 0 });
      const due = 'SELECT count(*) AS n FROM garbage WHERE due_at <= ?';
      expect(storage.sql.exec(due, now).one()).toEqual({ n: count + 3 });
      // Nothing is left to sweep.
      step(() => pictures.sweep(now));
      expect(storage.sql.exec('SELECT swept_head FROM tenant').one()).toEqual({ swept_head: null });
    });
  });

  it('is finished by the alarm; pictures that come meanwhile stay', async () => {
    const { id, key } = await isolate.newTenant();
    await keepImages(key, true);
    await fill(id, SWEPT_AT_ONCE + 1);
    await teach(key, 'pets', PICTURES);
    const [old] = await listOf(key, 'pets');
    await keepImages(key, false);
    await keepImages(key, true);
    const gone = await isolate.call(`/v1/heads/pets/examples/${old.id}/image`, { key });
    expect(await problemOf(gone)).toEqual({ status: 404, code: 'image_not_found' });
    await teach(key, 'pets', PICTURES);
    while (await runDurableObjectAlarm(stubOf(id)));
    expect(await stillKept(id)).toBe(3);
    for (const { id: example, has_image: kept } of await listOf(key, 'pets')) {
      expect(kept).toBe(true);
      expect((await isolate.call(`/v1/heads/pets/examples/${example}/image`, { key })).status).toBe(200);
    }
  });

  it('keeps no picture that was on its way, also when it is switched on again', async () => {
    const { id, key } = await isolate.newTenant();
    await keepImages(key, true);
    await teach(key, 'pets', PICTURES.slice(0, 2));
    await keepImages(key, false);
    await keepImages(key, true);
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      const { pictures } = openRows(storage, testEnv);
      const now = Date.now();
      const expected = pictures.expect('pets', [1], now);
      const image = 'images' in expected ? (expected.images?.[0] ?? '') : '';
      pictures.configure({ keep_images: false }, now);
      pictures.configure({ keep_images: true }, now);
      const sql = 'SELECT picture FROM examples LIMIT 1';
      const example = storage.sql.exec<{ picture: string }>(sql).one().picture;
      pictures.give('pets', example, { image, bytes: 1 }, now);
      expect(storage.sql.exec('SELECT count(image) AS n FROM examples').one()).toEqual({ n: 0 });
    });
  });
});

const counts = (tenant: string) =>
  runInDurableObject(stubOf(tenant), (_, { storage }) =>
    storage.sql
      .exec(
        `SELECT example_count - (SELECT count(*) FROM examples) AS examples,
           image_bytes - (SELECT coalesce(sum(image_bytes), 0) FROM examples) AS bytes FROM tenant`,
      )
      .one(),
  );

describe('counts of examples and of their pictures', () => {
  it('agree with the rows after a mix of operations', async () => {
    const { id, key } = await isolate.newTenant();
    let state = 7;
    const draw = (n: number): number => (state = (state * 48_271) % 0x7fffffff) % n;
    const one = async (head: string) => (await listOf(key, head).catch(() => []))?.[0]?.id ?? 'none';
    const call = (path: string, method: string, json?: object) =>
      isolate.call(`/v1/heads/${path}`, { key, method, ...(json && { json }) });
    const operations = [
      (head: string) => teach(key, head, PICTURES),
      (head: string) =>
        call(
          `${head}/teach?train=false`,
          'POST',
          teachRequest(codes('cat', 2, draw(90) + 1), codes('dog', 2)),
        ),
      async (head: string) => call(`${head}/examples/${await one(head)}`, 'DELETE'),
      async (head: string) => call(`${head}/examples/${await one(head)}`, 'PATCH', { label: 'dog' }),
      (head: string) => call(`${head}/classes/dog`, 'DELETE'),
      (head: string) => call(head, 'DELETE'),
      () => keepImages(key, draw(2) === 0),
    ];
    await keepImages(key, true);
    for (let i = 0; i < 30; i++) {
      await operations[draw(operations.length)](`h${draw(2)}`).catch(() => undefined);
      expect(await counts(id)).toEqual({ examples: 0, bytes: 0 });
    }
    await call('last/teach', 'POST', teachRequest(codes('cat', 3), codes('dog', 3)));
    const other = await isolate.newTenant();
    const backup = await backupOf(isolate, key);
    for (const file of [backup.split('\n').slice(0, -2).join('\n'), backup]) {
      await sendBackup(isolate, other.key, file);
      expect(await counts(other.id)).toEqual({ examples: 0, bytes: 0 });
    }
  });

  it('come right in an older database, and a teach request reads no more rows for 20,000 examples', async () => {
    const { id } = await isolate.newTenant();
    await fill(id, 20_000);
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      const { sql } = storage;
      withoutSecondCodes(sql);
      for (const trigger of ['example_is_there', 'example_is_gone', 'image_changes'])
        sql.exec(`DROP TRIGGER ${trigger}`);
      sql.exec('DROP TRIGGER shadow_count_goes_with_version');
      for (const column of ['example_count', 'image_bytes', 'image_generation', 'swept_head', 'swept_image'])
        sql.exec(`ALTER TABLE tenant DROP COLUMN ${column}`);
      sql.exec('UPDATE schema_version SET version = version - 4');
      const { storage: counted, rows } = countingRows(storage);
      const { pictures, examples } = openRows(counted, testEnv);
      const columns = 'SELECT example_count AS n, image_bytes AS bytes FROM tenant';
      expect(sql.exec(columns).one()).toEqual({ n: 20_000, bytes: 200_000 });
      const origin = { name: '', version: '', weightsSha256: '', taps: [], codeLength: 1 };
      const example = { label: 'a', picture: 'p', source: 'code' as const, code: new Uint8Array(2) };
      rows.n = 0;
      pictures.expect('pets', [1], Date.now());
      examples.add('pets', origin, [example], Date.now());
      expect(rows.n).toBeLessThan(50);
    });
  });
});

/** A database as it was before heads could be moved. */
function withoutSecondCodes(sql: SqlStorage): void {
  for (const trigger of ['space_goes_with_head', 'space_goes_with_versions', 'second_codes_go_with_example'])
    sql.exec(`DROP TRIGGER ${trigger}`);
  for (const table of ['second_codes', 'code_spaces']) sql.exec(`DROP TABLE ${table}`);
  sql.exec('ALTER TABLE tenant DROP COLUMN second_code_count');
  sql.exec('ALTER TABLE captures DROP COLUMN space');
  sql.exec('DROP TRIGGER schema_version_grows');
}

describe('shadow counts', () => {
  it('go with their version, and none come of one that is gone', async () => {
    const { id, key } = await isolate.newTenant();
    await isolate.put(key, 'pets', await makeHeadFile(['a', 'b'], 1));
    await isolate.put(key, 'pets', await makeHeadFile(['a', 'b'], 2));
    const count = (head: string) => {
      const shadows = [{ head, version: 1, requests: 1, disagreements: 0 }];
      return callTenant(testEnv, id, (stub) => stub.usage.add({ requests: [], shadows }));
    };
    const rows = () =>
      runInDurableObject(stubOf(id), (_, { storage }) =>
        storage.sql.exec('SELECT head, version FROM shadow_counts').toArray(),
      );
    await count('pets');
    expect(await rows()).toHaveLength(1);
    await isolate.call('/v1/heads/pets/versions/1', { key, method: 'DELETE' });
    expect(await rows()).toEqual([]);
    await count('pets');
    await isolate.call('/v1/heads/pets', { key, method: 'DELETE' });
    await count('pets');
    expect(await rows()).toEqual([]);
  });
});
