/** Custom Vision's bulk changes and lists: one training for all, and no more records read at once than the request names. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MAX_PUBLISHED, Records } from '../../worker/protocols/custom-vision/records.ts';
import { Turns } from '../../worker/isolate/turns.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { Isolate, JPEG, stubOf, testEnv } from './support.ts';

const isolate = new Isolate();
const TRAINING = '/customvision/v3.3/training';

async function projectWithImages(images: number): Promise<{ id: string; key: string; project: string }> {
  const { id, key } = await isolate.newTenant();
  const headers = { 'training-key': key };
  const made = await isolate.call(`${TRAINING}/projects?name=Pets`, { method: 'POST', headers });
  const project = `${TRAINING}/projects/${(await made.json<{ id: string }>()).id}`;
  for (const name of ['cat', 'dog'])
    await isolate.call(`${project}/tags?name=${name}`, { method: 'POST', headers });
  const path = '/v1/heads/pets/teach?train=false';
  for (const seed of [1, 2]) {
    const json = teachRequest(codes('cat', images / 4, seed), codes('dog', images / 4, seed));
    await isolate.call(path, { key, json });
  }
  await isolate.call('/v1/heads/pets/train', { key, method: 'POST' });
  return { id, key, project };
}

/** Each training takes the head's next number. */
const trainings = (tenant: string): Promise<number> =>
  runInDurableObject(
    stubOf(tenant),
    (_, { storage }) => storage.sql.exec<{ n: number }>('SELECT last_version AS n FROM heads').one().n,
  );

describe('a deletion of images', () => {
  it('trains once without all of them', async () => {
    const { id, key, project } = await projectWithImages(300);
    const headers = { 'training-key': key };
    const count = async () => (await isolate.call(`${project}/images/tagged/count`, { headers })).json();
    const listed = await isolate.call(`${project}/images/tagged?take=250`, { headers });
    const ids = (await listed.json<{ id: string }[]>()).map((image) => image.id);
    const before = await trainings(id);
    const query = `imageIds=${ids.join(',')}`;
    const some = await isolate.call(`${project}/images?${query}`, { method: 'DELETE', headers });
    expect(some.status).toBe(204);
    expect(await count()).toBe(50);
    expect((await trainings(id)) - before).toBe(1);
    const tags = await isolate.call(`${project}/tags`, { headers });
    const counts = (await tags.json<{ imageCount: number }[]>()).map((tag) => tag.imageCount);
    expect(counts[0] + counts[1]).toBe(50);
    await isolate.call(`${project}/images?allImages=true`, { method: 'DELETE', headers });
    expect(await count()).toBe(0);
    // There is nothing left to train on.
    expect((await trainings(id)) - before).toBe(1);
    expect((await isolate.call('/v1/heads/pets', { key })).status).toBe(404);
  });
});

describe('published names', () => {
  it('are bounded, and those of versions that are gone make room', async () => {
    const { key, project } = await projectWithImages(8);
    const headers = { 'training-key': key };
    const iterations = async () =>
      (await isolate.call(`${project}/iterations`, { headers })).json<{ id: string }[]>();
    const publish = async (iteration: string, name: string) => {
      const path = `${project}/iterations/${iteration}/publish?publishName=${name}`;
      return (await isolate.call(path, { method: 'POST', headers })).status;
    };
    const [first] = await iterations();
    for (let i = 0; i < MAX_PUBLISHED; i++) {
      expect(await publish(first.id, `n${i}`)).toBe(200);
      await isolate.call(`/v1/heads/pets/names/n${i}`, { key, method: 'DELETE' });
    }
    expect(await publish(first.id, 'more')).toBe(429);
    await isolate.call('/v1/heads/pets/teach', { key, json: teachRequest(codes('cat', 1, 9)) });
    await isolate.call('/v1/heads/pets/versions/1', { key, method: 'DELETE' });
    const [second] = await iterations();
    expect(await publish(second.id, 'more')).toBe(200);
  });
});

