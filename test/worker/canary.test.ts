/** A canary's share: drawn by the hash of the picture or of the caller's key, the same in every protocol and in batches. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  BatchLine,
  type Classification,
  type HeadAnswer,
  type ReviewQueue,
  type Routing,
} from '../../src/api/index.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { sha256Hex } from '../../worker/access/api-key.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { Isolate, JPEG, picture, problemOf, soon } from './support.ts';

const isolate = new Isolate();

afterEach(() => void vi.restoreAllMocks());
const PICTURES = [JPEG, picture('lossy.webp'), picture('palette-alpha.png')];
const ONE = '/v1/heads/pets/classify';

async function ok<T>(response: Promise<Response>): Promise<T> {
  const answer = await response;
  expect(answer.status, await answer.clone().text()).toBe(200);
  return answer.json<T>();
}

/** A head whose version 2 answers, and version 1, which knows no emu, takes a share. */
async function withCanary(percent: number): Promise<string> {
  const { key } = await isolate.newTenant();
  for (const examples of [[codes('cat', 4), codes('dog', 4)], [codes('emu', 4)]])
    await ok(isolate.call('/v1/heads/pets/teach', { key, json: teachRequest(...examples) }));
  await ok(isolate.call('/v1/heads/pets/versions/1/activate', { key, json: { percent } }));
  return key;
}

const headersOf = (routingKey?: string): Record<string, string> =>
  routingKey === undefined ? {} : { 'routing-key': routingKey };
const send = (key: string, path: string, body: Uint8Array, routingKey?: string) =>
  isolate.call(path, { key, type: 'application/octet-stream', headers: headersOf(routingKey), body });
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const knowsNoEmu = (labels: string[]): 1 | 2 => (labels.includes('emu') ? 2 : 1);

/** What the share promises. */
async function expected(shown: string | Uint8Array, percent: number): Promise<1 | 2> {
  const share = Number.parseInt((await sha256Hex(shown)).slice(0, 8), 16) / 2 ** 32;
  return share * 100 < percent ? 1 : 2;
}

/** Which version answers one picture, by each kind of request. */
const WAYS: readonly [string, (key: string, bytes: Uint8Array, by?: string) => Promise<number>][] = [
  ['classify', async (key, bytes, by) => (await ok<Classification>(send(key, ONE, bytes, by))).version],
  [
    'classify with a heat-map',
    async (key, bytes, by) =>
      (await ok<Classification>(send(key, `${ONE}?explain=label`, bytes, by))).version,
  ],
  [
    'several heads',
    async (key, bytes, by) =>
      (await ok<{ results: HeadAnswer[] }>(send(key, '/v1/classify?heads=pets', bytes, by))).results[0]
        .version,
  ],
  [
    'a batch',
    async (key, bytes, by) => {
      const body = new FormData();
      body.append('image', new Blob([bytes]), 'photo');
      const response = await isolate.call(`${ONE}-batch`, { key, headers: headersOf(by), body });
      const line = BatchLine.parse(JSON.parse((await response.text()).split('\n')[0]));
      return 'version' in line && line.version !== undefined ? line.version : 2;
    },
  ],
  [
    'Hugging Face',
    async (key, bytes, by) => {
      const found = await ok<{ label: string }[]>(send(key, '/hf-inference/models/pets', bytes, by));
      return knowsNoEmu(found.map(({ label }) => label));
    },
  ],
  [
    'Workers AI',
    async (key, bytes, by) => {
      const path = '/client/v4/accounts/a/ai/run/@headwater/pets';
      const { result } = await ok<{ result: { label: string }[] }>(send(key, path, bytes, by));
      return knowsNoEmu(result.map(({ label }) => label));
    },
  ],
  [
    'Open Inference',
    async (key, bytes, by) => {
      const inputs = [{ name: 'image', datatype: 'BYTES', shape: [1], data: [base64(bytes)] }];
      const answer = isolate.call('/v2/models/pets/infer', { key, headers: headersOf(by), json: { inputs } });
      return Number((await ok<{ model_version: string }>(answer)).model_version);
    },
  ],
];

/** Keys of which some fall into a share of 40 % and some do not. */
const KEYS = ['ada', 'bert', 'cleo', 'dora', 'emil', 'fay', 'gus', 'hal'];

