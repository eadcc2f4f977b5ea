/** Moving a head to the default code space of a later deployment, as a client does it. */
import { describe, expect, it } from 'vitest';
import type { HeadDetail } from '../../src/api/index.ts';
import { readHead, score } from '../../src/head/index.ts';
import { trainHead } from '../../src/learn/ridge/train.ts';
import { testEnv } from './support.ts';
import {
  classify,
  count,
  listed,
  moveAll,
  photos,
  rebased,
  taughtTenant,
  teach,
  twoDeployments,
  variant,
} from './two-backbones.ts';
import linalg from '../../build/wasm/linalg.wasm?module';

const { older, later, laterRuntime } = await twoDeployments();

describe('moving a head', () => {
  it('takes pages of 32 and a training, and makes the head that these codes give', async () => {
    const { id, key } = await taughtTenant(older, 20);
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
    const report = await later.call('/v1/heads/pets/versions/2/report', { key });
    expect(report.status, await report.clone().text()).toBe(200);

    const file = await later.call('/v1/heads/pets/versions/2', { key });
    const head = readHead(new Uint8Array(await file.arrayBuffer()));
    expect(head.backbone.name).toBe('later');
    const wanted = await expectedHead(20);
    expect(head.labels).toEqual(wanted.labels);
    const { pixels } = await laterRuntime.decoder.decode(variant(900), laterRuntime.plan.input);
    const { probabilities } = score(wanted, laterRuntime.engine.codes(pixels));
    // An isolate that knows nothing of it reads KV.
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
    const { key } = await taughtTenant(older);
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
    const { id, key } = await taughtTenant(older);
    await moveAll(later, key);
    expect(await count(id, 'code_spaces')).toBe(1);
    expect(await count(id, 'second_codes')).toBe(6);
    const [{ id: example }] = await listed(later, key);
    await later.call(`/v1/heads/pets/examples/${example}`, { key, method: 'DELETE' });
    // What was forgotten is forgotten in every space, and with it the versions that knew it.
    const { versions } = await (await later.call('/v1/heads/pets', { key })).json<HeadDetail>();
    expect(versions.map(({ version }) => version)).toEqual([3]);
    expect(await count(id, 'code_spaces')).toBe(0);
    expect(await count(id, 'second_codes')).toBe(0);

    const other = await taughtTenant(older);
    await moveAll(later, other.key);
    await later.call('/v1/heads/pets/versions/1', { key: other.key, method: 'DELETE' });
    expect(await count(other.id, 'second_codes')).toBe(0);
    expect(await rebased(later, other.key)).not.toHaveProperty('before');
  });

  it('is given up without a trace', async () => {
    const { id, key } = await taughtTenant(older);
    const before = await classify(older, key);
    expect(await rebased(later, key)).toMatchObject({ state: 'under_way', done: 6 });
    expect(await rebased(later, key, 'DELETE')).toMatchObject({ state: 'not_begun', done: 0, total: 6 });
    expect(await count(id, 'second_codes')).toBe(0);
    expect((await classify(later, key)).predictions).toEqual(before.predictions);
    expect(await rebased(later, key, 'DELETE')).toMatchObject({ state: 'not_begun' });
  });

  it('two clients at once make every code once, and one version', async () => {
    const { id, key } = await taughtTenant(older, 20);
    const runs = await Promise.all([moveAll(later, key), moveAll(later, key)]);
    for (const { last } of runs) expect(last).toMatchObject({ state: 'done', after: { version: 2 } });
    expect(await count(id, 'second_codes')).toBe(40);
    expect(await count(id, 'versions')).toBe(2);
  });

  it('of a head that is there already is done at once', async () => {
    const { key } = await taughtTenant(older);
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
  return trainHead(
    {
      backbone: { name: plan.name, version: plan.version, weightsSha256: plan.weightsSha256 },
      taps: plan.taps.map((tap) => tap.name),
      labels: ['cat', 'dog'],
      codes: Float16Array.from(made),
      targets: Uint16Array.from(known, ({ label }) => (label === 'cat' ? 0 : 1)),
    },
    { linalg },
  );
}