describe('stored predictions', () => {
  it('make room with the first of an isolate, and then with every so many', async () => {
    const { key, project } = await projectWithImages(8);
    const headers = { 'training-key': key };
    const [{ id }] = await (
      await isolate.call(`${project}/iterations`, { headers })
    ).json<{ id: string }[]>();
    await isolate.call(`${project}/iterations/${id}/publish?publishName=live`, { method: 'POST', headers });
    const lists: string[] = [];
    const HEADS = new Proxy(testEnv.HEADS, {
      get(bucket, name): unknown {
        const value: unknown = Reflect.get(bucket, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (name === 'list') lists.push(JSON.stringify(args));
          return Reflect.apply(value, bucket, args) as unknown;
        };
      },
    });
    const other = new Isolate({ ...testEnv, HEADS });
    const path = `${project.replace(TRAINING, '/customvision/v3.0/Prediction').replace('/projects', '')}/classify/iterations/live/image`;
    for (let i = 0; i < 3; i++) {
      const options = { headers: { 'prediction-key': key }, type: 'application/octet-stream', body: JPEG };
      expect((await other.call(path, options)).status).toBe(200);
    }
    expect(lists.filter((options) => options.includes('/predictions/'))).toHaveLength(1);
  });

  it('take turns of their own in each project', () => {
    const turns = new Turns(3, 2);
    const lookUps = (names: string) =>
      names
        .split('')
        .map((name) => (turns.isDue(name) ? name : '-'))
        .join('');
    expect(lookUps('aaaabaa')).toBe('a--ab--');
    // c takes the place of b, used longest ago; then b that of a.
    expect(lookUps('cbc')).toBe('cb-');
  });
});

/** A bucket of small records that counts its calls. */
class CountingBucket {
  readonly objects = new Map<string, { readonly key: string; readonly uploaded: Date }>();
  readonly calls = { list: 0, get: 0, delete: 0 };
  atOnce = 0;
  #open = 0;

  constructor(prefix: string, count: number) {
    for (let i = 0; i < count; i++) {
      const key = prefix + String(i).padStart(5, '0');
      this.objects.set(key, { key, uploaded: new Date(i) });
    }
  }

  list({ prefix, limit = 1_000 }: { prefix: string; limit?: number }) {
    this.calls.list++;
    const found = [...this.objects.values()].filter(({ key }) => key.startsWith(prefix));
    return Promise.resolve({ objects: found.slice(0, limit), truncated: found.length > limit });
  }

  async get(key: string) {
    this.calls.get++;
    this.atOnce = Math.max(this.atOnce, ++this.#open);
    await scheduler.wait(0);
    this.#open--;
    return { json: () => Promise.resolve({ key }) };
  }

  delete(keys: string[]) {
    this.calls.delete++;
    expect(keys.length).toBeLessThanOrEqual(1_000);
    for (const key of keys) this.objects.delete(key);
    return Promise.resolve();
  }
}

const Row = z.object({ key: z.string() });
const recordsOf = (bucket: CountingBucket): Records => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of a bucket as Records uses
  return new Records({ HEADS: bucket as unknown as R2Bucket }, 't');
};

describe('records', () => {
  it('are read a few at a time, and no more of them than a list may have', async () => {
    const bucket = new CountingBucket('customvision/t/p/tags/', 700);
    expect(await recordsOf(bucket).list('p/tags/', Row, 200)).toHaveLength(200);
    expect(bucket.calls).toEqual({ list: 1, get: 200, delete: 0 });
    expect(bucket.atOnce).toBeLessThanOrEqual(6);
  });

  it('are read newest first for as long as they are wanted', async () => {
    const bucket = new CountingBucket('customvision/t/p/predictions/', 500);
    const keys: string[] = [];
    for await (const { key } of recordsOf(bucket).newest('p/predictions/', Row)) {
      keys.push(key.slice(-5));
      if (keys.length === 3) break;
    }
    expect(keys).toEqual(['00499', '00498', '00497']);
    expect(bucket.calls).toEqual({ list: 1, get: 6, delete: 0 });
  });

  it('are trimmed within one list and one deletion, however many there are', async () => {
    const bucket = new CountingBucket('customvision/t/p/predictions/', 3_000);
    await recordsOf(bucket).trim('p/predictions/', 500);
    expect(bucket.calls).toEqual({ list: 1, get: 0, delete: 1 });
    expect(bucket.objects.size).toBe(2_500);
  });

  it('are all deleted, a page at a time', async () => {
    const bucket = new CountingBucket('customvision/t/p/', 2_500);
    await recordsOf(bucket).deleteAll('p/');
    expect(bucket.objects.size).toBe(0);
    expect(bucket.calls).toEqual({ list: 3, get: 0, delete: 3 });
  });

  it('of what is gone are dropped', async () => {
    const bucket = new CountingBucket('customvision/t/p/iterations/', 5);
    await recordsOf(bucket).retain('p/iterations/', new Set(['00001', '00003']));
    expect([...bucket.objects.keys()].map((key) => key.slice(-1))).toEqual(['1', '3']);
  });
});
