/** Every operation of our own API as the tests of bad input use it: who may call it, with what, and what it says of things that aren't there. */
import { expect } from 'vitest';
import type { ExampleList, ReviewQueue, Scope } from '../../src/api/index.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { JPEG, soon, type CallOptions, type Isolate } from './support.ts';

export interface Operation {
  /** 'none': anybody. 'secret': who knows the admin secret. */
  readonly scope: Scope | 'none' | 'secret';
  /** A JSON body that it accepts. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** It takes pictures: one, or many in one body. */
  readonly pictures?: 'one' | 'many';
  /** Another body that it accepts. */
  readonly type?: string;
  /** What it answers where that which its address names is not there; missing where nothing is, or where it makes it. */
  readonly absent?: string;
}

const head = 'head_not_found';

/** By method and path, as in the OpenAPI document. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /healthz': { scope: 'none' },
  'POST /v1/tenants': { scope: 'secret', json: { name: 'x' } },
  'DELETE /v1/tenants/{id}': { scope: 'secret' },
  'GET /v1/keys': { scope: 'admin' },
  'POST /v1/keys': { scope: 'admin', json: { name: 'x', scopes: ['read'] } },
  'DELETE /v1/keys/{id}': { scope: 'admin', absent: 'key_not_found' },
  'POST /v1/keys/{id}/rotate': { scope: 'admin', absent: 'key_not_found' },
  'GET /v1/usage': { scope: 'read' },
  'GET /v1/settings': { scope: 'read' },
  'PUT /v1/settings': { scope: 'admin', json: { keep_images: false } },
  'GET /v1/backup': { scope: 'admin' },
  'POST /v1/restore': { scope: 'admin', type: 'application/x-ndjson' },
  'GET /v1/heads': { scope: 'read' },
  'GET /v1/heads/{head}': { scope: 'read', absent: head },
  'PUT /v1/heads/{head}': { scope: 'write', type: 'application/octet-stream' },
  'DELETE /v1/heads/{head}': { scope: 'write', absent: head },
  'GET /v1/heads/{head}/settings': { scope: 'read', absent: head },
  'PUT /v1/heads/{head}/settings': { scope: 'write', json: { capture: false }, absent: head },
  'GET /v1/heads/{head}/versions/{version}': { scope: 'read', absent: head },
  'DELETE /v1/heads/{head}/versions/{version}': { scope: 'write', absent: head },
  'POST /v1/heads/{head}/versions/{version}/activate': {
    scope: 'write',
    json: { percent: 50 },
    absent: head,
  },
  'GET /v1/heads/{head}/versions/{version}/report': { scope: 'read', absent: head },
  'GET /v1/heads/{head}/routing': { scope: 'read', absent: head },
  'PUT /v1/heads/{head}/names/{name}': { scope: 'write', json: { version: 1 }, absent: head },
  'DELETE /v1/heads/{head}/names/{name}': { scope: 'write', absent: head },
  'PUT /v1/heads/{head}/shadow': { scope: 'write', json: { version: 1 }, absent: head },
  'DELETE /v1/heads/{head}/shadow': { scope: 'write', absent: head },
  'POST /v1/heads/{head}/teach': { scope: 'write', json: teachRequest(codes('emu', 1)), pictures: 'many' },
  'POST /v1/heads/{head}/train': { scope: 'write', absent: head },
  'GET /v1/heads/{head}/review': { scope: 'read', absent: head },
  'POST /v1/heads/{head}/feedback': {
    scope: 'write',
    json: { id: 'x', label: 'cat' },
    absent: 'prediction_not_found',
  },
  'GET /v1/heads/{head}/examples': { scope: 'read', absent: head },
  'GET /v1/heads/{head}/examples/{id}/image': { scope: 'read', absent: 'image_not_found' },
  'DELETE /v1/heads/{head}/examples/{id}': { scope: 'write', absent: head },
  'PATCH /v1/heads/{head}/examples/{id}': { scope: 'write', json: { label: 'cat' }, absent: head },
  'DELETE /v1/heads/{head}/classes/{label}': { scope: 'write', absent: head },
  'GET /v1/heads/{head}/rebase': { scope: 'read', absent: head },
  'POST /v1/heads/{head}/rebase': { scope: 'write', absent: head },
  'DELETE /v1/heads/{head}/rebase': { scope: 'write', absent: head },
  'POST /v1/heads/{head}/classify': { scope: 'read', pictures: 'one', absent: head },
  'POST /v1/heads/{head}/classify-batch': { scope: 'read', pictures: 'many', absent: head },
  'POST /v1/classify': { scope: 'read', pictures: 'one', absent: head },
  'POST /v1/embed': { scope: 'read', pictures: 'one' },
};

/** What an address may name. */
export interface Names {
  readonly head: string;
  readonly id: string;
  readonly label: string;
  readonly version: string;
  readonly name: string;
}

