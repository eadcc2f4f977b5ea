/** KV and R2 that fail: the Worker falls back to the Durable Object, and says clearly what cannot be read anywhere else. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { Classification } from '../../src/api/index.ts';
import { BackupRow } from '../../src/api/index.ts';
import type { Env } from '../../worker/env.ts';
import { headObjectName } from '../../worker/stores/layout.ts';
import { Outbox } from '../../worker/tenant/outbox.ts';
import { backupOf, sendBackup } from './backups.ts';
import { codes, teachRequest } from './teach-requests.ts';
import {
  changed,
  counted,
  Isolate,
  JPEG,
  makeHeadFile,
  problemOf,
  stubOf,
  tenantOf,
  testEnv,
} from './support.ts';

const down = () => Promise.reject(new Error('GET failed: 500 Internal Server Error'));

const withoutKv: Env = { ...testEnv, POINTERS: changed(testEnv.POINTERS, { get: down }) };
const withBucket = (methods: Partial<Record<keyof R2Bucket, unknown>>): Env => ({
  ...testEnv,
  HEADS: changed(testEnv.HEADS, methods),
});
/** Durable Objects whose answers to commits are lost. */
const withoutCommits: Env = {
  ...testEnv,
  TENANTS: changed(testEnv.TENANTS, {
    get(id: DurableObjectId) {
      const stub = testEnv.TENANTS.get(id);
      return changed(stub, { heads: changed(stub.heads, { commit: down }) });
    },
  }),
};
const isolate = new Isolate();

/** A tenant with one uploaded head, and the name of its file. */
async function withHead(): Promise<{ id: string; key: string; objectName: string }> {
  const { id, key } = await isolate.newTenant();
  const { sha256 } = await (await isolate.put(key, 'pets', await makeHeadFile())).json<{ sha256: string }>();
  return { id, key, objectName: headObjectName(id, 'pets', 1, sha256) };
}

const spoil = async (objectName: string): Promise<void> => {
  const bytes = new Uint8Array(await (await testEnv.HEADS.get(objectName))!.arrayBuffer());
  bytes[bytes.length - 1] ^= 1;
  await testEnv.HEADS.put(objectName, bytes);
};

describe('with KV that fails', () => {
  it('the Durable Object answers for keys, for heads, for new keys', async () => {
    const { key } = await withHead();
    const cold = new Isolate(withoutKv);
    expect((await cold.classify(key, 'pets')).status).toBe(200);
    const made = await cold.newKey(key, ['read']);
    expect((await new Isolate(withoutKv).classify(made.key, 'pets', '?version=1')).status).toBe(200);
    expect(await problemOf(await cold.classify(key, 'nobody'))).toEqual({
      status: 404,
      code: 'head_not_found',
    });
    expect((await cold.call('/v1/keys', { key })).status).toBe(200);
  });

  it('what it should hold waits in the outbox, and R2 is tidied all the same', async () => {
    const { id } = await isolate.newTenant();
    await runInDurableObject(stubOf(id), async (_, { storage }) => {
      await testEnv.HEADS.put('rubbish', 'x');
      const outbox = new Outbox(storage, { HEADS: testEnv.HEADS, POINTERS: { put: down, delete: down } });
      outbox.add('key', 'abc');
      outbox.discard('rubbish', 0);
      await outbox.deliver(() => ({ name: 'key/abc', value: {} }));
      expect(await testEnv.HEADS.head('rubbish')).toBeNull();
      expect(outbox.pending).toBe(true);
      expect(await storage.getAlarm()).toBeGreaterThan(Date.now());
    });
    await runDurableObjectAlarm(stubOf(id));
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      expect(new Outbox(storage, testEnv).pending).toBe(false);
    });
  });
});

