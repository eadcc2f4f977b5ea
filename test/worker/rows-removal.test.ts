/** A head that is deleted, and a tenant: what goes at once, what by the alarm, and what it waits for. */
import { describe, expect, it, vi } from 'vitest';
import { DELETION_SWEEP_MS, MAX_DELETED_HEADS, R2_DELETE_BATCH } from '../../worker/limits.ts';
import { recordFolder } from '../../worker/protocols/custom-vision/records.ts';
import type { Stores } from '../../worker/tenant/outbox.ts';
import { Removal } from '../../worker/tenant/removal.ts';
import { hasTables } from '../../worker/tenant/schema.ts';
import { Writer } from '../../worker/tenant/writer.ts';
import { pointerWith, refused, withVersions } from './in-heads.ts';
import { inRows, NO_STORES, NOW, TENANT, type Opened } from './in-rows.ts';

const ORIGIN = { name: 'n', version: '1', weightsSha256: 'w', taps: ['t'], codeLength: 1 };
const example = (picture: string, label: string) =>
  ({ picture, label, source: 'code', code: new Uint8Array(2) }) as const;

/** Objects by name, which are listed and deleted as R2 does it. */
class Bucket {
  readonly names = new Set<string>();
  fails = false;

  get store() {
    const list = async ({ prefix, limit }: { prefix: string; limit: number }) => {
      if (this.fails) throw new Error('down');
      const found = [...this.names].filter((name) => name.startsWith(prefix));
      return { objects: found.slice(0, limit).map((key) => ({ key })), truncated: found.length > limit };
    };
    const remove = async (names: string[]): Promise<void> => names.forEach((name) => this.names.delete(name));
    return { ...NO_STORES.HEADS, list, delete: remove };
  }
}

/** A removal of a tenant, with KV that notes what is deleted. */
async function inRemoval(
  task: (rows: Opened & { removal: Removal; bucket: Bucket; deleted: string[] }) => Promise<unknown>,
): Promise<void> {
  const bucket = new Bucket();
  const deleted: string[] = [];
  const remove = async (name: string): Promise<void> => void deleted.push(name);
  const stores: Stores = { HEADS: bucket.store, POINTERS: { put: async () => {}, delete: remove } };
  await inRows(async (rows) => {
    const { write } = new Writer(rows.storage, rows);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of it as is used
    const HEADS = bucket.store as unknown as R2Bucket;
    await task({ ...rows, removal: new Removal(rows, write, { HEADS }, [recordFolder]), bucket, deleted });
    vi.restoreAllMocks();
  }, stores);
}