/** Method and address of an operation about these things. */
export function addressOf(operation: string, names: Names): { method: string; path: string } {
  const [method, pattern] = operation.split(' ');
  const values = new Map<string, string>(Object.entries(names));
  const path = pattern.replace(/\{([a-z]+)\}/g, (_, name: string) => values.get(name) ?? '');
  return { method, path: pattern === '/v1/classify' ? `${path}?heads=${names.head}` : path };
}

/** Calls an operation about these things with a body that it accepts. */
export function perform(isolate: Isolate, key: string, operation: string, names: Names): Promise<Response> {
  const { method, path } = addressOf(operation, names);
  const { json, pictures } = OPERATIONS[operation];
  return isolate.call(path, { key, method, ...bodyOf(json, pictures, names) });
}

function bodyOf(json: Operation['json'], pictures: Operation['pictures'], names: Names): CallOptions {
  if (json !== undefined) return { json: 'id' in json ? { ...json, id: names.id } : json };
  if (pictures === 'one') return { type: 'image/jpeg', body: JPEG };
  if (pictures === undefined) return {};
  const body = new FormData();
  body.append('image', new Blob([JPEG]), 'a.jpg');
  return { body };
}

/** A tenant with something of every kind, and how its things are called. */
export interface Stocked {
  readonly key: string;
  readonly names: Names;
  /** By what operations call them `id`. */
  readonly ids: { readonly key: string; readonly example: string; readonly prediction: string };
}

export async function stockedTenant(isolate: Isolate): Promise<Stocked> {
  const { key } = await isolate.newTenant();
  const spare = await isolate.newKey(key, ['read']);
  for (const examples of [[codes('cat', 4), codes('dog', 4)], [codes('cat', 1, 9)]])
    await isolate.call('/v1/heads/pets/teach', { key, json: teachRequest(...examples) });
  const put = (path: string, json: object) =>
    isolate.call(`/v1/heads/pets/${path}`, { key, method: 'PUT', json });
  await put('names/live', { version: 1 });
  await put('settings', { capture: true });
  await isolate.classify(key, 'pets');
  await put('shadow', { version: 1 });
  const prediction = await soon(async () => {
    const { items } = await (await isolate.call('/v1/heads/pets/review', { key })).json<ReviewQueue>();
    expect(items).toHaveLength(1);
    return items[0].id;
  });
  const { examples } = await (
    await isolate.call('/v1/heads/pets/examples?limit=1', { key })
  ).json<ExampleList>();
  const ids = { key: spare.id, example: examples[0].id, prediction };
  return { key, ids, names: { head: 'pets', id: spare.id, label: 'cat', version: '1', name: 'live' } };
}

/** What an operation's address or body names. */
export function namesFor(operation: string, { names, ids }: Stocked): Names {
  if (operation.includes('/keys/')) return { ...names, id: ids.key };
  return { ...names, id: operation.includes('/feedback') ? ids.prediction : ids.example };
}

/** @returns what fails if the tenant's things are not as they were when it was made. */
export async function takeStock(isolate: Isolate, key: string): Promise<() => Promise<void>> {
  const before = await everythingOf(isolate, key);
  return async () => expect(await everythingOf(isolate, key)).toEqual(before);
}

/** All that a tenant can read of itself, but for what counts its requests. */
async function everythingOf(isolate: Isolate, key: string): Promise<unknown[]> {
  const paths = ['', '/settings', '/versions/1/report', '/routing', '/review', '/examples'].map(
    (rest) => `/v1/heads/pets${rest}`,
  );
  const answers = ['/v1/keys', '/v1/settings', '/v1/heads', ...paths].map(async (path) => {
    const response = await isolate.call(path, { key });
    return response.json<unknown>();
  });
  return Promise.all(answers);
}
