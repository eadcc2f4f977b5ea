/** Teaching in one request: examples in, a new version out; what repeats, contradicts, is too much or must be forgotten. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { Classification, ExampleList, Problem, Taught } from '../../src/api/index.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { BACKBONE, codes, teachRequest, SPACE } from './teach-requests.ts';
import { Isolate, JPEG, picture, problemOf, stubOf, testEnv } from './support.ts';

function form(fields: readonly (readonly [string, Uint8Array | string, string?])[]): FormData {
  const data = new FormData();
  for (const [name, value, filename] of fields) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([value]), filename ?? 'photo.jpg');
  }
  return data;
}

const isolate = new Isolate();
const teach = (key: string, head: string, json: object, query = '', headers: Record<string, string> = {}) =>
  isolate.call(`/v1/heads/${head}/teach${query}`, { key, json, headers });
async function taught(response: Response): Promise<Taught> {
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}
const code = async (response: Promise<Response>) => (await problemOf(await response)).code;
const download = async (key: string, head: string, version: number) =>
  new Uint8Array(await (await isolate.call(`/v1/heads/${head}/versions/${version}`, { key })).arrayBuffer());

describe('teach', () => {
  it('works from the second class on, and says what is missing before', async () => {
    const { key } = await isolate.newTenant();
    const one = await taught(await teach(key, 'pets', teachRequest(codes('cat', 5))));
    expect(one).toMatchObject({ head: 'pets', added: 5, duplicates: 0, examples: 5 });
    expect(one.version).toBeUndefined();
    expect(one.missing).toContain("'cat'");
    const two = await taught(await teach(key, 'pets', teachRequest(codes('dog', 5))));
    expect(two).toMatchObject({ version: 1, current: true, examples: 10 });
    expect(two.leave_one_out?.examples).toBe(10);
    expect(two.classes.map(({ label, examples }) => [label, examples])).toEqual([
      ['cat', 5],
      ['dog', 5],
    ]);
    const three = await taught(await teach(key, 'pets', teachRequest(codes('emu', 4))));
    expect(three).toMatchObject({ version: 2, changes: { from_version: 1 } });
    expect(three.changes?.classes.find(({ label }) => label === 'emu')).toMatchObject({
      change: 'added',
      examples: 4,
    });
    const answer = await (await isolate.classify(key, 'pets')).json<Classification>();
    expect(answer.version).toBe(2);
    expect(answer.predictions.map(({ label }) => label).sort()).toEqual(['cat', 'dog', 'emu']);
  });

  it('takes pictures in a form, by field or by label and image', async () => {
    const { key } = await isolate.newTenant();
    const body = form([
      ['cat', JPEG],
      ['cat', picture('lossy.webp')],
      ['dog', picture('palette-alpha.png')],
      ['label', 'dog'],
      ['image', picture('rgb16.png')],
    ]);
    const answer = await taught(await isolate.call('/v1/heads/pets/teach', { key, body }));
    expect(answer).toMatchObject({ added: 4, version: 1 });
    const { examples, total } = await (
      await isolate.call('/v1/heads/pets/examples?label=dog', { key })
    ).json<ExampleList>();
    expect(total).toBe(2);
    expect(examples.every(({ label, source }) => label === 'dog' && source === 'picture')).toBe(true);
  });

  it('only stores with train=false, and trains on request', async () => {
    const { key } = await isolate.newTenant();
    const stored = await taught(
      await teach(key, 'pets', teachRequest(codes('cat', 3), codes('dog', 3)), '?train=false'),
    );
    expect(stored.version).toBeUndefined();
    expect((await problemOf(await isolate.classify(key, 'pets'))).code).toBe('head_not_found');
    const trained = await taught(await isolate.call('/v1/heads/pets/train', { key, method: 'POST' }));
    expect(trained.version).toBe(1);
    const again = await taught(await isolate.call('/v1/heads/pets/train', { key, method: 'POST' }));
    expect(again.version).toBe(1);
  });

  it('counts a picture once under its label, and refuses it under another', async () => {
    const { key } = await isolate.newTenant();
    const [cats, dogs] = [codes('cat', 3), codes('dog', 3)];
    await taught(await teach(key, 'pets', teachRequest(cats, dogs)));
    expect(await taught(await teach(key, 'pets', teachRequest(cats)))).toMatchObject({
      added: 0,
      duplicates: 3,
      version: 1,
    });
    const wrong = await teach(key, 'pets', teachRequest(codes('cat', 2, 9), [{ ...dogs[0], label: 'cat' }]));
    const problem = await wrong.clone().json<Problem>();
    expect(await problemOf(wrong)).toMatchObject({ status: 409, code: 'label_conflict' });
    expect(problem.conflicts).toHaveLength(1);
    expect(problem.conflicts?.[0]).toMatchObject({ label: 'cat', known_label: 'dog' });
    expect(problem.conflicts?.[0].picture).toMatch(/^[0-9a-f]{64}$/);
    expect(problem.conflicts?.[0].example).toMatch(/^[a-z2-7]{16}$/);
    const { total } = await (await isolate.call('/v1/heads/pets/examples', { key })).json<ExampleList>();
    expect(total).toBe(6);
    const within = await teach(
      key,
      'pets',
      teachRequest([{ ...codes('a', 1)[0] }, { ...codes('a', 1)[0], label: 'b' }]),
    );
    expect((await problemOf(within)).code).toBe('label_conflict');
  });

  it('answers a repeat with the same Idempotency-Key the same, and refuses another request under it', async () => {
    const { key } = await isolate.newTenant();
    const headers = { 'idempotency-key': 'batch-1' };
    const body = teachRequest(codes('cat', 3), codes('dog', 3));
    const first = await teach(key, 'pets', body, '', headers);
    const original = await taught(first);
    await taught(await teach(key, 'pets', teachRequest(codes('emu', 3))));
    const repeat = await teach(key, 'pets', body, '', headers);
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    expect(await taught(repeat)).toEqual(original);
    const other = await teach(key, 'pets', teachRequest(codes('cat', 4)), '', headers);
    expect(await problemOf(other)).toMatchObject({ status: 422, code: 'idempotency_mismatch' });
  });

  it('gives the same head whatever the order and the batches', async () => {
    const [one, two] = [await isolate.newTenant(), await isolate.newTenant()];
    const all = [...codes('zebra', 6), ...codes('ant', 7), ...codes('mule', 5)];
    await taught(await teach(one.key, 'zoo', teachRequest(all)));
    const mixed = all.toSorted((a, b) => (a.code.slice(20) < b.code.slice(20) ? -1 : 1));
    for (let i = 0; i < mixed.length; i += 4)
      await taught(await teach(two.key, 'zoo', teachRequest(mixed.slice(i, i + 4)), '?train=false'));
    const last = await taught(await isolate.call('/v1/heads/zoo/train', { key: two.key, method: 'POST' }));
    expect(await download(two.key, 'zoo', last.version!)).toEqual(await download(one.key, 'zoo', 1));
  });

  it('answers many teach requests at once, each with a version that holds its examples', async () => {
    const { id, key } = await isolate.newTenant();
    const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
    const answers = await Promise.all(
      labels.map(async (label) => taught(await teach(key, 'zoo', teachRequest(codes(label, 3))))),
    );
    for (const [i, answer] of answers.entries()) {
      if (answer.version === undefined) continue;
      expect(answer.classes.map(({ label }) => label)).toContain(labels[i]);
    }
    const done = await taught(await isolate.call('/v1/heads/zoo/train', { key, method: 'POST' }));
    expect(done.classes.map(({ label }) => label)).toEqual(labels);
    // They shared trainings.
    expect(done.version).toBeLessThanOrEqual(labels.length);
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      expect(storage.sql.exec('SELECT * FROM outbox').toArray()).toEqual([]);
    });
  });

  it('refuses what it cannot be taught from, and stores nothing of it', async () => {
    const { key } = await isolate.newTenant();
    const post = (body: BodyInit, type?: string) =>
      isolate.call('/v1/heads/pets/teach', { key, body, ...(type === undefined ? {} : { type }) });
    expect(await code(post('{}', 'text/plain'))).toBe('unsupported_media_type');
    expect(await code(post('', 'application/json'))).toBe('body_empty');
    expect(await code(post('{"examples":[]}', 'application/json'))).toBe('invalid_request');
    expect(await code(post('{"examples":[{"label":"a"}]}', 'application/json'))).toBe('invalid_request');
    expect(await code(post(form([['image', JPEG]])))).toBe('invalid_request');
    expect(await code(post(form([['label', 'a']])))).toBe('invalid_request');
    expect(await code(post(form([['cat', new Uint8Array([1, 2, 3])]])))).toBe('image_format_unknown');
    expect(
      await code(
        post(
          form([
            ['cat', JPEG],
            ['dog', JPEG.subarray(0, 200)],
          ]),
        ),
      ),
    ).toBe('image_corrupt');
    expect(await code(post(form([['a\u0007b', JPEG]])))).toBe('invalid_request');
    expect(await code(teach(key, 'pets', { examples: codes('cat', 1) }))).toBe('invalid_request');
    const strange = {
      backbone: { ...BACKBONE, weights_sha256: 'f'.repeat(64) },
      space: SPACE,
      examples: codes('cat', 1),
    };
    expect(await code(teach(key, 'pets', strange))).toBe('backbone_mismatch');
    expect(await code(teach(key, 'pets', teachRequest([{ label: 'cat', code: 'AAAA' }])))).toBe(
      'invalid_request',
    );
    expect(await code(teach(key, 'pets', teachRequest([{ label: 'cat', code: [1, 2] }])))).toBe(
      'invalid_request',
    );
    const infinite = Array.from({ length: runtime.engine.codeLength }, () => 1e6);
    expect(await code(teach(key, 'pets', teachRequest([{ label: 'cat', code: infinite }])))).toBe(
      'invalid_request',
    );
    expect(
      await code(teach(key, 'pets', teachRequest([{ label: 'cat', url: 'http://10.0.0.1/a.jpg' }]))),
    ).toBe('url_refused');
    expect(await code(teach(key, 'pets', teachRequest(codes('cat', 1)), '?train=maybe'))).toBe(
      'invalid_request',
    );
    expect(
      await code(teach(key, 'pets', teachRequest(codes('cat', 1)), '', { 'idempotency-key': 'a b' })),
    ).toBe('invalid_request');
    expect(await code(isolate.call('/v1/heads/pets/train', { key, method: 'POST' }))).toBe('head_not_found');
    expect(await code(isolate.call('/v1/heads/pets/examples', { key }))).toBe('head_not_found');
    const reader = await isolate.newKey(key, ['read']);
    expect(await code(teach(reader.key, 'pets', teachRequest(codes('cat', 1))))).toBe('forbidden');
  });
});

describe('forget', () => {
  it('leaves the head of a tenant that was never taught the class, byte for byte, and no version that saw it', async () => {
    const [one, two] = [await isolate.newTenant(), await isolate.newTenant()];
    const kept = teachRequest(codes('cat', 5), codes('dog', 6));
    await taught(await teach(one.key, 'pets', teachRequest(codes('ant', 4), codes('cat', 5))));
    await taught(await teach(one.key, 'pets', teachRequest(codes('dog', 6))));
    const answer = await taught(
      await isolate.call('/v1/heads/pets/classes/ant', { key: one.key, method: 'DELETE' }),
    );
    expect(answer).toMatchObject({ forgotten: 4, version: 3, current: true, examples: 11 });
    await taught(await teach(two.key, 'pets', kept));
    expect(await download(one.key, 'pets', 3)).toEqual(await download(two.key, 'pets', 1));
    for (const version of [1, 2]) {
      const gone = await isolate.call(`/v1/heads/pets/versions/${version}`, { key: one.key });
      expect((await problemOf(gone)).code).toBe('version_not_found');
    }
    const { objects } = await testEnv.HEADS.list({ prefix: `heads/${one.id}/` });
    expect(objects).toHaveLength(1);
  });

  it('keeps versions that never saw the example', async () => {
    const { key } = await isolate.newTenant();
    await taught(await teach(key, 'pets', teachRequest(codes('cat', 4), codes('dog', 4))));
    await taught(await teach(key, 'pets', teachRequest(codes('cat', 1, 5))));
    const { examples } = await (await isolate.call('/v1/heads/pets/examples', { key })).json<ExampleList>();
    const [latest] = examples.toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1));
    const path = `/v1/heads/pets/examples/${latest.id}`;
    const answer = await taught(await isolate.call(path, { key, method: 'DELETE' }));
    // What is left was trained on before: that version answers again.
    expect(answer).toMatchObject({ forgotten: 1, version: 1, current: true });
    expect((await problemOf(await isolate.call(path, { key, method: 'DELETE' }))).code).toBe(
      'example_not_found',
    );
    expect((await problemOf(await isolate.call('/v1/heads/pets/versions/2', { key }))).code).toBe(
      'version_not_found',
    );
  });

  it('leaves no version when fewer than two classes remain', async () => {
    const { id, key } = await isolate.newTenant();
    await taught(await teach(key, 'pets', teachRequest(codes('cat', 4), codes('dog', 4))));
    const answer = await taught(await isolate.call('/v1/heads/pets/classes/dog', { key, method: 'DELETE' }));
    expect(answer.version).toBeUndefined();
    expect(answer.missing).toContain("'cat'");
    expect((await problemOf(await isolate.classify(key, 'pets'))).code).toBe('head_not_found');
    expect((await testEnv.HEADS.list({ prefix: `heads/${id}/` })).objects).toEqual([]);
    const missing = await isolate.call('/v1/heads/pets/classes/dog', { key, method: 'DELETE' });
    expect((await problemOf(missing)).code).toBe('class_not_found');
    expect(await taught(await teach(key, 'pets', teachRequest(codes('emu', 3))))).toMatchObject({
      version: 2,
    });
  });

  it('takes a deleted head with its examples', async () => {
    const { id, key } = await isolate.newTenant();
    await taught(await teach(key, 'pets', teachRequest(codes('cat', 3), codes('dog', 3))));
    expect((await isolate.call('/v1/heads/pets', { key, method: 'DELETE' })).status).toBe(204);
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      expect(storage.sql.exec('SELECT id FROM examples').toArray()).toEqual([]);
    });
    expect((await problemOf(await isolate.call('/v1/heads/pets/examples', { key }))).code).toBe(
      'head_not_found',
    );
    const anew = await taught(await teach(key, 'pets', teachRequest(codes('emu', 3), codes('fox', 3))));
    expect(anew.version).toBe(2);
  });
});