describe('a head file', () => {
  it('that is damaged is fetched once more, and then not served', async () => {
    const { key, objectName } = await withHead();
    await spoil(objectName);
    let reads = 0;
    const get = (name: string) => {
      reads++;
      return testEnv.HEADS.get(name);
    };
    const cold = new Isolate(withBucket({ get }));
    const damaged = { status: 500, code: 'head_damaged' };
    expect(await problemOf(await cold.classify(key, 'pets'))).toEqual(damaged);
    expect(reads).toBe(2);
    expect(await problemOf(await cold.call('/v1/heads/pets/versions/1', { key }))).toEqual(damaged);
    const taught = await cold.call('/v1/heads/pets/teach', {
      key,
      json: { examples: [{ label: 'cat', image: JPEG.toBase64() }] },
    });
    expect(await problemOf(taught)).toEqual(damaged);
  });

  it('that comes damaged once is served at the second attempt', async () => {
    const { key, objectName } = await withHead();
    const good = new Uint8Array(await (await testEnv.HEADS.get(objectName))!.arrayBuffer());
    let reads = 0;
    const get = async (name: string) => {
      const object = (await testEnv.HEADS.get(name))!;
      if (reads++ > 0) return object;
      await object.body.cancel();
      const bad = good.with(good.length - 1, good[good.length - 1] ^ 1);
      return changed(object, { arrayBuffer: () => Promise.resolve(bad.buffer) });
    };
    const cold = new Isolate(withBucket({ get }));
    expect((await (await cold.classify(key, 'pets')).json<Classification>()).version).toBe(1);
    expect(reads).toBe(2);
  });

  it('that is missing is missed in clear words', async () => {
    const { key, objectName } = await withHead();
    await testEnv.HEADS.delete(objectName);
    const cold = new Isolate();
    const damaged = { status: 500, code: 'head_damaged' };
    expect(await problemOf(await cold.classify(key, 'pets'))).toEqual(damaged);
    expect(await problemOf(await cold.call('/v1/heads/pets/versions/1', { key }))).toEqual(damaged);
  });
});

describe('uploading a head file again', () => {
  it.each([
    ['missing', (name: string) => testEnv.HEADS.delete(name)],
    ['damaged', spoil],
    ['cut off', (name: string) => testEnv.HEADS.put(name, new Uint8Array(100))],
  ])('writes it once more where it is %s', async (_, harm) => {
    const { key, objectName } = await withHead();
    await harm(objectName);
    expect(await problemOf(await new Isolate().classify(key, 'pets'))).toMatchObject({
      code: 'head_damaged',
    });
    const again = await new Isolate().put(key, 'pets', await makeHeadFile());
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ version: 1, created: false });
    expect((await new Isolate().classify(key, 'pets')).status).toBe(200);
    expect((await new Isolate().call('/v1/heads/pets/versions/1', { key })).status).toBe(200);
  });

  it('writes nothing where it is whole', async () => {
    const { key } = await withHead();
    const { env, calls } = counted();
    expect((await new Isolate(env).put(key, 'pets', await makeHeadFile())).status).toBe(200);
    expect(calls.filter((call) => call.startsWith('R2.'))).toEqual(['R2.get']);
  });

  it('makes a new version where the one with its content is deleted at that moment, and leaves no object of that', async () => {
    const { id, key, objectName } = await withHead();
    await testEnv.HEADS.delete(objectName);
    let puts = 0;
    const put = async (...args: Parameters<R2Bucket['put']>) => {
      if (puts++ === 0) await tenantOf(id).heads.delete('pets');
      return testEnv.HEADS.put(...args);
    };
    const again = await new Isolate(withBucket({ put })).put(key, 'pets', await makeHeadFile());
    expect(again.status).toBe(201);
    expect(await again.json()).toMatchObject({ version: 2, created: true });
    expect(await testEnv.HEADS.head(objectName)).toBeNull();
    expect((await new Isolate().classify(key, 'pets')).status).toBe(200);
  });

  it('keeps what was written where only the answer is lost', async () => {
    const { key, objectName } = await withHead();
    await spoil(objectName);
    const lost = await new Isolate(withoutCommits).put(key, 'pets', await makeHeadFile());
    expect(lost.status).toBe(500);
    expect((await new Isolate().classify(key, 'pets')).status).toBe(200);
  });
});

describe('with R2 that fails', () => {
  it('each call that needs it says so, and when to try again', async () => {
    const { key } = await withHead();
    const cold = new Isolate(withBucket({ get: down, put: down, list: down, delete: down }));
    const failed = { status: 503, code: 'store_failed' };
    const answer = await cold.classify(key, 'pets');
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await problemOf(answer)).toEqual(failed);
    expect(await problemOf(await cold.call('/v1/heads/pets/versions/1', { key }))).toEqual(failed);
    expect(await problemOf(await cold.put(key, 'other', await makeHeadFile(['a', 'b'], 3)))).toEqual(failed);
    const projects = '/customvision/v3.3/training/projects';
    const headers = { 'training-key': key };
    for (const path of [projects, `${projects}/${crypto.randomUUID()}`])
      expect(await (await cold.call(path, { headers })).json()).toMatchObject({ problem: 'store_failed' });
    const made = await cold.call(`${projects}?name=x`, { headers, method: 'POST' });
    expect(await made.json()).toMatchObject({ problem: 'store_failed' });
  });

  it('pictures that are kept are missed in clear words', async () => {
    const { key } = await isolate.newTenant();
    await isolate.call('/v1/settings', { key, method: 'PUT', json: { keep_images: true } });
    const image = JPEG.toBase64();
    const teach = (from: Isolate) =>
      from.call('/v1/heads/pets/teach?train=false', { key, json: { examples: [{ label: 'cat', image }] } });
    const failed = { status: 503, code: 'store_failed' };
    expect(await problemOf(await teach(new Isolate(withBucket({ put: down }))))).toEqual(failed);
    expect((await teach(isolate)).status).toBe(200);
    const { examples } = await (
      await isolate.call('/v1/heads/pets/examples', { key })
    ).json<{ examples: { id: string }[] }>();
    const path = `/v1/heads/pets/examples/${examples[0].id}/image`;
    expect(await problemOf(await new Isolate(withBucket({ get: down })).call(path, { key }))).toEqual(failed);
  });
});

