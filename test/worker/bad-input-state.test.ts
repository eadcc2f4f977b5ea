/** Requests that are right in themselves and wrong as things stand: caps that are reached, names that are taken. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import {
  MAX_CLASSES_PER_TAUGHT_HEAD,
  MAX_EXAMPLES_PER_TENANT,
  MAX_HEADS_PER_TENANT,
  MAX_KEPT_PICTURE_BYTES,
  MAX_KEYS_PER_TENANT,
  MAX_VERSION_NAMES,
} from '../../worker/limits.ts';
import { takeStock, stockedTenant } from './operations.ts';
import { codes, batch } from './batches.ts';
import { Isolate, JPEG, makeHeadFile, problemOf, stubOf } from './support.ts';

const isolate = new Isolate();
const LIMIT = { status: 429, code: 'limit_reached' };

async function owner() {
  const stocked = await stockedTenant(isolate);
  const id = stocked.key.split('_')[1];
  const fill = (sql: string, ...values: SqlStorageValue[]) =>
    runInDurableObject(stubOf(id), (_, { storage }) => {
      storage.sql.exec(sql, ...values);
    });
  const call = (method: string, path: string, json?: object) =>
    isolate.call(path, { key: stocked.key, method, ...(json === undefined ? {} : { json }) });
  return { ...stocked, fill, call };
}

/** Rows 1 … n, to be inserted from. */
const NUMBERS = 'WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)';

describe('a cap that is reached', () => {
  it('of keys, of which revoked ones are none', async () => {
    const { key, fill, call } = await owner();
    await fill(
      `${NUMBERS} INSERT INTO api_keys (id, hash, name, scopes, created_at) SELECT 'k' || n, 'h' || n, 'x', '[]', 0 FROM numbers`,
      MAX_KEYS_PER_TENANT - 2,
    );
    const expectUnchanged = await takeStock(isolate, key);
    expect(await problemOf(await call('POST', '/v1/keys', { name: 'x', scopes: ['read'] }))).toEqual(LIMIT);
    await expectUnchanged();
    // One in the place of another is none more.
    expect((await call('POST', '/v1/keys/k1/rotate')).status).toBe(201);
    expect((await call('DELETE', '/v1/keys/k2')).status).toBe(204);
    expect((await call('POST', '/v1/keys', { name: 'x', scopes: ['read'] })).status).toBe(201);
  });

  it('of heads, uploaded or taught', async () => {
    const { key, fill } = await owner();
    await fill(
      `${NUMBERS} INSERT INTO heads (name, current, last_version, revision, created_at) SELECT 'h' || n, 1, 1, 1, 0 FROM numbers`,
      MAX_HEADS_PER_TENANT - 1,
    );
    expect(await problemOf(await isolate.put(key, 'more', await makeHeadFile()))).toEqual(LIMIT);
    const json = batch(codes('a', 2), codes('b', 2));
    expect(await problemOf(await isolate.call('/v1/heads/more/teach', { key, json }))).toEqual(LIMIT);
    expect((await problemOf(await isolate.classify(key, 'more'))).code).toBe('head_not_found');
    // One that is there gets its versions.
    expect((await isolate.put(key, 'pets', await makeHeadFile())).status).toBe(201);
  });

  it('of classes and examples', async () => {
    const { key, fill } = await owner();
    const expectUnchanged = await takeStock(isolate, key);
    const more = Array.from({ length: MAX_CLASSES_PER_TAUGHT_HEAD - 1 }, (_, i) => ({
      ...codes('x', 1, i + 20)[0],
      label: `class ${i}`,
    }));
    const teach = (json: object) => isolate.call('/v1/heads/pets/teach', { key, json });
    expect(await problemOf(await teach(batch(more)))).toEqual(LIMIT);
    await expectUnchanged();
    await fill(
      `${NUMBERS} INSERT INTO examples (id, head, label, picture, source, code, added_revision, created_at)
         SELECT 'e' || n, 'other', 'a', n, 'code', x'', 0, 0 FROM numbers`,
      MAX_EXAMPLES_PER_TENANT - 9,
    );
    expect(await problemOf(await teach(batch(codes('cat', 1, 77))))).toEqual(LIMIT);
    await expectUnchanged();
  });

  it('of kept pictures', async () => {
    const { key, fill, call } = await owner();
    await call('PUT', '/v1/settings', { keep_images: true });
    await fill(
      `UPDATE examples SET image = id, image_bytes = ? WHERE label = 'cat'`,
      MAX_KEPT_PICTURE_BYTES / 5,
    );
    const expectUnchanged = await takeStock(isolate, key);
    const body = new FormData();
    body.append('cat', new Blob([JPEG]), 'a.jpg');
    expect(await problemOf(await isolate.call('/v1/heads/pets/teach', { key, body }))).toEqual(LIMIT);
    await expectUnchanged();
  });

  it('of names, of which a known one moves', async () => {
    const { call } = await owner();
    const name = (text: string, version = 1) => call('PUT', `/v1/heads/pets/names/${text}`, { version });
    for (let i = 1; i < MAX_VERSION_NAMES; i++) expect((await name(`n${i}`)).status).toBe(200);
    expect(await problemOf(await name('more'))).toEqual(LIMIT);
    expect((await name('n1', 2)).status).toBe(200);
  });
});
