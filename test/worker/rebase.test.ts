/** Moving a head to the default code space of a later deployment, as a client does it. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { Classification, ExampleList, HeadDetail } from '../../src/api/index.ts';
import { readHead } from '../../src/head/index.ts';
import { trainHead } from '../../src/learn/train.ts';
import { score } from '../../src/head/index.ts';
import { backupOf, sendBackup } from './backups.ts';
import { codes, lesson } from './lessons.ts';
import { makeHeadFile, picture, problemOf, stubOf, testEnv, type Isolate } from './support.ts';
import {
  keepImages,
  moveAll,
  photos,
  rebase,
  rebased,
  teach,
  twoDeployments,
  variant,
} from './two-backbones.ts';

const { older, later, laterRuntime } = await twoDeployments();

/** A tenant of the older deployment that keeps pictures and taught a head with them. */
async function taughtTenant(each = 3): Promise<{ id: string; key: string }> {
  const tenant = await older.newTenant();
  await keepImages(older, tenant.key);
  await teach(older, tenant.key, photos(each));
  return tenant;
}

const classify = async (isolate: Isolate, key: string, query = ''): Promise<Classification> => {
  const response = await isolate.classify(key, 'pets', query);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
};

const listed = async (key: string): Promise<ExampleList['examples']> =>
  (await (await later.call('/v1/heads/pets/examples', { key })).json<ExampleList>()).examples;

const count = (id: string, table: string): Promise<number> =>
  runInDurableObject(stubOf(id), (_, { storage }) =>
    Number(storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one()['n']),
  );

async function detailOf(response: Response): Promise<string> {
  return (await response.clone().json<{ detail: string }>()).detail;
}

describe('moving a head', () => {
  it('takes pages of 32 and a training, and makes the head that these codes give', async () => {
    const { id, key } = await taughtTenant(20);
    const before = await classify(older, key);
    expect(await rebased(later, key, 'GET')).toMatchObject({
      state: 'not_begun',
      from: { name: 'mobilenet-v3-small' },
      to: { name: 'later', version: '2' },
      total: 40,
      done: 0,
      missing_pictures: 0,
      before: { version: 1, current: true },
    });
    expect(await rebased(later, key)).toMatchObject({ state: 'under_way', done: 32, total: 40 });
    // Meanwhile nothing that anybody sees has changed.
    expect((await classify(later, key)).predictions).toEqual(before.predictions);
    expect(await rebased(later, key)).toMatchObject({ state: 'under_way', done: 40, total: 40 });
    const moved = await rebased(later, key);
    expect(moved).toMatchObject({
      state: 'done',
      from: { name: 'mobilenet-v3-small' },
      done: 40,
      before: { version: 1, current: false },
      after: { version: 2, current: true },
    });
    expect(moved.before?.leave_one_out?.examples).toBe(40);
    expect(moved.after?.leave_one_out?.examples).toBe(40);
    // A lost answer is answered again.
    expect(await rebased(later, key)).toEqual(moved);
    expect(await rebased(later, key, 'GET')).toEqual(moved);

    const file = await later.call('/v1/heads/pets/versions/2', { key });
    const head = readHead(new Uint8Array(await file.arrayBuffer()));
    expect(head.backbone.name).toBe('later');
    const wanted = await expectedHead(20);
    expect(head.labels).toEqual(wanted.labels);
    const { pixels } = await laterRuntime.decoder.decode(variant(900), laterRuntime.plan.input);
    const { probabilities } = score(wanted, laterRuntime.engine.codes(pixels));
    // An isolate that has seen nothing of it asks KV.
    for (const isolate of [later, (await twoDeployments()).later]) {
      const said = await classify(isolate, key);
      expect(said.version).toBe(2);
      for (const { label, score: its } of said.predictions)
        expect(its).toBeCloseTo(probabilities[wanted.labels.indexOf(label)], 6);
    }
    const pointer = await testEnv.POINTERS.get<{ current: number }>(`head/${id}/pets`, 'json');
    expect(pointer?.current).toBe(2);
  });

  it('leaves the version of before, which answers as it did; what is taught comes in the new space', async () => {
    const { key } = await taughtTenant();
    const before = await classify(older, key);
    await moveAll(later, key);
    const activated = await later.call('/v1/heads/pets/versions/1/activate', { key, method: 'POST' });
    expect(activated.status).toBe(200);
    expect((await classify(later, key)).predictions).toEqual(before.predictions);
    await teach(later, key, [['cat', variant(700)]]);
    const taught = await classify(later, key);
    expect(taught.version).toBe(3);
    const file = await later.call('/v1/heads/pets/versions/3', { key });
    expect(readHead(new Uint8Array(await file.arrayBuffer())).backbone.name).toBe('later');
  });

  it("keeps the old version's codes until it is deleted", async () => {
    const { id, key } = await taughtTenant();
    await moveAll(later, key);
    expect(await count(id, 'code_spaces')).toBe(1);
    expect(await count(id, 'second_codes')).toBe(6);
    const [{ id: example }] = await listed(key);
    await later.call(`/v1/heads/pets/examples/${example}`, { key, method: 'DELETE' });
    // What was forgotten is forgotten in every space, and with it the versions that knew it.
    const { versions } = await (await later.call('/v1/heads/pets', { key })).json<HeadDetail>();
    expect(versions.map(({ version }) => version)).toEqual([3]);
    expect(await count(id, 'code_spaces')).toBe(0);
    expect(await count(id, 'second_codes')).toBe(0);

    const other = await taughtTenant();
    await moveAll(later, other.key);
    await later.call('/v1/heads/pets/versions/1', { key: other.key, method: 'DELETE' });
    expect(await count(other.id, 'second_codes')).toBe(0);
    expect(await rebased(later, other.key)).not.toHaveProperty('before');
  });

  it('is given up without a trace', async () => {
    const { id, key } = await taughtTenant();
    const before = await classify(older, key);
    expect(await rebased(later, key)).toMatchObject({ state: 'under_way', done: 6 });
    expect(await rebased(later, key, 'DELETE')).toMatchObject({ state: 'not_begun', done: 0, total: 6 });
    expect(await count(id, 'second_codes')).toBe(0);
    expect((await classify(later, key)).predictions).toEqual(before.predictions);
    expect(await rebased(later, key, 'DELETE')).toMatchObject({ state: 'not_begun' });
  });

  it('two clients at once make every code once, and one version', async () => {
    const { id, key } = await taughtTenant(20);
    const runs = await Promise.all([moveAll(later, key), moveAll(later, key)]);
    for (const { last } of runs) expect(last).toMatchObject({ state: 'done', after: { version: 2 } });
    expect(await count(id, 'second_codes')).toBe(40);
    expect(await count(id, 'versions')).toBe(2);
  });

  it('of a head that is there already is done at once', async () => {
    const { key } = await taughtTenant();
    expect(await rebased(older, key)).toMatchObject({ state: 'done', total: 6, done: 6 });
    expect(await rebased(older, key)).not.toHaveProperty('before');
  });
});

