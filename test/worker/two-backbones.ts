/** Two deployments on the same stores: an older one, and a later one whose default is another backbone. */
import planJson from '../../backbones/mobilenet-v3-small/plan.json';
import weights from '../../backbones/mobilenet-v3-small/weights.safetensors';
import { runInDurableObject } from 'cloudflare:test';
import { expect } from 'vitest';
import type { Classification, ExampleList, Rebase } from '../../src/api/index.ts';
import { createRuntime, type Defaults } from '../../worker/isolate/runtime.ts';
import { type Runtime } from '../../worker/isolate/backbones.ts';
import type { Env } from '../../worker/env.ts';
import { Isolate, JPEG, picture, stubOf, testEnv } from './support.ts';

/** The built-in network with pictures of another size and its last two taps alone: as good as another network. */
const LATER_HASH = 'f'.repeat(64);
const LATER = {
  weightsSha256: LATER_HASH,
  weights,
  plan: {
    ...planJson,
    name: 'later',
    version: '2',
    weightsSha256: LATER_HASH,
    input: { ...planJson.input, height: 96, width: 96 },
    taps: planJson.taps.slice(-2),
  },
};

/** What the older one has as its default. */
const OLDER: Defaults = { backbone: planJson.name, input: { height: 224, width: 224, rules: 1 } };

export interface Deployments {
  readonly older: Isolate;
  readonly olderRuntime: Runtime;
  readonly later: Isolate;
  /** What the later one has as its default. */
  readonly laterRuntime: Runtime;
}

export async function twoDeployments(env: Env = testEnv): Promise<Deployments> {
  const olderRuntime = await createRuntime([LATER], OLDER);
  const laterRuntime = await olderRuntime.of({
    backbone: { name: '', version: '', weightsSha256: LATER_HASH },
  });
  const [older, later] = [olderRuntime, laterRuntime].map((each) => new Isolate(env, each));
  return { older, olderRuntime, later, laterRuntime };
}

const COMMENT = [0xff, 0xfe, 0x00, 0x04];

/** The same picture with a comment of two bytes: other bytes, the same pixels. */
export function variant(i: number, of: Uint8Array = JPEG): Uint8Array {
  return Uint8Array.from([...of.subarray(0, 2), ...COMMENT, i >> 8, i & 255, ...of.subarray(2)]);
}

/** Labelled pictures of two classes that differ. */
export function photos(each: number, from = 0): [string, Uint8Array][] {
  const other = picture('exif-6.jpg');
  return Array.from({ length: each }, (_, i): [string, Uint8Array][] => [
    ['cat', variant(from + i)],
    ['dog', variant(from + i, other)],
  ]).flat();
}

export function form(fields: readonly (readonly [string, Uint8Array])[]): FormData {
  const body = new FormData();
  for (const [label, bytes] of fields) body.append(label, new Blob([bytes.slice()]), 'photo');
  return body;
}

export const keepImages = (isolate: Isolate, key: string, keep = true): Promise<Response> =>
  isolate.call('/v1/settings', { key, method: 'PUT', json: { keep_images: keep } });

export async function teach(
  isolate: Isolate,
  key: string,
  fields: readonly (readonly [string, Uint8Array])[],
): Promise<void> {
  const response = await isolate.call('/v1/heads/pets/teach', { key, body: form(fields) });
  expect(response.status, await response.clone().text()).toBe(200);
}

/** One call of the rebase. */
export const rebase = (isolate: Isolate, key: string, method = 'POST'): Promise<Response> =>
  isolate.call('/v1/heads/pets/rebase', { key, method });

export async function rebased(isolate: Isolate, key: string, method = 'POST'): Promise<Rebase> {
  const response = await rebase(isolate, key, method);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json<Rebase>();
}

/** Steps until it is done. @returns the last answer, and how many steps it took. */
export async function moveAll(isolate: Isolate, key: string): Promise<{ last: Rebase; steps: number }> {
  for (let steps = 1; ; steps++) {
    const last = await rebased(isolate, key);
    if (last.state === 'done') return { last, steps };
    expect(steps).toBeLessThan(20);
  }
}

/** A tenant of the older deployment that keeps pictures and taught a head with them. */
export async function taughtTenant(older: Isolate, each = 3): Promise<{ id: string; key: string }> {
  const tenant = await older.newTenant();
  await keepImages(older, tenant.key);
  await teach(older, tenant.key, photos(each));
  return tenant;
}

export async function classify(isolate: Isolate, key: string, query = ''): Promise<Classification> {
  const response = await isolate.classify(key, 'pets', query);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

export async function listed(isolate: Isolate, key: string): Promise<ExampleList['examples']> {
  return (await (await isolate.call('/v1/heads/pets/examples', { key })).json<ExampleList>()).examples;
}

/** Rows of a table in a tenant's database. */
export const count = (id: string, table: string): Promise<number> =>
  runInDurableObject(stubOf(id), (_, { storage }) =>
    Number(storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one()['n']),
  );

export async function detailOf(response: Response): Promise<string> {
  return (await response.clone().json<{ detail: string }>()).detail;
}

/** A batch of codes of the older deployment's default, made up. */
export function madeUpBatch({ plan, engine }: Runtime, label: string, count: number): object {
  const { name, version, weightsSha256: weights_sha256 } = plan;
  const examples = Array.from({ length: count }, (_, i) => {
    const code = Float16Array.from({ length: engine.codeLength }, (__, d) => Math.sin(i + d));
    return { label, code: new Uint8Array(code.buffer).toBase64() };
  });
  return { backbone: { name, version, weights_sha256 }, examples };
}
