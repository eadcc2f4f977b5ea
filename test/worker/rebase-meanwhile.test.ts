/** What else is done with a head while it is being moved: taught, forgotten, relabelled, backed up, deleted. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import type { HeadDetail } from '../../src/api/index.ts';
import { readHead } from '../../src/head/index.ts';
import { MAX_REQUEST_WORK_MS } from '../../worker/limits.ts';
import { RequestWork } from '../../worker/isolate/request-work.ts';
import { backupOf, sendBackup } from './backups.ts';
import { problemOf, stubOf } from './support.ts';
import {
  classify,
  count,
  detailOf,
  form,
  keepImages,
  madeUpBatch,
  listed,
  moveAll,
  photos,
  rebased,
  taughtTenant,
  teach,
  twoDeployments,
} from './two-backbones.ts';

const { older, olderRuntime, later, laterRuntime } = await twoDeployments();

describe('while a head is being moved', () => {
  it('codes alone are refused, which could not come along', async () => {
    const { key } = await taughtTenant(older);
    await rebased(later, key);
    const response = await older.call('/v1/heads/pets/teach', {
      key,
      json: madeUpBatch(olderRuntime, 'cat', 2),
    });
    expect(await detailOf(response)).toMatch(/2 of these examples come as codes alone\. Teach the pictures/);
    expect(await problemOf(response)).toEqual({ status: 409, code: 'conflict' });
    await rebased(later, key, 'DELETE');
    const again = await older.call('/v1/heads/pets/teach', {
      key,
      json: madeUpBatch(olderRuntime, 'cat', 2),
    });
    expect(again.status).toBe(200);
  });

  it('what is forgotten and relabelled is so in the new version', async () => {
    const { id, key } = await taughtTenant(older, 4);
    expect(await rebased(later, key)).toMatchObject({ done: 8 });
    const [first, second] = (await listed(later, key)).filter(({ label }) => label === 'cat');
    await later.call(`/v1/heads/pets/examples/${first.id}`, { key, method: 'DELETE' });
    expect(await rebased(later, key, 'GET')).toMatchObject({ done: 7, total: 7 });
    await later.call(`/v1/heads/pets/examples/${second.id}`, {
      key,
      method: 'PATCH',
      json: { label: 'dog' },
    });
    const { last } = await moveAll(later, key);
    expect(last.after?.leave_one_out?.examples).toBe(7);
    const { classes } = await (await later.call('/v1/heads/pets', { key })).json<HeadDetail>();
    expect(classes.map(({ label, examples }) => [label, examples])).toEqual([
      ['cat', 2],
      ['dog', 5],
    ]);
    expect(await count(id, 'examples')).toBe(7);
  });

  it('pictures that are taught come along with both codes, kept or not', async () => {
    const { id, key } = await taughtTenant(older);
    await rebased(later, key);
    await keepImages(later, key, false);
    const before = await count(id, 'second_codes');
    await teach(later, key, photos(1, 100));
    expect(await count(id, 'second_codes')).toBe(before + 2);
    const old = await later.call('/v1/heads/pets/versions/2', { key });
    expect(readHead(new Uint8Array(await old.arrayBuffer())).backbone.name).toBe('mobilenet-v3-small');
    expect(await rebased(later, key)).toMatchObject({
      state: 'done',
      total: 8,
      before: { version: 2, leave_one_out: { examples: 8 } },
      after: { version: 3, leave_one_out: { examples: 8 } },
    });
  });

  it('pictures are decoded once for both codes', async () => {
    const { key } = await taughtTenant(older);
    await rebased(later, key);
    const decode = vi.spyOn(laterRuntime.decoder, 'decodeAll');
    await teach(later, key, photos(1, 100));
    expect(decode.mock.calls.map(([, inputs]) => inputs.map(({ width }) => width))).toEqual([
      [224, 96],
      [224, 96],
    ]);
    vi.restoreAllMocks();
  });

  it('second codes that are too much work come with a later page, or the pictures are refused', async () => {
    const { key } = await taughtTenant(older);
    await rebased(later, key);
    const spent = new RequestWork();
    spent.decode(MAX_REQUEST_WORK_MS * 1e6);
    vi.spyOn(RequestWork.prototype, 'silent', 'get').mockReturnValue(spent);
    await teach(later, key, photos(1, 100));
    expect(await rebased(later, key, 'GET')).toMatchObject({ done: 6, total: 8, missing_pictures: 0 });
    await keepImages(later, key, false);
    const refused = await later.call('/v1/heads/pets/teach', { key, body: form(photos(1, 200)) });
    expect(await detailOf(refused)).toMatch(/2 of these examples have no code of it: .+ Teach fewer at once/);
    expect(await problemOf(refused)).toEqual({ status: 409, code: 'conflict' });
    vi.restoreAllMocks();
    await keepImages(later, key);
    await teach(later, key, photos(1, 100));
    expect((await moveAll(later, key)).last).toMatchObject({ state: 'done', total: 8 });
  });

  it('an older deployment teaches pictures that are kept: they come with a later page', async () => {
    const { key } = await taughtTenant(older);
    await rebased(later, key);
    await teach(older, key, photos(1, 100));
    expect(await rebased(later, key, 'GET')).toMatchObject({ done: 6, total: 8 });
    await keepImages(older, key, false);
    const refused = await older.call('/v1/heads/pets/teach', {
      key,
      json: madeUpBatch(olderRuntime, 'cat', 1),
    });
    expect(refused.status).toBe(409);
    expect(await rebased(later, key, 'GET')).toMatchObject({ missing_pictures: 2 });
  });

  it('a backup is of the head as it is, and comes back without the move', async () => {
    const { key } = await taughtTenant(older);
    await rebased(later, key);
    const backup = await backupOf(later, key);
    const other = await later.newTenant();
    expect((await sendBackup(later, other.key, backup)).status).toBe(200);
    expect((await classify(later, other.key)).predictions).toEqual((await classify(later, key)).predictions);
    expect(await rebased(later, other.key, 'GET')).toMatchObject({
      state: 'not_begun',
      total: 6,
      done: 0,
      missing_pictures: 6,
    });
    // The pictures taught again, it can be moved.
    await keepImages(later, other.key);
    await teach(later, other.key, photos(3));
    expect((await moveAll(later, other.key)).last).toMatchObject({ after: { version: 2 } });
    expect(await rebased(later, key, 'GET')).toMatchObject({ state: 'under_way', done: 6 });
  });

  it('a head that is deleted takes all with it', async () => {
    const { id, key } = await taughtTenant(older);
    await rebased(later, key);
    await later.call('/v1/heads/pets', { key, method: 'DELETE' });
    for (const table of ['examples', 'code_spaces', 'second_codes']) expect(await count(id, table)).toBe(0);
    expect(
      await runInDurableObject(
        stubOf(id),
        (_, { storage }) => storage.sql.exec('SELECT second_code_count AS n FROM tenant').one()['n'],
      ),
    ).toBe(0);
    await teach(later, key, photos(2));
    expect(await rebased(later, key, 'GET')).toMatchObject({ state: 'done', total: 4 });
  });
});
