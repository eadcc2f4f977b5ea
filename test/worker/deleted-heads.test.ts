/** What deleted heads and replaced keys leave: bounded, counted as no head, and no number comes twice. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { BackupRow } from '../../src/api/index.ts';
import { MAX_DELETED_HEADS, MAX_HEADS_PER_TENANT, MAX_REVOKED_KEYS } from '../../worker/limits.ts';
import { callTenant } from '../../worker/tenant/call.ts';
import { openRows } from '../../worker/tenant/rows.ts';
import { fileOf, sendBackup, someBackup } from './backups.ts';
import { Isolate, makeHeadFile, stubOf, testEnv } from './support.ts';

const isolate = new Isolate();

/** Rows as deletions left them before they were pruned: names, the last versions that they had, revisions. */
async function leaveTombstones(tenant: string, count: number): Promise<void> {
  await runInDurableObject(stubOf(tenant), (_, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO heads (name, current, last_version, revision, created_at)
         SELECT 'gone-' || i, NULL, i, 2 * i, i FROM n`,
      count,
    );
  });
}

const headRows = (tenant: string): Promise<number> =>
  runInDurableObject(
    stubOf(tenant),
    (_, { storage }) => storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM heads').one().n,
  );

describe('a deleted head', () => {
  it('leaves a row, of which a bounded number stays', async () => {
    const { id, key } = await isolate.newTenant();
    await leaveTombstones(id, 2 * MAX_DELETED_HEADS);
    await isolate.put(key, 'pets', await makeHeadFile());
    await isolate.call('/v1/heads/pets', { key, method: 'DELETE' });
    expect(await headRows(id)).toBe(MAX_DELETED_HEADS);
  });

  it('whose row is gone has its numbers used by none that has its name', async () => {
    const { id, key } = await isolate.newTenant();
    await leaveTombstones(id, MAX_DELETED_HEADS + 5);
    const file = await makeHeadFile();
    expect(await (await isolate.put(key, 'gone-5', file)).json()).toMatchObject({ version: 6 });
    await isolate.call('/v1/heads/gone-5', { key, method: 'DELETE' });
    // Rows of the names from gone-1 to gone-6 are gone: their highest version was 6, their highest revision 12.
    for (const name of ['gone-1', 'gone-6', 'fresh']) {
      expect(await (await isolate.put(key, name, file)).json()).toMatchObject({ version: 7 });
      const pointer = await callTenant(testEnv, id, (tenant) => tenant.heads.pointer(name));
      expect(pointer?.revision).toBeGreaterThan(12);
    }
  });

  it('counts as none where a backup is restored', async () => {
    const rows = (await someBackup(isolate)).filter(({ row }) => row !== 'end');
    const gone = { row: 'head', current: null, created_at: 1, names: {}, canary: null, shadow: null };
    const settings = { guard_margin: null, capture: false };
    for (let i = 1; i <= 2 * MAX_HEADS_PER_TENANT; i++)
      rows.push(BackupRow.parse({ ...gone, head: `gone-${i}`, last_version: i, settings }));
    const { id, key } = await isolate.newTenant();
    const end = { row: 'end', rows: rows.length, unchanged: true };
    const response = await sendBackup(isolate, key, fileOf([...rows, end]));
    expect(response.status).toBe(200);
    expect((await isolate.classify(key, 'pets')).status).toBe(200);
    expect(await headRows(id)).toBe(MAX_DELETED_HEADS + 2);
    expect(await (await isolate.put(key, 'gone-1', await makeHeadFile())).json()).toMatchObject({
      version: MAX_DELETED_HEADS + 1,
    });
  });

  it('that is pruned while a backup is written makes it another one', async () => {
    const { id } = await isolate.newTenant();
    await leaveTombstones(id, MAX_DELETED_HEADS + 2);
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      const { deletedHeads, backup } = openRows(storage, testEnv);
      const before = backup.survey().stamp;
      deletedHeads.prune();
      storage.sql.exec('UPDATE heads SET revision = revision + 6 WHERE name = ?', 'gone-99');
      expect(backup.survey().stamp).not.toBe(before);
    });
  });
});

describe('a key', () => {
  it('that was replaced 500 times leaves as many rows as a revoked one may', async () => {
    const { id } = await isolate.newTenant();
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      const { keys } = openRows(storage, testEnv);
      let [{ id: last }] = keys.list();
      for (let i = 0; i < 500; i++) {
        keys.rotate(last, { id: `key-${i}`, hash: `hash-${i}` }, i);
        last = `key-${i}`;
      }
      const rows = keys.list();
      expect(rows).toHaveLength(MAX_REVOKED_KEYS + 1);
      expect(rows.filter((row) => row.revoked_at === undefined).map((row) => row.id)).toEqual(['key-499']);
      expect(keys.find('hash-498')).toEqual({ status: 'revoked' });
      expect(keys.find('hash-0')).toEqual({ status: 'unknown' });
    });
  });
});
