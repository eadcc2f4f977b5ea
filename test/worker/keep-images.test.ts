/** keep_images: pictures of examples are kept in R2 where the tenant wants it, and go with what they are of. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { ExampleList } from '../../src/api/index.ts';
import { RESERVATION_MS } from '../../worker/limits.ts';
import { codes, batch } from './batches.ts';
import { ADMIN_SECRET, Isolate, JPEG, picture, problemOf, stubOf, testEnv } from './support.ts';

const isolate = new Isolate();
const WEBP = picture('lossy.webp');
const PNG = picture('palette-alpha.png');

const objects = async (tenant: string): Promise<number> =>
  (await testEnv.HEADS.list({ prefix: `images/${tenant}/` })).objects.length;

async function examples(key: string, head = 'pets'): Promise<ExampleList['examples']> {
  const response = await isolate.call(`/v1/heads/${head}/examples`, { key });
  return (await response.json<ExampleList>()).examples;
}

const choose = (key: string, json: unknown): Promise<Response> =>
  isolate.call('/v1/settings', { key, method: 'PUT', json });

async function teach(key: string, fields: readonly (readonly [string, Uint8Array])[]): Promise<void> {
  const body = new FormData();
  for (const [label, bytes] of fields) body.append(label, new Blob([bytes]), 'photo');
  const response = await isolate.call('/v1/heads/pets/teach', { key, body });
  expect(response.status, await response.clone().text()).toBe(200);
}

async function taughtTenant(): Promise<{ id: string; key: string }> {
  const tenant = await isolate.newTenant();
  expect(await (await choose(tenant.key, { keep_images: true })).json()).toEqual({ keep_images: true });
  await teach(tenant.key, [
    ['cat', JPEG],
    ['cat', WEBP],
    ['dog', PNG],
  ]);
  return tenant;
}

describe('keep_images', () => {
  it('is off until it is chosen: no pixel is stored', async () => {
    const { id, key } = await isolate.newTenant();
    expect(await (await isolate.call('/v1/settings', { key })).json()).toEqual({ keep_images: false });
    await teach(key, [
      ['cat', JPEG],
      ['dog', PNG],
    ]);
    expect(await objects(id)).toBe(0);
    const [example] = await examples(key);
    expect(example.has_image).toBe(false);
    const response = await isolate.call(`/v1/heads/pets/examples/${example.id}/image`, { key });
    expect(await problemOf(response)).toEqual({ status: 404, code: 'image_not_found' });
  });

  it('keeps pictures as they came, to be fetched by their example', async () => {
    const { id, key } = await taughtTenant();
    const found = await examples(key);
    expect(found.map(({ has_image: kept }) => kept)).toEqual([true, true, true]);
    const types: string[] = [];
    for (const example of found) {
      const response = await isolate.call(`/v1/heads/pets/examples/${example.id}/image`, { key });
      types.push(response.headers.get('content-type') ?? '');
      const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
      expect(new Uint8Array(digest).toHex()).toBe(example.picture);
    }
    expect(types.sort()).toEqual(['image/jpeg', 'image/png', 'image/webp']);
    expect(await objects(id)).toBe(3);
  });

  it('keeps them for longer than it waits for one that is written', async () => {
    const { id, key } = await taughtTenant();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      storage.sql.exec('UPDATE garbage SET due_at = due_at - ?', RESERVATION_MS);
      await storage.setAlarm(Date.now() + 60_000);
    });
    await runDurableObjectAlarm(stubOf(id));
    for (const example of await examples(key)) {
      const response = await isolate.call(`/v1/heads/pets/examples/${example.id}/image`, { key });
      expect(response.status).toBe(200);
    }
    expect(await objects(id)).toBe(3);
  });

  it('deletes them with their example, class, head and tenant', async () => {
    const { id, key } = await taughtTenant();
    const [cat] = (await examples(key)).filter(({ label }) => label === 'cat');
    await isolate.call(`/v1/heads/pets/examples/${cat.id}`, { key, method: 'DELETE' });
    expect(await objects(id)).toBe(2);
    await isolate.call('/v1/heads/pets/classes/cat', { key, method: 'DELETE' });
    expect(await objects(id)).toBe(1);
    await isolate.call('/v1/heads/pets', { key, method: 'DELETE' });
    expect(await objects(id)).toBe(0);
    await teach(key, [
      ['cat', JPEG],
      ['dog', PNG],
    ]);
    expect(await objects(id)).toBe(2);
    await isolate.call(`/v1/tenants/${id}`, { key: ADMIN_SECRET, method: 'DELETE' });
    expect(await objects(id)).toBe(0);
  });

  it('gives a known example its picture when that comes once more, and keeps one of it', async () => {
    const { id, key } = await isolate.newTenant();
    await teach(key, [['cat', JPEG]]);
    await choose(key, { keep_images: true });
    await teach(key, [['cat', JPEG]]);
    await teach(key, [['cat', JPEG]]);
    const found = await examples(key);
    expect(found.map(({ has_image: kept }) => kept)).toEqual([true]);
    // The picture that came the third time is garbage, and goes when its time has come.
    expect(await objects(id)).toBe(2);
    const response = await isolate.call(`/v1/heads/pets/examples/${found[0].id}/image`, { key });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(JPEG);
  });

  it('switched off again, deletes what is there; codes stay', async () => {
    const { id, key } = await taughtTenant();
    await choose(key, { keep_images: false });
    expect(await objects(id)).toBe(0);
    expect((await examples(key)).map(({ has_image: kept }) => kept)).toEqual([false, false, false]);
  });

  it('is of pictures only, and of this tenant', async () => {
    const { id, key } = await isolate.newTenant();
    await choose(key, { keep_images: true });
    const json = batch(codes('cat', 2), codes('dog', 2));
    await isolate.call('/v1/heads/pets/teach', { key, json });
    expect(await objects(id)).toBe(0);
    const other = await taughtTenant();
    const [example] = await examples(other.key);
    const response = await isolate.call(`/v1/heads/pets/examples/${example.id}/image`, { key });
    expect(await problemOf(response)).toEqual({ status: 404, code: 'image_not_found' });
  });

  it('leaves nothing of a batch that was refused', async () => {
    const { id, key } = await taughtTenant();
    const body = new FormData();
    body.append('dog', new Blob([JPEG]), 'photo');
    const response = await isolate.call('/v1/heads/pets/teach', { key, body });
    expect((await problemOf(response)).code).toBe('label_conflict');
    expect((await examples(key)).filter(({ has_image: kept }) => kept)).toHaveLength(3);
    expect(await objects(id)).toBe(4);
  });

  it.each<[unknown, string]>([
    [{ keep_images: 'yes' }, 'keep_images'],
    [{ keep_images: true, keep_codes: true }, 'keep_codes'],
    [[], ''],
  ])('%j is no choice', async (json, field) => {
    const { key } = await isolate.newTenant();
    const expected = { status: 400, code: 'invalid_request', ...(field === '' ? {} : { field }) };
    expect(await problemOf(await choose(key, json))).toEqual(expected);
  });

  it("is the admin's to choose", async () => {
    const { key } = await isolate.newTenant();
    const writer = await isolate.newKey(key, ['read', 'write']);
    expect(await problemOf(await choose(writer.key, { keep_images: true }))).toEqual({
      status: 403,
      code: 'forbidden',
    });
  });
});
