/** Versions in the shadow of a head in another code space: which classify the same pictures, and never at the answers' cost. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Classification, HeadAnswer, Routing } from '../../src/api/index.ts';
import { writeHead, type PictureInput } from '../../src/head/index.ts';
import { sha256Hex } from '../../worker/access/api-key.ts';
import { extractFeatures } from '../../worker/predict/features.ts';
import type { LoadedHead } from '../../worker/stores/head-loader.ts';
import { MAX_REQUEST_WORK_MS } from '../../worker/limits.ts';
import { RequestWork } from '../../worker/isolate/request-work.ts';
import { headObjectName } from '../../worker/stores/layout.ts';
import { Isolate, JPEG, picture, soon, tellCountsAtOnce, testEnv } from './support.ts';
import { headAt, older, OWN, SMALL, usual } from './two-sizes.ts';

const PICTURES = [JPEG, picture('lossy.webp'), picture('palette-alpha.png'), picture('exif-6.jpg')];

beforeEach(tellCountsAtOnce);
afterEach(() => void vi.restoreAllMocks());

async function ok<T>(response: Promise<Response>): Promise<T> {
  const answer = await response;
  expect(answer.status, await answer.clone().text()).toBeLessThan(300);
  return answer.json<T>();
}

const classify = (key: string, body: Uint8Array, query = '', path = '/v1/heads/pets/classify') =>
  ok<Classification>(older.call(`${path}${query}`, { key, type: 'application/octet-stream', body }));

const routing = (key: string, head = 'pets'): Promise<Routing> =>
  ok(older.call(`/v1/heads/${head}/routing`, { key }));

/** A head whose newest version answers, with version 1 in the shadow, whose file is in the isolate. */
async function put(key: string, name: string, ...inputs: [PictureInput, number][]): Promise<void> {
  for (const [input, seed] of inputs) await ok(older.put(key, name, writeHead(await headAt(input, seed))));
  await ok(older.call(`/v1/heads/${name}/shadow`, { key, method: 'PUT', json: { version: 1 } }));
  await classify(key, JPEG, '?version=1', `/v1/heads/${name}/classify`);
}

/** Of 1 and 2, so that they differ in some of the pictures. */
async function shadowed(): Promise<string> {
  const { key } = await older.newTenant();
  await put(key, 'pets', [OWN, 1], [SMALL, 5]);
  return key;
}

describe('a version in the shadow at another size', () => {
  it('is compared on every picture', async () => {
    const key = await shadowed();
    let disagreements = 0;
    for (const body of PICTURES) {
      const [loud, silent] = [await classify(key, body), await classify(key, body, '?version=1')];
      expect([loud.version, silent.version]).toEqual([2, 1]);
      if (loud.predictions[0].label !== silent.predictions[0].label) disagreements++;
    }
    // Otherwise the test would not tell a comparison with itself.
    expect(disagreements).toBeGreaterThan(0);
    await soon(async () => {
      expect((await routing(key)).shadow).toEqual({ version: 1, requests: PICTURES.length, disagreements });
    });
  });

  it('has the picture decoded once for both, and each network run once', async () => {
    const key = await shadowed();
    await put(key, 'birds', [{ ...SMALL, height: 192, width: 192 }, 2], [OWN, 3]);
    await put(key, 'more', [{ ...SMALL, height: 192, width: 192 }, 4], [SMALL, 6]);
    const decode = vi.spyOn(usual.decoder, 'decodeAll');
    const run = vi.spyOn(usual.engine, 'codes');
    const { results } = await ok<{ results: HeadAnswer[] }>(
      older.call('/v1/classify?heads=pets,birds,more', { key, type: 'image/jpeg', body: JPEG }),
    );
    expect(decode).toHaveBeenCalledTimes(1);
    expect(decode.mock.calls[0][1]).toHaveLength(3);
    // Two sizes answer; the third is run once behind them, for two versions in the shadow.
    const sides = run.mock.calls.map(([, size]) => size?.width ?? 224);
    expect(sides.toSorted((a, b) => a - b)).toEqual([160, 192, 224]);
    decode.mockRestore();
    run.mockRestore();
    for (const { head, predictions } of results) {
      const alone = await classify(key, JPEG, '?version=2', `/v1/heads/${head}/classify`);
      expect(alone.predictions).toEqual(predictions);
    }
    for (const head of ['pets', 'birds', 'more'])
      await soon(async () => expect((await routing(key, head)).shadow).toMatchObject({ requests: 1 }));
  });

  it('does not read pixels, which are of one size', async () => {
    const key = await shadowed();
    const pixels = { name: 'pixels', datatype: 'UINT8', shape: [1, 160, 160, 3] };
    const data = Array<number>(160 * 160 * 3).fill(9);
    await ok(older.call('/v2/models/pets/infer', { key, json: { inputs: [{ ...pixels, data }] } }));
    await classify(key, JPEG);
    await soon(async () => expect((await routing(key)).shadow).toMatchObject({ requests: 1 }));
  });

  it('answers nothing where its file is gone, and the head answers as ever', async () => {
    const { id, key } = await older.newTenant();
    await put(key, 'pets', [OWN, 1], [SMALL, 5]);
    const before = await classify(key, JPEG);
    const file = await sha256Hex(writeHead(await headAt(OWN, 1)));
    await testEnv.HEADS.delete(headObjectName(id, 'pets', 1, file));
    const forgetful = new Isolate(testEnv, usual);
    const after = await ok<Classification>(forgetful.classify(key, 'pets'));
    expect(after.predictions).toEqual(before.predictions);
    expect((await forgetful.classify(key, 'pets', '?version=1')).status).toBe(500);
  });
});