describe('a head that is deleted', () => {
  it('goes with all that was of it, and nothing of another', () =>
    inRemoval(async (rows) => {
      const { removal, examples, idempotency, captures, usage, heads, query } = rows;
      for (const head of ['pets', 'dogs']) {
        withVersions(rows, head, 1);
        examples.add(head, ORIGIN, [example('a', 'cat')], NOW);
        idempotency.remember({ key: head, digest: 'd' }, head, { revision: 1, added: 1, duplicates: 0 }, NOW);
        const unknown = { score: 0, is_unknown: false };
        const code = new Uint8Array(2);
        captures.add(
          head,
          { id: head, version: 1, picture: 'p', code, predictions: [], unknown, worth: 1 },
          NOW,
        );
        usage.add({ requests: [], shadows: [{ head, version: 1, requests: 1, disagreements: 1 }] });
      }
      expect(await removal.head('cats')).toEqual(refused('head_not_found'));
      expect(await removal.head('pets')).toEqual(pointerWith({}));
      for (const table of [
        'examples',
        'taught_heads',
        'idempotency',
        'captures',
        'shadow_counts',
        'versions',
      ])
        expect(query(`SELECT head FROM ${table}`), table).toEqual([{ head: 'dogs' }]);
      expect(await removal.head('pets')).toEqual(refused('head_not_found'));
      expect(heads.live('dogs')).toBeDefined();
    }));

  it('and was only taught leaves nothing that other stores know', () =>
    inRemoval(async ({ removal, examples, heads }) => {
      examples.add('pets', ORIGIN, [example('a', 'cat')], NOW);
      expect(await removal.head('pets')).toEqual(pointerWith({ revision: 0 }));
      expect([heads.row('pets'), examples.state('pets')]).toEqual([undefined, undefined]);
    }));

  it('leaves one of so many rows', () =>
    inRemoval(async (rows) => {
      rows.storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO heads (name, current, last_version, revision, created_at) SELECT 'gone ' || i, NULL, 1, 1, 1 FROM n`,
        MAX_DELETED_HEADS,
      );
      withVersions(rows, 'pets', 2);
      await rows.removal.head('pets');
      expect(rows.query('SELECT count(*) AS n FROM heads')).toEqual([{ n: MAX_DELETED_HEADS }]);
    }));
});

const objectsOf = (kind: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${kind}/${TENANT}/${i}`);

describe('a tenant that is deleted', () => {
  it('is gone at once for all stores; its database waits for those that were let in before', () =>
    inRemoval(async (rows) => {
      const { removal, bucket, deleted, standing, storage, keys, examples } = rows;
      withVersions(rows, 'pets', 1);
      keys.create({ id: 'k', hash: 'hash', name: 'k', scopes: ['admin'] }, NOW);
      examples.add('pets', ORIGIN, [example('a', 'cat')], NOW);
      examples.forget('pets', { label: 'cat' }, NOW);
      storage.sql.exec("UPDATE tenant SET swept_head = ''");
      for (const kind of ['heads', 'images', 'customvision'])
        for (const name of objectsOf(kind, 3)) bucket.names.add(name);
      bucket.names.add('heads/another/1');
      vi.spyOn(Date, 'now').mockReturnValue(NOW);
      expect(await removal.tenant()).toEqual({});
      expect([...bucket.names]).toEqual(['heads/another/1']);
      expect(deleted.toSorted()).toEqual([`head/${TENANT}/pets`, 'key/hash', `tenant/${TENANT}`]);
      expect([standing.isDeleting, standing.sweepAt]).toEqual([true, NOW + DELETION_SWEEP_MS]);
      expect(await storage.getAlarm()).toBe(NOW + DELETION_SWEEP_MS);
      expect(await removal.tenant()).toEqual(refused('tenant_not_found'));
      vi.spyOn(Date, 'now').mockReturnValue(NOW + DELETION_SWEEP_MS - 1);
      bucket.names.add(`images/${TENANT}/late`);
      expect(await removal.finish()).toBe(true);
      expect([bucket.names.size, hasTables(storage.sql)]).toEqual([1, true]);
      vi.spyOn(Date, 'now').mockReturnValue(NOW + DELETION_SWEEP_MS);
      expect(await removal.finish()).toBe(true);
      expect(hasTables(storage.sql)).toBe(false);
    }));

  it('and has many objects is woken at once for the rest of them', () =>
    inRemoval(async ({ removal, bucket, storage }) => {
      for (const name of objectsOf('images', 2 * R2_DELETE_BATCH + 1)) bucket.names.add(name);
      vi.spyOn(Date, 'now').mockReturnValue(NOW);
      await removal.tenant();
      expect(bucket.names.size).toBe(R2_DELETE_BATCH + 1);
      expect(await storage.getAlarm()).toBe(NOW);
      expect(await removal.finish(1)).toBe(false);
      expect(await removal.finish(1)).toBe(true);
      expect(bucket.names.size).toBe(0);
    }));

  it('keeps its database while a store fails, or an errand waits', () =>
    inRemoval(async ({ removal, bucket, storage, outbox, standing }) => {
      standing.beginDeleting(NOW);
      vi.spyOn(Date, 'now').mockReturnValue(NOW);
      bucket.fails = true;
      expect(await removal.finish()).toBe(true);
      expect(hasTables(storage.sql)).toBe(true);
      bucket.fails = false;
      outbox.discard('later', NOW + 1);
      bucket.names.add(`heads/${TENANT}/1`);
      expect(await removal.finish()).toBe(true);
      expect([hasTables(storage.sql), bucket.names.size]).toEqual([true, 1]);
      outbox.keep('later');
      expect(await removal.finish()).toBe(true);
      expect([hasTables(storage.sql), bucket.names.size]).toEqual([false, 0]);
    }));
});
