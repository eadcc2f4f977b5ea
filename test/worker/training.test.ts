/** A training that something changes beside: no version is published that was trained on forgotten examples. */
import { runInDurableObject } from 'cloudflare:test';
import { expect, it } from 'vitest';
import type { Stores } from '../../worker/tenant/outbox.ts';
import { openRows } from '../../worker/tenant/rows.ts';
import { Training } from '../../worker/tenant/teach/training.ts';
import { Writer } from '../../worker/tenant/writer.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { Isolate, stubOf, testEnv } from './support.ts';

it('a version never answers that was trained on what was forgotten while its file was written', async () => {
  const isolate = new Isolate();
  const { id, key } = await isolate.newTenant();
  const json = teachRequest(codes('cat', 3), codes('dog', 3));
  await isolate.call('/v1/heads/pets/teach?train=false', { key, json });
  await runInDurableObject(stubOf(id), async (_, { storage }) => {
    let written = 0;
    const forget = () => {
      const [example] = rows.examples.list('pets', 'cat', undefined, 1).examples;
      storage.transactionSync(() => rows.examples.forget('pets', { ids: [example.id] }, Date.now()));
    };
    const put: Stores['HEADS']['put'] = (name, bytes, options) => {
      if (++written === 1) forget();
      return testEnv.HEADS.put(name, bytes, options);
    };
    const { HEADS, POINTERS } = testEnv;
    const stores: Stores = {
      HEADS: { get: (name) => HEADS.get(name), delete: (names) => HEADS.delete(names), put },
      POINTERS,
    };
    const rows = openRows(storage, stores);
    const training = new Training(rows, new Writer(storage, rows).write, stores);
    const before = rows.examples.revision('pets')!;
    expect(await training.reach('pets', before)).toEqual({ state: 'done' });
    expect(written).toBe(2);
    const versions = rows.heads.versions('pets');
    expect(versions.map((row) => row.trained_revision)).toEqual([before + 1]);
    expect(rows.heads.pointer('pets')).toMatchObject({ current: versions[0].version });
    expect(rows.examples.state('pets')).toMatchObject({ forgottenFrom: null, revision: before + 1 });
  });
});