describe('a canary', () => {
  it.each(WAYS)('answers the same pictures and keys in %s', async (_, version) => {
    const key = await withCanary(40);
    for (const bytes of PICTURES) expect(await version(key, bytes)).toBe(await expected(bytes, 40));
    const met = new Set<number>();
    for (const by of KEYS) {
      const found = await version(key, JPEG, by);
      expect(found, by).toBe(await expected(by, 40));
      met.add(found);
    }
    expect(met.size).toBe(2);
  });

  it('only takes pictures from the other version as its share grows', async () => {
    const key = await withCanary(1);
    const answered = new Set<string>();
    for (const percent of [20, 60, 99]) {
      await ok(isolate.call('/v1/heads/pets/versions/1/activate', { key, json: { percent } }));
      for (const by of KEYS) {
        const { version } = await ok<HeadAnswer>(send(key, ONE, JPEG, by));
        if (version === 1) answered.add(by);
        else expect(answered.has(by), `${by} at ${percent} %`).toBe(false);
      }
    }
    expect(answered.size).toBeGreaterThan(KEYS.length / 2);
  });

  it('answers no request that names a version', async () => {
    const key = await withCanary(99);
    for (const by of KEYS)
      expect((await ok<HeadAnswer>(send(key, `${ONE}?version=2`, JPEG, by))).version).toBe(2);
  });

  it('reads numbers in the place of pictures, too', async () => {
    const key = await withCanary(40);
    const length = runtime.engine.codeLength;
    for (let i = 0; i < 6; i++) {
      const code = Float32Array.from({ length }, (_, d) => ((d * 7 + i) % 11) / 11);
      const inputs = [{ name: 'code', datatype: 'FP32', shape: [1, length], data: [...code] }];
      const answer = isolate.call('/v2/models/pets/infer', { key, json: { inputs } });
      const { model_version: version } = await ok<{ model_version: string }>(answer);
      expect(Number(version)).toBe(await expected(new Uint8Array(code.buffer), 40));
    }
  });

  it.each([
    ['', 'an empty one'],
    ['k'.repeat(257), 'one too long'],
  ])('refuses a key: %#', async (by) => {
    const key = await withCanary(40);
    for (const path of [ONE, '/v1/classify?heads=pets', `${ONE}-batch`]) {
      expect(await problemOf(await send(key, path, JPEG, by))).toEqual({
        status: 400,
        code: 'invalid_request',
        field: 'routing-key',
      });
    }
  });
});

describe('a version in the shadow and capture', () => {
  it('classify what comes in by any protocol', async () => {
    const { key } = await isolate.newTenant();
    for (const examples of [[codes('cat', 4), codes('dog', 4)], [codes('emu', 4)]])
      await ok(isolate.call('/v1/heads/pets/teach', { key, json: teachRequest(...examples) }));
    await ok(isolate.call('/v1/heads/pets/shadow', { key, method: 'PUT', json: { version: 1 } }));
    await ok(isolate.call('/v1/heads/pets/settings', { key, method: 'PUT', json: { capture: true } }));
    const shadowed = WAYS.filter(([name]) => name !== 'classify with a heat-map');
    for (const [, version] of shadowed) expect(await version(key, JPEG)).toBe(2);
    await soon(async () => {
      const { shadow } = await ok<Routing>(isolate.call('/v1/heads/pets/routing', { key }));
      expect(shadow).toMatchObject({ version: 1, requests: shadowed.length });
    });
    const { items } = await ok<ReviewQueue>(isolate.call('/v1/heads/pets/review', { key }));
    // The same picture waits once, however often it was classified.
    expect(items.map((item) => item.picture)).toEqual([await sha256Hex(JPEG)]);
  });

  it('an image is hashed once for the canary and for the review of several heads', async () => {
    const key = await withCanary(50);
    await ok(isolate.call('/v1/heads/pets/settings', { key, method: 'PUT', json: { capture: true } }));
    const digest = vi.spyOn(crypto.subtle, 'digest');
    await ok(send(key, '/v1/classify?heads=pets,pets', JPEG));
    const images = digest.mock.calls.filter(([, data]) => data.byteLength === JPEG.byteLength);
    expect(images).toHaveLength(1);
  });
});
