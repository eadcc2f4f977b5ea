/** The rows of a restore that was given up go in bounded steps, also where these are interrupted; then the tenant is as new. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeAll, expect, it } from 'vitest';
import type { BackupRow } from '../../src/api/index.ts';
import { RESTORED_VERSIONS_AT_ONCE, SWEPT_AT_ONCE } from '../../worker/limits.ts';
import { headObjectName } from '../../worker/stores/layout.ts';
import { openRows } from '../../worker/tenant/rows.ts';
import { Writer } from '../../worker/tenant/writer.ts';
import { fileOf, sendBackup, someBackup } from './backups.ts';
import { countingRows } from './counting-rows.ts';
import { codes, batch } from './batches.ts';
import { Isolate, problemOf, soon, stubOf, tenantOf, testEnv } from './support.ts';

const isolate = new Isolate();
const EXAMPLES = 2 * SWEPT_AT_ONCE + 100;
const VERSIONS = 2 * RESTORED_VERSIONS_AT_ONCE + 1;
const OBJECTS = 3;
let rows: BackupRow[];

beforeAll(async () => {
  rows = await someBackup(isolate);
});

/** A tenant into which the restore 'first' brought a large head that answers, and no end. */
async function restoring(): Promise<{ id: string; key: string }> {
  const tenant = await isolate.newTenant();
  const stub = stubOf(tenant.id);
  await tenantOf(tenant.id).restore.begin('first');
  for (let version = 1; version <= OBJECTS; version++)
    await testEnv.HEADS.put(headObjectName(tenant.id, 'large', version, `ab${version}`), 'a file');
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)';
    sql.exec(
      `${numbers} INSERT INTO examples SELECT printf('e%06d', i), 'large', 'cat', i, 'picture', x'00', 1, 1, NULL, NULL FROM n`,
      EXAMPLES,
    );
    sql.exec(
      `${numbers} INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at, summary)
         SELECT 'large', i, i <= ${OBJECTS}, 'ab' || i, 1, '', 1, '{}' FROM n`,
      VERSIONS,
    );
    sql.exec("INSERT INTO descriptions SELECT head, version, '{}' FROM versions");
    sql.exec("INSERT INTO taught_heads VALUES ('large', '{}', 1, 1, NULL)");
    sql.exec("INSERT INTO version_names VALUES ('large', 'live', 1)");
    sql.exec("INSERT INTO shadow_counts VALUES ('large', 1, 1, 1)");
    sql.exec(
      "INSERT INTO heads (name, current, last_version, revision, created_at) VALUES ('large', 1, 1, 1, 1)",
    );
  });
  return tenant;
}

const LEFT = [
  'heads',
  'taught_heads',
  'versions',
  'version_names',
  'descriptions',
  'captures',
  'shadow_counts',
  'examples',
];
const leftOf = (sql: SqlStorage): number =>
  sql.exec<{ n: number }>(`SELECT ${LEFT.map((t) => `(SELECT count(*) FROM ${t})`).join(' + ')} AS n`).one()
    .n;
const left = (tenant: string) => runInDurableObject(stubOf(tenant), (_, { storage }) => leftOf(storage.sql));
const filesOf = async (tenant: string) =>
  (await testEnv.HEADS.list({ prefix: `heads/${tenant}/` })).objects.length;
/** Gives it up and stops behind the first step, as a crash does: no alarm comes by itself. */
const beginUndo = (tenant: string) =>
  runInDurableObject(stubOf(tenant), async (_, { storage }) => {
    storage.transactionSync(() => openRows(storage, testEnv).undo.begin(Date.now()));
    await storage.setAlarm(Date.now() + 600_000);
  });
/** Runs the alarm, which may also come by itself, until so many files are left and no rows of the first attempt. */
const finish = (tenant: string, files = 0): Promise<void> =>
  soon(async () => {
    await runDurableObjectAlarm(stubOf(tenant));
    expect(await filesOf(tenant)).toBe(files);
    if (files === 0) expect(await left(tenant)).toBe(0);
  });
const down = (): Promise<never> => Promise.reject(new Error('R2 is down'));

