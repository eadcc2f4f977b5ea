/** What a tenant's object still has to tell other stores: it is told in the end, and is nobody's harm meanwhile. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { Outbox, type Render, type Stores } from '../../worker/tenant/outbox.ts';
import { Removal } from '../../worker/tenant/removal.ts';
import { Restore } from '../../worker/tenant/backup/restore.ts';
import { openRows } from '../../worker/tenant/rows.ts';
import { hasTables } from '../../worker/tenant/schema.ts';
import { Writer } from '../../worker/tenant/writer.ts';
import { Isolate, soon, stubOf, sweep, testEnv } from './support.ts';

const render: Render = (kind, subject) => ({ name: `${kind}/${subject}`, value: {} });

const unused = () => Promise.reject(new Error('not expected here'));

describe('the outbox', () => {
  it('keeps what a store would not take, and tries again later', async () => {
    const { id } = await new Isolate().newTenant();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      let down = true;
      const written: string[] = [];
      const put = async (name: string) => {
        if (down) throw new Error('KV PUT failed: 429 Too Many Requests');
        written.push(name);
      };
      const stores = { HEADS: testEnv.HEADS, POINTERS: { put, delete: unused } };
      const outbox = new Outbox(storage, stores);
      outbox.add('head', 'pets');
      await outbox.deliver(render);
      expect(outbox.pending).toBe(true);
      const first = await storage.getAlarm();
      await outbox.deliver(render);
      // Twice as long after the second failure.
      expect((await storage.getAlarm())! - first!).toBeGreaterThan(1_500);
      down = false;
      await outbox.deliver(render);
      expect(written).toEqual(['head/pets']);
      expect(outbox.pending).toBe(false);
      expect(await storage.getAlarm()).toBeNull();
    });
  });

  it('writes an entry again that changed while it was written', async () => {
    const { id } = await new Isolate().newTenant();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      const written: string[] = [];
      let version = 1;
      const put = async (_name: string, value: string) => {
        if (version === 1) {
          version = 2;
          outbox.add('head', 'pets');
        }
        written.push(value);
      };
      const stores = { HEADS: testEnv.HEADS, POINTERS: { put, delete: unused } };
      const outbox = new Outbox(storage, stores);
      outbox.add('head', 'pets');
      await outbox.deliver(() => ({ name: 'head/pets', value: { version } }));
      expect(written).toEqual(['{"version":1}', '{"version":2}']);
    });
  });

  it('keeps the note of an object that is to be written again while it is deleted', async () => {
    const { id } = await new Isolate().newTenant();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      const soon = Date.now() + 60_000;
      const remove = async (names: string[]) => {
        outbox.discard('again', soon);
        await testEnv.HEADS.delete(names);
      };
      const HEADS = { get: unused, put: unused, delete: remove };
      const outbox = new Outbox(storage, { HEADS, POINTERS: { put: unused, delete: unused } });
      for (const name of ['again', 'gone']) outbox.discard(name, 0);
      await outbox.deliver(render);
      expect(storage.sql.exec('SELECT * FROM garbage').toArray()).toEqual([
        { object_name: 'again', due_at: soon },
      ]);
    });
  });
});

describe('a restore', () => {
  it('writes no file whose like is being deleted', async () => {
    const { id } = await new Isolate().newTenant();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      const { promise: deleted, resolve: finish } = Promise.withResolvers<void>();
      const remove = vi.fn(() => deleted);
      const HEADS = { get: unused, put: unused, delete: remove };
      const stores: Stores = { HEADS, POINTERS: testEnv.POINTERS };
      const rows = openRows(storage, stores);
      const writer = new Writer(storage, rows);
      const restore = new Restore(rows, writer.write);
      await restore.begin('second');
      const file = { head: 'pets', version: 1, sha256: 'aa' };
      rows.outbox.discard(rows.heads.objectName('pets', 1, 'aa'), 0);
      const delivered = writer.deliver();
      await soon(() => expect(remove).toHaveBeenCalled());
      const expected = vi.fn();
      const expectation = restore.expectVersion('second', file).then(expected);
      await scheduler.wait(5);
      expect(expected).not.toHaveBeenCalled();
      finish();
      await Promise.all([delivered, expectation]);
      expect(expected).toHaveBeenCalledWith({ objectName: rows.heads.objectName('pets', 1, 'aa') });
      expect(rows.outbox.expects(rows.heads.objectName('pets', 1, 'aa'), Date.now())).toBe(true);
    });
  });
});

describe('a deletion of a tenant', () => {
  it('that a store would not have is finished by the alarm', async () => {
    const { id } = await new Isolate().newTenant();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      const HEADS = new Proxy(testEnv.HEADS, {
        get: (bucket, name): unknown => (name === 'list' ? unused : Reflect.get(bucket, name)),
      });
      const rows = openRows(storage, testEnv);
      const { write } = new Writer(storage, rows);
      expect(await new Removal(rows, write, { HEADS }).tenant()).toEqual({});
      expect(hasTables(storage.sql)).toBe(true);
    });
    await sweep(id);
    await runInDurableObject(stubOf(id), (_, { storage }) => expect(hasTables(storage.sql)).toBe(false));
  });

  it('that breaks off behind its last errand is finished by the alarm', async () => {
    const { id } = await new Isolate().newTenant();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      storage.sql.exec("INSERT INTO marks VALUES ('deleting')");
      await new Outbox(storage, testEnv).deliver(render);
    });
    expect(await runDurableObjectAlarm(stubOf(id))).toBe(true);
    await runInDurableObject(stubOf(id), (_, { storage }) => expect(hasTables(storage.sql)).toBe(false));
  });
});