const rowsOf = (file: string) =>
  file
    .trimEnd()
    .split('\n')
    .map((line) => BackupRow.parse(JSON.parse(line)));

/** Three versions of `pets`, of which the second is lost, damaged or cut off, and `taught`. */
async function tenantWithHeads(): Promise<{ key: string; names: string[] }> {
  const { id, key } = await isolate.newTenant();
  const names: string[] = [];
  for (const seed of [1, 2, 3]) {
    const response = await isolate.put(key, 'pets', await makeHeadFile(['cat', 'dog'], seed));
    const { sha256 } = await response.json<{ sha256: string }>();
    names.push(headObjectName(id, 'pets', seed, sha256));
  }
  await isolate.call('/v1/heads/taught/teach', { key, json: teachRequest(codes('cat', 3), codes('dog', 3)) });
  return { key, names };
}

describe('a backup', () => {
  it.each([
    ['lost', (name: string) => testEnv.HEADS.delete(name)],
    ['damaged', spoil],
  ])(
    'says in its last line which file is %s, holds all others, and is not restored as whole',
    async (_, harm) => {
      const { key, names } = await tenantWithHeads();
      await harm(names[1]);
      const file = await backupOf(isolate, key);
      const rows = rowsOf(file);
      const missing = { total: 1, versions: [{ head: 'pets', version: 2 }] };
      expect(rows.at(-1)).toEqual({ row: 'end', rows: rows.length - 1, unchanged: true, missing });
      const versions = rows.flatMap((row) => (row.row === 'version' ? [`${row.head} ${row.version}`] : []));
      expect(versions).toEqual(['pets 3', 'pets 1', 'taught 1']);
      expect(rows.filter(({ row }) => row === 'example')).toHaveLength(6);
      const other = await isolate.newTenant();
      const refused = await sendBackup(isolate, other.key, file);
      expect(await refused.clone().text()).toContain("version 2 of 'pets'");
      expect(await problemOf(refused)).toEqual({ status: 400, code: 'invalid_request' });
      expect(await (await isolate.call('/v1/heads', { key: other.key })).json()).toEqual({ heads: [] });
    },
  );

  it('takes a stream up again where it broke off', async () => {
    const { key } = await tenantWithHeads();
    const whole = rowsOf(await backupOf(isolate, key));
    let opened = 0;
    const get = async (name: string, options?: R2GetOptions) => {
      const object = (await testEnv.HEADS.get(name, options))!;
      // Each file is read twice: to look at it, and to hand it on.
      return ++opened % 3 === 2 ? changed(object, { body: brokenAfter(object.body, 10_000) }) : object;
    };
    const rows = rowsOf(await backupOf(new Isolate(withBucket({ get })), key));
    expect(opened).toBe(12);
    expect(rows.slice(1)).toEqual(whole.slice(1));
  });

  it('goes on behind a file that cannot be read', async () => {
    const { key, names } = await tenantWithHeads();
    const get = (name: string) => (name === names[1] ? down() : testEnv.HEADS.get(name));
    const rows = rowsOf(await backupOf(new Isolate(withBucket({ get })), key));
    expect(rows.at(-1)).toMatchObject({ unchanged: true, missing: { total: 1 } });
    expect(rows.filter(({ row }) => row === 'version')).toHaveLength(3);
  });
});

/** A body that fails behind so many bytes. */
function brokenAfter(body: ReadableStream, bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (left <= 0) throw new Error('connection lost');
        controller.enqueue(chunk.slice(0, left));
        left -= chunk.length;
        if (left < 0) controller.error(new Error('connection lost'));
      },
    }),
  );
}