it('each step changes a bounded number of rows, whatever stops it in between', async () => {
  const { id } = await restoring();
  await runInDurableObject(stubOf(id), (_, { storage }) => {
    const now = Date.now();
    let steps = 0;
    for (let done = false; !done; steps++) {
      // As after a crash: nothing is known but what is stored. And one that comes in a step's middle undoes the step.
      const before = leftOf(storage.sql);
      const crash = (): void =>
        storage.transactionSync(() => {
          openRows(storage, testEnv).undo.begin(now);
          throw new Error('killed');
        });
      expect(crash).toThrow('killed');
      expect(leftOf(storage.sql)).toBe(before);
      const { storage: counted, rows: moved } = countingRows(storage);
      const { undo, standing } = openRows(counted, testEnv);
      moved.n = 0;
      done = storage.transactionSync(() => undo.begin(now));
      // Of each row that goes: itself, its places in indexes, its note as garbage, and the count.
      expect(moved.n).toBeLessThan(15 * SWEPT_AT_ONCE);
      expect(leftOf(storage.sql)).toBeLessThan(before);
      expect(standing.isUndoing).toBe(!done);
      expect(standing.restoring).toBeUndefined();
    }
    expect(steps).toBeGreaterThan(EXAMPLES / SWEPT_AT_ONCE);
    expect(leftOf(storage.sql)).toBe(0);
    expect(storage.sql.exec('SELECT count(*) AS n FROM garbage').one()).toEqual({ n: VERSIONS });
    expect(storage.sql.exec('SELECT subject FROM outbox').toArray()).toEqual([{ subject: 'large' }]);
  });
});

it('what answered is gone at once, the rest by the alarm; meanwhile nothing changes heads', async () => {
  const { id, key } = await restoring();
  await beginUndo(id);
  expect(await left(id)).toBeGreaterThan(SWEPT_AT_ONCE);
  expect(await problemOf(await isolate.classify(key, 'large'))).toMatchObject({ code: 'head_not_found' });
  expect(await (await isolate.call('/v1/heads', { key })).json()).toEqual({ heads: [] });
  const json = batch(codes('emu', 2), codes('cat', 2));
  const teach = () => isolate.call('/v1/heads/pets/teach', { key, json });
  expect(await problemOf(await teach())).toEqual({ status: 409, code: 'conflict' });
  expect(await tenantOf(id).restore.examples('first', [])).toMatchObject({ refused: { code: 'conflict' } });
  await finish(id);
  expect((await teach()).status).toBe(200);
});

it('its end is answered behind the first step, and the alarm is set for the others', async () => {
  const { id } = await restoring();
  expect(await tenantOf(id).restore.end('first', false)).toEqual({ whole: false });
  await finish(id);
});

it('goes on while the object store fails, and its files go when it answers again', async () => {
  const { id } = await restoring();
  await beginUndo(id);
  const HEADS = { get: down, put: down, delete: down };
  await runInDurableObject(stubOf(id), async (_, { storage }) => {
    const failing = { ...testEnv, HEADS };
    const writer = new Writer(storage, openRows(storage, failing), failing);
    while (leftOf(storage.sql) > 0) await writer.advance();
    expect(await storage.getAlarm()).not.toBeNull();
  });
  expect(await filesOf(id)).toBe(OBJECTS);
  await finish(id);
});

it('a restore that is sent again finishes it first, of two at once one comes in', async () => {
  const { id, key } = await restoring();
  await beginUndo(id);
  const answers = await Promise.all([1, 2].map(() => sendBackup(isolate, key, fileOf(rows))));
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409]);
  expect((await isolate.call('/v1/heads/large', { key })).status).toBe(404);
  expect((await isolate.classify(key, 'pets')).status).toBe(200);
  await finish(id, 2);
});

it('a restore that is sent again takes over from one that broke off without an end', async () => {
  const { id, key } = await restoring();
  expect((await sendBackup(isolate, key, fileOf(rows))).status).toBe(200);
  expect((await isolate.classify(key, 'pets')).status).toBe(200);
  await finish(id, 2);
});

it('of a tenant that is deleted meanwhile nothing is left, and its alarm has no more to do with it', async () => {
  const { id, key } = await restoring();
  await beginUndo(id);
  await tenantOf(id).tenant.destroy();
  expect((await isolate.call('/v1/heads', { key })).status).toBeLessThan(500);
  expect(await filesOf(id)).toBe(0);
  await runInDurableObject(stubOf(id), async (_, { storage }) => {
    expect(openRows(storage, testEnv).standing.isUndoing).toBe(false);
    expect(await storage.getAlarm()).toBeGreaterThan(Date.now() + 1_000);
  });
});