describe('a version in the shadow whose file is not in the isolate', () => {
  it('lets the answer go, and is compared from the next picture on', async () => {
    const { id, key } = await older.newTenant();
    await put(key, 'pets', [OWN, 1], [SMALL, 5]);
    const silent = headObjectName(id, 'pets', 1, await sha256Hex(writeHead(await headAt(OWN, 1))));
    const { promise: fetched, resolve: fetch } = Promise.withResolvers<void>();
    let reads = 0;
    const get = async (name: string) => {
      if (name === silent) {
        reads++;
        await fetched;
      }
      return testEnv.HEADS.get(name);
    };
    const HEADS = new Proxy(testEnv.HEADS, {
      get: (bucket, name): unknown => (name === 'get' ? get : Reflect.get(bucket, name)),
    });
    const cold = new Isolate({ ...testEnv, HEADS }, usual);
    const first = await ok<Classification>(cold.classify(key, 'pets'));
    expect(first.version).toBe(2);
    fetch();
    await soon(async () => {
      await ok(cold.classify(key, 'pets'));
      expect((await routing(key)).shadow?.requests).toBeGreaterThan(0);
    });
    expect(reads).toBe(1);
  });
});

async function loadedAt(input: PictureInput, name: string): Promise<LoadedHead> {
  const head = await headAt(input);
  const file = { head: name, version: 1, objectName: name };
  return { file, head, runtime: await usual.of(head) };
}

describe('the work of versions in the shadow', async () => {
  const loud = await loadedAt(OWN, 'loud');
  const silent = await loadedAt(SMALL, 'silent');
  const its = silent.runtime;

  it('is not taken from the answers', async () => {
    const work = new RequestWork();
    const spent = vi.spyOn(work, 'nextRun');
    const { features, later } = await extractFeatures(JPEG, work, [loud], [silent]);
    expect([...features.keys()]).toEqual([usual]);
    const [once, twice] = [await later.get(its)!(), await later.get(its)!()];
    expect(once).toBe(twice);
    expect(spent).toHaveBeenCalledTimes(1);
    const { pixels } = await usual.decoder.decode(JPEG, SMALL);
    expect(once.code).toEqual(its.engine.codes(pixels));
  });

  it('is left out where it is too much, and the answers come', async () => {
    const work = new RequestWork();
    work.silent.decode(MAX_REQUEST_WORK_MS * 1e6);
    const { features, later } = await extractFeatures(JPEG, work, [loud], [silent]);
    expect(later.size).toBe(0);
    expect(features.get(usual)?.code).toEqual(
      (await extractFeatures(JPEG, new RequestWork(), [loud])).features.get(usual)?.code,
    );
  });

  it('does not hide what is wrong with a picture', async () => {
    const broken = JPEG.slice(0, JPEG.length / 2);
    await expect(extractFeatures(broken, new RequestWork(), [loud], [silent])).rejects.toMatchObject({
      code: 'image_corrupt',
    });
    const work = new RequestWork();
    work.decode(MAX_REQUEST_WORK_MS * 1e6);
    await expect(extractFeatures(JPEG, work, [loud])).rejects.toMatchObject({ code: 'too_much_work' });
  });
});