/** The head that the codes of photos(each) give in the later deployment's space. */
async function expectedHead(each: number) {
  const { plan, engine, decoder } = laterRuntime;
  const known = await Promise.all(
    photos(each).map(async ([label, bytes]) => {
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex();
      return { label, bytes, hash };
    }),
  );
  known.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const made: number[] = [];
  for (const { bytes } of known) {
    const { pixels } = await decoder.decode(bytes, plan.input);
    made.push(...engine.codes(pixels));
  }
  return trainHead({
    backbone: { name: plan.name, version: plan.version, weightsSha256: plan.weightsSha256 },
    taps: plan.taps.map((tap) => tap.name),
    labels: ['cat', 'dog'],
    codes: Float16Array.from(made),
    targets: Uint16Array.from(known, ({ label }) => (label === 'cat' ? 0 : 1)),
  });
}

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

  it('names pictures that are missing or damaged in the store, and does not ask for them for ever', async () => {
    const { id, key } = await taughtTenant();
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
    await older.put(key, 'pets', await makeHeadFile(['a', 'b']));
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
    const { id, key } = await taughtTenant(4);
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

describe('while a head is being moved', () => {
  it('codes alone are refused, which could not come along', async () => {
    const { key } = await taughtTenant();
    await rebased(later, key);
    const response = await older.call('/v1/heads/pets/teach', { key, json: lesson(codes('cat', 2)) });
    expect(await detailOf(response)).toMatch(/2 of these examples come as codes alone\. Teach the pictures/);
    expect(await problemOf(response)).toEqual({ status: 409, code: 'conflict' });
    await rebased(later, key, 'DELETE');
    const again = await older.call('/v1/heads/pets/teach', { key, json: lesson(codes('cat', 2)) });
    expect(again.status).toBe(200);
  });

  it('what is forgotten and relabelled is so in the new version', async () => {
    const { id, key } = await taughtTenant(4);
    expect(await rebased(later, key)).toMatchObject({ done: 8 });
    const [first, second] = (await listed(key)).filter(({ label }) => label === 'cat');
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
    const { id, key } = await taughtTenant();
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

  it('an older deployment teaches pictures that are kept: they come with a later page', async () => {
    const { key } = await taughtTenant();
    await rebased(later, key);
    await teach(older, key, photos(1, 100));
    expect(await rebased(later, key, 'GET')).toMatchObject({ done: 6, total: 8 });
    await keepImages(older, key, false);
    const refused = await older.call('/v1/heads/pets/teach', { key, json: lesson(codes('cat', 1)) });
    expect(refused.status).toBe(409);
    expect(await rebased(later, key, 'GET')).toMatchObject({ missing_pictures: 2 });
  });

  it('a backup is of the head as it is, and comes back without the move', async () => {
    const { key } = await taughtTenant();
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
    const { id, key } = await taughtTenant();
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
