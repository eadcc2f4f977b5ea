/** Uploaded heads, with tails or of other backbones, taught more classes on their own codes. */
import { beforeAll, describe, expect, it } from 'vitest';
import linalg from '../../build/wasm/linalg.wasm?module';
import type { Classification, HeadDetail, Problem, Routing, Taught } from '../../src/api/index.ts';
import { parseMethod, score, writeHead, type Head } from '../../src/head/index.ts';
import { continueHead } from '../../src/learn/further/continue.ts';
import { codeOf, mobileNet, tailedHead } from './tailed.ts';
import { Isolate, JPEG, makeHead, picture, problemOf, soon, tellCountsAtOnce } from './support.ts';

beforeAll(tellCountsAtOnce);

const isolate = new Isolate();
const NEW = ['lossy.webp', 'palette-alpha.png', 'rgb16.png', 'progressive.jpg'].map(picture);

function form(label: string, pictures: readonly Uint8Array[]): FormData {
  const data = new FormData();
  for (const bytes of pictures) data.append(label, new Blob([bytes]), 'photo');
  return data;
}

async function taught(response: Promise<Response>): Promise<Taught> {
  const answer = await response;
  expect(answer.status, await answer.clone().text()).toBe(200);
  return answer.json();
}

const teach = (key: string, label: string, pictures: readonly Uint8Array[], head = 'h') =>
  taught(isolate.call(`/v1/heads/${head}/teach`, { key, body: form(label, pictures) }));
const put = (key: string, path: string, json: object) =>
  isolate.call(`/v1/heads/h/${path}`, { key, method: 'PUT', json });
const remove = (key: string, path: string) => isolate.call(path, { key, method: 'DELETE' });
const detail = async (key: string, head = 'h'): Promise<HeadDetail> =>
  (await isolate.call(`/v1/heads/${head}`, { key })).json();
const download = async (key: string, version: number, head = 'h') =>
  new Uint8Array(await (await isolate.call(`/v1/heads/${head}/versions/${version}`, { key })).arrayBuffer());

async function uploaded(head: Head): Promise<string> {
  const { key } = await isolate.newTenant();
  expect((await isolate.put(key, 'h', writeHead(head))).status).toBe(201);
  return key;
}

/** Compared by hand: a matcher that looks for the difference takes seconds over megabytes. */
function expectSame(found: Uint8Array, wanted: Uint8Array): void {
  expect(found.length).toBe(wanted.length);
  expect(found.findIndex((byte, i) => byte !== wanted[i])).toBe(-1);
}

/** What must come out: the base continued with these pictures' codes. */
async function continued(base: Head, label: string, pictures: readonly Uint8Array[]): Promise<Head> {
  const codes = await Promise.all(pictures.map((bytes) => codeOf(base, bytes)));
  const joined = Float16Array.from(codes.flatMap((code) => [...code]));
  const set = { labels: [label], codes: joined, targets: new Uint16Array(pictures.length) };
  return (await continueHead(base, set, { linalg })).head;
}

