/** workerd killed at each step of a rebase: the head answers as before, no code is lost, and the end is the same. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { Rebase } from '../../../src/api/index.ts';
import { picture } from '../protocols/house.ts';
import { temporaryFolder } from '../trainer/workspace.ts';
import { Mortal } from './teaching.ts';

/** In the order in which they come; each kills once. The head is trained on its old codes first, then on the new ones. */
const TRAINING = ['object written', 'before the pointer'];
const FATAL = ['codes made', 'codes made', ...TRAINING, ...TRAINING];
const EACH = 20;
const CATS = ['exif-1.jpg', 'exif-3.jpg', 'grey.jpg'];
const DOGS = ['progressive.jpg', 'cmyk.jpg', 'exif-6.jpg'];

const Detail = z.object({ versions: z.array(z.object({ version: z.int(), sha256: z.string() })) });

let mortal: Mortal | undefined;
afterEach(() => mortal?.stop());

/** A JPEG with a comment of two bytes: other bytes, the same pixels. */
function variant(i: number, name: string): Uint8Array<ArrayBuffer> {
  const bytes = picture(name);
  return Uint8Array.from([...bytes.subarray(0, 2), 0xff, 0xfe, 0, 4, i >> 8, i & 255, ...bytes.subarray(2)]);
}

function lesson(): FormData {
  const form = new FormData();
  for (let i = 0; i < EACH; i++) {
    form.append('cat', new Blob([variant(i, CATS[i % CATS.length])]), 'cat.jpg');
    form.append('dog', new Blob([variant(i, DOGS[i % DOGS.length])]), 'dog.jpg');
  }
  return form;
}

/** As if what these stores hold had been taught with another backbone. */
function makeOlder(state: string): void {
  let changed = 0;
  for (const file of globSync('**/*.sqlite', { cwd: state })) {
    const database = new DatabaseSync(join(state, file));
    const known = database
      .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'taught_heads'")
      .all();
    if (known.length > 0)
      changed += Number(
        database
          .prepare(
            "UPDATE taught_heads SET backbone = json_set(backbone, '$.weightsSha256', ?, '$.name', 'older')",
          )
          .run('e'.repeat(64)).changes,
      );
    database.close();
  }
  expect(changed).toBe(2);
}

it('moves a head through every crash', { timeout: 300_000 }, async () => {
  const left = [...FATAL];
  let armed = false;
  const state = temporaryFolder();
  const worker = new Mortal(state, (step) => {
    if (!armed || step !== left[0]) return;
    left.shift();
    worker.kill();
  });
  mortal = worker;
  await worker.start();
  const key = await worker.newTenant();
  const json = { 'content-type': 'application/json' };
  const settings = { method: 'PUT', headers: json, body: JSON.stringify({ keep_images: true }) };
  expect((await worker.call(key, '/v1/settings', settings)).status).toBe(200);
  for (const head of ['killed', 'spared']) {
    const taught = await worker.call(key, `/v1/heads/${head}/teach`, { method: 'POST', body: lesson() });
    expect(taught.status, await taught.clone().text()).toBe(200);
    const more = new FormData();
    more.append('cat', new Blob([variant(0, 'exif-2.jpg')]), 'cat.jpg');
    const path = `/v1/heads/${head}/teach?train=false`;
    expect((await worker.call(key, path, { method: 'POST', body: more })).status).toBe(200);
  }
  await worker.stop();
  makeOlder(state);
  await worker.start();

  const step = (head: string) => worker.call(key, `/v1/heads/${head}/rebase`, { method: 'POST' });
  const look = async (): Promise<Rebase> =>
    Rebase.parse(await (await worker.call(key, '/v1/heads/killed/rebase')).json());
  const detail = async (head: string) =>
    Detail.parse(await (await worker.call(key, `/v1/heads/${head}`)).json()).versions;

  let known = 0;
  for (let i = 0; i < 12 && left.length > 0; i++) {
    const before = left.length;
    armed = true;
    const answer = await step('killed')
      .then((response) => response.text())
      .catch(() => undefined);
    armed = false;
    expect(answer === undefined).toBe(left.length < before);
    if (answer === undefined) await worker.restart();
    const now = await look();
    expect(now.done).toBeGreaterThanOrEqual(known);
    known = now.done;
    expect(now.total).toBe(2 * EACH + 1);
    expect((await worker.call(key, '/v1/heads/killed/versions/1')).status).toBe(200);
    expect(await worker.counts(key, 'killed')).toEqual({ cat: EACH + 1, dog: EACH });
  }
  expect(await look()).toMatchObject({ state: 'done', done: 2 * EACH + 1 });
  expect(Rebase.parse(await (await step('killed')).json())).toEqual(await look());

  // The other one is moved without any, but for the answer that is lost.
  left.push('before the answer');
  for (let i = 0; i < 2; i++) expect((await step('spared')).status).toBe(200);
  armed = true;
  await expect(step('spared').then((response) => response.text())).rejects.toThrow();
  await worker.restart();
  expect(left).toEqual([]);
  const [moved, spared] = [await detail('killed'), await detail('spared')];
  // The newest first: in the new space, in the old one, and the one of before.
  expect(moved.map(({ sha256 }) => sha256)).toEqual(spared.map(({ sha256 }) => sha256));
  expect(new Set(moved.map(({ sha256 }) => sha256)).size).toBe(3);
});
