/** A tenant as a file and back, byte for byte; keys that are replaced; tenants that are deleted. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { Routing, Taught } from '../../src/api/index.ts';
import { pointerName } from '../../worker/stores/layout.ts';
import { backupOf, sendBackup } from './backups.ts';
import { codes, batch } from './batches.ts';
import { ADMIN_SECRET, Isolate, makeHeadFile, problemOf, stubOf, sweep, testEnv } from './support.ts';

const isolate = new Isolate();
const code = async (response: Promise<Response>) => (await problemOf(await response)).code;
const restore = (key: string, body: string) => sendBackup(isolate, key, body);
const download = async (key: string, head: string, version: number) =>
  new Uint8Array(await (await isolate.call(`/v1/heads/${head}/versions/${version}`, { key })).arrayBuffer());

async function taughtTenant(): Promise<{ id: string; key: string }> {
  const tenant = await isolate.newTenant();
  const { key } = tenant;
  for (const examples of [[codes('cat', 4), codes('dog', 4)], [codes('emu', 3)]])
    await isolate.call('/v1/heads/pets/teach', { key, json: batch(...examples) });
  await isolate.put(key, 'pushed', await makeHeadFile());
  await isolate.call('/v1/heads/pets/names/live', { key, method: 'PUT', json: { version: 1 } });
  return tenant;
}

describe('a backup', () => {
  it('restores heads byte for byte, and what they were taught', async () => {
    const { key } = await taughtTenant();
    const file = await backupOf(isolate, key);
    const other = await isolate.newTenant();
    const answer = await restore(other.key, file);
    expect(await answer.json()).toEqual({ heads: 2, versions: 3, examples: 11 });
    for (const [head, version] of [
      ['pets', 1],
      ['pets', 2],
      ['pushed', 1],
    ] as const)
      expect(await download(other.key, head, version)).toEqual(await download(key, head, version));
    const routing = await (await isolate.call('/v1/heads/pets/routing', { key: other.key })).json<Routing>();
    expect(routing).toEqual({ version: 2, names: { live: 1 } });
    expect((await isolate.classify(other.key, 'pets')).status).toBe(200);
    // Both go on from the same examples.
    const taught: Taught[] = [];
    for (const each of [key, other.key]) {
      const response = await isolate.call('/v1/heads/pets/teach', {
        key: each,
        json: batch(codes('fox', 3)),
      });
      taught.push(await response.json<Taught>());
    }
    expect(taught[1]).toEqual(taught[0]);
    expect(await download(other.key, 'pets', 3)).toEqual(await download(key, 'pets', 3));
  });

  it('that is broken, or meets a head, is refused', async () => {
    const { key } = await taughtTenant();
    const lines = (await backupOf(isolate, key)).trimEnd().split('\n');
    expect(await code(restore(key, lines.join('\n')))).toBe('conflict');
    const fresh = async (body: string) => code(restore((await isolate.newTenant()).key, body));
    expect(await fresh('')).toBe('invalid_request');
    expect(await fresh('{')).toBe('invalid_request');
    expect(await fresh(lines.slice(1).join('\n'))).toBe('invalid_request');
    expect(await fresh(lines.slice(0, -1).join('\n'))).toBe('invalid_request');
    expect(await fresh([...lines.slice(0, 3), ...lines.slice(2)].join('\n'))).toBe('invalid_request');
    expect(await fresh(lines.filter((line) => !line.startsWith('{"row":"version"')).join('\n'))).toBe(
      'invalid_request',
    );
    const broken = lines.map((line) => line.replace(/"file":"[^"]{40}/, '"file":"AAAA'));
    expect(await fresh(broken.join('\n'))).toBe('head_invalid');
    const json = await isolate.call('/v1/restore', { key, json: {} });
    expect((await problemOf(json)).code).toBe('unsupported_media_type');
    const reader = await isolate.newKey(key, ['read']);
    expect(await code(isolate.call('/v1/backup', { key: reader.key }))).toBe('forbidden');
  });
});

describe('a key', () => {
  it('is replaced by one with the same scopes, even the last', async () => {
    const { key } = await isolate.newTenant();
    const { keys } = await (await isolate.call('/v1/keys', { key })).json<{ keys: { id: string }[] }>();
    const path = `/v1/keys/${keys[0].id}/rotate`;
    const rotated = await isolate.call(path, { key, method: 'POST' });
    expect(rotated.status).toBe(201);
    const { key: next } = await rotated.json<{ key: string }>();
    expect(await code(isolate.call('/v1/keys', { key }))).toBe('key_revoked');
    expect((await isolate.call('/v1/keys', { key: next })).status).toBe(200);
    expect(await code(isolate.call(path, { key: next, method: 'POST' }))).toBe('key_not_found');
  });
});

/** Of all tenants of all files. */
async function objectNames(): Promise<string[]> {
  const names: string[] = [];
  let page: R2Objects | undefined;
  do {
    page = await testEnv.HEADS.list(page?.truncated === true ? { cursor: page.cursor } : {});
    names.push(...page.objects.map(({ key }) => key));
  } while (page.truncated);
  return names;
}

describe('a tenant', () => {
  it('is deleted with all that any store has of it', async () => {
    const { id, key } = await taughtTenant();
    const path = `/v1/tenants/${id}`;
    const project = '/customvision/v3.3/training/projects?name=Pets';
    const headers = { 'training-key': key };
    expect((await isolate.call(project, { method: 'POST', headers })).status).toBe(200);
    expect(await code(isolate.call(path, { key, method: 'DELETE' }))).toBe('unauthorized');
    expect((await isolate.call(path, { key: ADMIN_SECRET, method: 'DELETE' })).status).toBe(204);
    const elsewhere = new Isolate();
    expect((await elsewhere.call('/v1/heads', { key })).status).toBe(401);
    expect((await objectNames()).filter((name) => name.includes(id))).toEqual([]);
    expect(await testEnv.POINTERS.get(pointerName(id, 'pets'))).toBeNull();
    await sweep(id);
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'examples'").toArray()).toEqual(
        [],
      );
    });
    expect(await code(isolate.call(path, { key: ADMIN_SECRET, method: 'DELETE' }))).toBe('tenant_not_found');
    const wrong = isolate.call('/v1/tenants/nobody', { key: ADMIN_SECRET, method: 'DELETE' });
    expect(await code(wrong)).toBe('invalid_request');
  });
});