describe('an uploaded head with a tail', async () => {
  const base = await tailedHead('b8.project', 1.05, 3);

  it('is taught a class on its own codes: the class works, old ones stay, the file is what the mathematics says', async () => {
    const key = await uploaded(base);
    const answer = await teach(key, 'new', NEW);
    expect(answer).toMatchObject({ version: 2, current: true, added: 4, examples: 4 });
    expect(answer.classes.map(({ label, examples }) => [label, examples])).toEqual([
      ['cat', 3],
      ['dog', 3],
      ['owl', 3],
      ['new', 4],
    ]);
    // Old classes were judged on pictures that are not here: nothing is said of them.
    expect(answer.classes.map(({ recall }) => recall === undefined)).toEqual([true, true, true, false]);
    expect(answer.leave_one_out?.examples).toBe(4);
    expect(answer.changes).toEqual({
      from_version: 1,
      classes: [{ label: 'new', change: 'added', examples: 4 }],
    });
    const expected = await continued(base, 'new', NEW);
    expectSame(await download(key, 2), writeHead(expected));
    const said = await (await isolate.classify(key, 'h', '?top_k=4')).json<Classification>();
    const { probabilities } = score(expected, await codeOf(expected, JPEG));
    expect(said.predictions[0].label).toBe('new');
    for (const { label, score: found } of said.predictions)
      expect(found).toBeCloseTo(probabilities[expected.labels.indexOf(label)], 4);
    const listed = await detail(key);
    expect(listed.classes.map(({ label }) => label)).toEqual(['cat', 'dog', 'owl', 'new']);
  });

  it('forgets exactly, and is the uploaded one again when nothing is left', async () => {
    const key = await uploaded(base);
    const first = await teach(key, 'new', NEW.slice(0, 2));
    const clean = await download(key, first.version ?? 0);
    await teach(key, 'other', NEW.slice(2));
    const without = await taught(remove(key, '/v1/heads/h/classes/other'));
    expect(without).toMatchObject({ forgotten: 2, examples: 2 });
    expectSame(await download(key, without.version ?? 0), clean);
    const { versions } = await detail(key);
    expect(new Set(versions.map(({ classes }) => classes))).toEqual(new Set([3, 4]));

    const none = await taught(remove(key, '/v1/heads/h/classes/new'));
    expect(none).toMatchObject({ forgotten: 2, examples: 0, classes: [] });
    expect(none.missing).toContain('version 1');
    const left = await detail(key);
    expect(left).toMatchObject({ version: 1 });
    expect(left.versions).toHaveLength(1);
    expect((await (await isolate.classify(key, 'h')).json<Classification>()).version).toBe(1);
    // What is taught now is taught on top of the same version again.
    expect(await teach(key, 'new', NEW.slice(0, 2))).toMatchObject({ examples: 2 });
    expectSame(await download(key, (await detail(key)).version), clean);
  });

  it('keeps the version that it is taught on top of, rolls back to it, and teaches on', async () => {
    const key = await uploaded(base);
    await teach(key, 'new', NEW.slice(0, 2));
    const refused = await remove(key, '/v1/heads/h/versions/1');
    expect(await problemOf(refused)).toMatchObject({ status: 409, code: 'conflict' });
    const back = await isolate.call('/v1/heads/h/versions/1/activate', { key, json: {} });
    expect(back.status).toBe(200);
    expect((await (await isolate.classify(key, 'h')).json<Classification>()).predictions).toHaveLength(3);
    const more = await teach(key, 'new', NEW.slice(2));
    expect(more).toMatchObject({ current: true, examples: 4 });
    expectSame(await download(key, more.version ?? 0), writeHead(await continued(base, 'new', NEW)));
  });

  it('learns more of a class that it has, and says why it cannot forget what came with it', async () => {
    const key = await uploaded(base);
    const answer = await teach(key, 'dog', NEW);
    expect(answer.classes.map(({ examples }) => examples)).toEqual([3, 7, 3]);
    const said = await (await isolate.classify(key, 'h')).json<Classification>();
    expect(said.predictions[0].label).toBe('dog');
    const refused = await remove(key, '/v1/heads/h/classes/cat');
    expect((await refused.clone().json<Problem>()).detail).toContain('was uploaded with it');
    expect(await problemOf(refused)).toMatchObject({ status: 409, code: 'conflict' });
    expect(await problemOf(await remove(key, '/v1/heads/h/classes/emu'))).toMatchObject({ status: 404 });
    const { examples } = await (
      await isolate.call('/v1/heads/h/examples', { key })
    ).json<{ examples: { id: string }[] }>();
    const moved = await taught(
      isolate.call(`/v1/heads/h/examples/${examples[0].id}`, {
        key,
        method: 'PATCH',
        json: { label: 'cat' },
      }),
    );
    expect(moved.classes.map((each) => each.examples)).toEqual([4, 6, 3]);
  });

  it('is taught with ready-made codes of its own, and refuses others', async () => {
    const key = await uploaded(base);
    const body = form('image', NEW);
    const embedded = await isolate.call('/v1/embed?head=h&encoding=base64', { key, body });
    const {
      backbone,
      base: hash,
      code_length: length,
      embeddings,
    } = await embedded.json<{
      backbone: object;
      base: string;
      code_length: number;
      embeddings: { code: string }[];
    }>();
    expect(length).toBe(base.codeLength);
    const [version] = (await detail(key)).versions;
    expect(hash).toBe(version.sha256);
    const examples = embeddings.map(({ code }) => ({ label: 'new', code }));
    const send = (json: object) => isolate.call('/v1/heads/h/teach', { key, json });
    for (const [wrong, field] of [
      [{ backbone, examples }, 'base'],
      [{ backbone, base: 'a'.repeat(64), examples }, 'base'],
    ] as const)
      expect(await problemOf(await send(wrong))).toMatchObject({ code: 'backbone_mismatch', field });
    const answer = await taught(send({ backbone, base: hash, examples }));
    expect(answer).toMatchObject({ added: 4, version: 2 });
    expectSame(await download(key, 2), writeHead(await continued(base, 'new', NEW)));
    // A head that is not uploaded is taught with codes of the backbone.
    const plain = await isolate.call('/v1/heads/fresh/teach', {
      key,
      json: { backbone, base: hash, examples },
    });
    expect(await problemOf(plain)).toMatchObject({ code: 'backbone_mismatch' });
    const there = await (
      await isolate.call('/v1/embed?head=fresh', { key, body: form('image', NEW) })
    ).json<object>();
    expect(there).not.toHaveProperty('base');
  });

  it('comes back from a backup whole, and is taught on', async () => {
    const key = await uploaded(base);
    await teach(key, 'new', NEW.slice(0, 2));
    const file = await (await isolate.call('/v1/backup', { key })).text();
    const other = await isolate.newTenant();
    const restored = await isolate.call('/v1/restore', {
      key: other.key,
      type: 'application/x-ndjson',
      body: file,
    });
    expect(restored.status, await restored.clone().text()).toBe(200);
    expectSame(await download(other.key, 2), await download(key, 2));
    await teach(other.key, 'new', NEW.slice(2));
    const { sha256 } = (await detail(key)).versions.find(({ version }) => version === 1)!;
    const broken = await isolate.call('/v1/restore', {
      key: (await isolate.newTenant()).key,
      type: 'application/x-ndjson',
      body: file.replace(`"sha256":"${sha256}"`, `"sha256":"${'0'.repeat(64)}"`),
    });
    expect((await broken.clone().json<Problem>()).detail).toContain('on top of a version');
    expect(await problemOf(broken)).toMatchObject({ code: 'invalid_request' });
    expectSame(await download(other.key, 3), writeHead(await continued(base, 'new', NEW)));
  });

  it('captures predictions as codes of its own, and learns from them', async () => {
    const key = await uploaded(base);
    expect((await put(key, 'settings', { capture: true })).status).toBe(200);
    await expect.poll(async () => (await detail(key)).version).toBe(1);
    const { id } = await (await isolate.classify(key, 'h')).json<Classification>();
    expect(id).toBeDefined();
    const json = { id, label: 'emu' };
    const answer = await soon(() => taught(isolate.call('/v1/heads/h/feedback', { key, json })));
    expect(answer).toMatchObject({ added: 1, version: 2 });
    expectSame(await download(key, 2), writeHead(await continued(base, 'emu', [JPEG])));
  });

  it('does not take a capture of another upload for an example', async () => {
    const key = await uploaded(base);
    await teach(key, 'new', NEW.slice(0, 2));
    const other = await tailedHead('b8.project', 0.9, 5);
    expect((await isolate.put(key, 'h', writeHead(other))).status).toBe(201);
    expect((await put(key, 'settings', { capture: true })).status).toBe(200);
    const { id, version } = await (await isolate.classify(key, 'h')).json<Classification>();
    expect(version).toBe(3);
    const refused = await isolate.call('/v1/heads/h/feedback', { key, json: { id, label: 'emu' } });
    expect(await problemOf(refused)).toMatchObject({ status: 409, code: 'conflict' });
  });

  it.each(['b8.project', 'b3.project', 'input'])('from %s answers in the shadow of another', async (from) => {
    const key = await uploaded(await makeHead(['cat', 'dog']));
    expect((await isolate.put(key, 'h', writeHead(await tailedHead(from, 1.05, 3)))).status).toBe(201);
    await isolate.call('/v1/heads/h/versions/1/activate', { key, json: {} });
    expect((await put(key, 'shadow', { version: 2 })).status).toBe(200);
    expect((await (await isolate.classify(key, 'h')).json<Classification>()).version).toBe(1);
    await soon(async () => {
      const answer = await isolate.call('/v1/heads/h/routing', { key });
      expect((await answer.json<Routing>()).shadow).toMatchObject({ version: 2, requests: 1 });
    });
  });

  it('is held back by its guard only for what can be compared', async () => {
    const key = await uploaded(base);
    expect((await put(key, 'settings', { guard_margin: 0 })).status).toBe(200);
    expect(await teach(key, 'new', NEW.slice(0, 2))).toMatchObject({ current: true });
  });
});

it('a head says how the examples were held out that its metrics are over', async () => {
  const plain = await makeHead(['cat', 'dog']);
  const training = { ...plain.training, method: parseMethod('fine-tune from b3, ridge-dual, 4-fold') };
  const key = await uploaded({ ...plain, training });
  expect((await detail(key)).versions).toMatchObject([{ held_out_by: '4-fold' }]);
  expect(await teach(key, 'new', NEW)).toMatchObject({ held_out_by: 'leave-one-out' });
  expect((await detail(key)).versions).toMatchObject([
    { held_out_by: 'leave-one-out' },
    { held_out_by: '4-fold' },
  ]);
});

it('a plain head that was uploaded is taught further as well', async () => {
  const base = await makeHead(['cat', 'dog'], 1, mobileNet);
  const key = await uploaded(base);
  await teach(key, 'new', NEW);
  expectSame(await download(key, 2), writeHead(await continued(base, 'new', NEW)));
});
