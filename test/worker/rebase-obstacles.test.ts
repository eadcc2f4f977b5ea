/** What stands in the way of a move to another code space, and what the caller is told of it. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { writeHead } from '../../src/head/index.ts';
import { makeHead, picture, problemOf, stubOf, testEnv } from './support.ts';
import {
  classify,
  count,
  detailOf,
  keepImages,
  moveAll,
  photos,
  rebase,
  rebased,
  taughtTenant,
  teach,
  twoDeployments,
  variant,
} from './two-backbones.ts';

const { older, olderRuntime, later } = await twoDeployments();

describe('a head that cannot be moved', () => {
  it('says how many pictures are missing, and can be when they were taught again', async () => {
    const { id, key } = await older.newTenant();
    await teach(older, key, photos(2));
    await keepImages(older, key);
    await teach(older, key, [['cat', variant(50)]]);
    const refused = await rebase(later, key);
    expect(await detailOf(refused)).toMatch(
      /^Head 'pets' cannot be moved: 4 of its examples have no picture/,
    );
    expect(await problemOf(refused)).toEqual({ status: 409, code: 'conflict' });
    expect(await count(id, 'code_spaces')).toBe(0);
    expect(await rebased(later, key, 'GET')).toMatchObject({ missing_pictures: 4, total: 5 });
    await teach(older, key, photos(2));
    expect((await moveAll(later, key)).last).toMatchObject({ total: 5, after: { version: 3 } });
  });

  it('names pictures that are missing or damaged in the store, and does not look for them for ever', async () => {
    const { id, key } = await taughtTenant(older);
    const { objects } = await testEnv.HEADS.list({ prefix: `images/${id}/pets/` });
    await testEnv.HEADS.delete(objects[0].key);
    await testEnv.HEADS.put(objects[1].key, picture('lossy.webp'));
    const first = await rebased(later, key);
    expect(first).toMatchObject({ state: 'under_way', done: 4, missing_pictures: 2 });
    expect(first.unreadable?.map(({ fault }) => fault).sort()).toEqual([
      'It is damaged in the object store: its hash is another one.',
      'It is missing in the object store.',
    ]);
    const stuck = await rebase(later, key);
    expect(await detailOf(stuck)).toContain(
      `Kept pictures that cannot be read: ${first.unreadable?.[0].example}`,
    );
    expect(await problemOf(stuck)).toEqual({ status: 409, code: 'conflict' });
    await later.call(`/v1/heads/pets/examples/${first.unreadable?.[0].example}`, { key, method: 'DELETE' });
    const { objects: left } = await testEnv.HEADS.list({ prefix: `images/${id}/pets/` });
    expect(left.length).toBeGreaterThan(0);
    expect(await rebased(later, key, 'GET')).toMatchObject({ done: 4, total: 5, missing_pictures: 1 });
  });

  it('was uploaded, or is taught on top of one that was, or was never there', async () => {
    const { key } = await older.newTenant();
    await older.put(key, 'pets', writeHead(await makeHead(['a', 'b'], 1, olderRuntime)));
    for (const method of ['GET', 'POST'])
      expect(await rebased(older, key, method)).toMatchObject({ state: 'done', total: 0 });
    expect(await rebased(later, key, 'GET')).toMatchObject({ state: 'not_begun', total: 0 });
    expect(await detailOf(await rebase(later, key))).toContain('It was uploaded');
    await teach(older, key, [['new', variant(1)]]);
    expect(await detailOf(await rebase(later, key))).toContain('taught on top of an uploaded head');
    expect(await rebased(older, key)).toMatchObject({ state: 'done', total: 1 });
    await later.call('/v1/heads/pets', { key, method: 'DELETE' });
    for (const method of ['GET', 'POST', 'DELETE'])
      expect(await problemOf(await rebase(later, key, method))).toEqual({
        status: 404,
        code: 'head_not_found',
      });
  });

  it('has one class', async () => {
    const { key } = await older.newTenant();
    await keepImages(older, key);
    await teach(older, key, [['cat', variant(1)]]);
    expect(await detailOf(await rebase(later, key))).toContain('fewer than two classes');
  });

  it('would become worse than its guard allows', async () => {
    const { id, key } = await taughtTenant(older, 4);
    await later.call('/v1/heads/pets/settings', { key, method: 'PUT', json: { guard_margin: 0 } });
    await rebased(later, key);
    // Codes that tell nothing apart stand for a backbone that is worse.
    await runInDurableObject(stubOf(id), (_, { storage }) =>
      storage.sql.exec('UPDATE second_codes SET code = (SELECT min(code) FROM second_codes)'),
    );
    const refused = await rebase(later, key);
    expect(await detailOf(refused)).toContain('fell from 100.0 %');
    expect(await problemOf(refused)).toEqual({ status: 409, code: 'conflict' });
    expect(await rebased(later, key, 'GET')).toMatchObject({ state: 'under_way', done: 8 });
    expect((await classify(later, key)).version).toBe(1);
  });
});
