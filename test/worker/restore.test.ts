/** Restores that take their time, meet others, break off or lose an answer: all of a backup comes in, or nothing. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { BackupRow } from '../../src/api/index.ts';
import type { Bodied } from '../../worker/http/body.ts';
import { Leases } from '../../worker/isolate/leases.ts';
import {
  BODY_READ_TIMEOUT_MS,
  MAX_BACKUP_LINE_BYTES,
  RESERVATION_MARGIN_MS,
  RESERVATION_MS,
} from '../../worker/limits.ts';
import { restore } from '../../worker/backup/restore.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { HeadStore } from '../../worker/stores/heads.ts';
import type { TenantStub } from '../../worker/tenant/stub.ts';
import { fileOf, sendBackup, someBackup } from './backups.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { changed, Isolate, makeHeadFile, problemOf, soon, tenantOf, testEnv } from './support.ts';

const isolate = new Isolate();
const conflict = { status: 409, code: 'conflict' };
let rows: BackupRow[];

beforeAll(async () => {
  rows = await someBackup(isolate);
});

const send = (key: string, body: BodyInit | Uint8Array) => sendBackup(isolate, key, body);

/** A body of which a part has come, and the rest when the test calls for it. */
function slowly(text: string): { body: ReadableStream<Uint8Array>; finish: () => void } {
  const bytes = new TextEncoder().encode(text);
  const half = text.lastIndexOf('{"row":"example"') + 10;
  const { promise: wanted, resolve: finish } = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(bytes.subarray(0, half));
      await wanted;
      controller.enqueue(bytes.subarray(half));
      controller.close();
    },
  });
  return { body, finish };
}
const hasBegun = (key: string): Promise<void> =>
  soon(async () => expect((await isolate.call('/v1/heads/pets/examples', { key })).status).toBe(200));

describe('while a backup comes in', () => {
  it('nothing else changes heads', async () => {
    const { key } = await isolate.newTenant();
    const { body, finish } = slowly(fileOf(rows));
    const restored = send(key, body);
    await hasBegun(key);
    const json = teachRequest(codes('emu', 2));
    for (const head of ['pets', 'others']) {
      expect(await problemOf(await isolate.put(key, head, await makeHeadFile()))).toEqual(conflict);
      expect(await problemOf(await isolate.call(`/v1/heads/${head}/teach`, { key, json }))).toEqual(conflict);
      const deleted = await isolate.call(`/v1/heads/${head}`, { key, method: 'DELETE' });
      expect(await problemOf(deleted)).toEqual(conflict);
    }
    expect(await problemOf(await isolate.call('/v1/backup', { key }))).toEqual(conflict);
    finish();
    expect((await restored).status).toBe(200);
    expect((await isolate.call('/v1/heads/pets/teach', { key, json })).status).toBe(200);
  });

  it('another one takes over, and the first can do it no harm', async () => {
    const { key } = await isolate.newTenant();
    const { body, finish } = slowly(fileOf(rows));
    const first = send(key, body);
    await hasBegun(key);
    expect((await send(key, fileOf(rows))).status).toBe(200);
    const before = await (await isolate.call('/v1/heads/pets', { key })).json();
    finish();
    expect(await problemOf(await first)).toEqual(conflict);
    expect(await (await isolate.call('/v1/heads/pets', { key })).json()).toEqual(before);
    expect((await isolate.classify(key, 'pets')).status).toBe(200);
  });

  it('a crash leaves a tenant that waits for the backup to be sent again', async () => {
    const { id, key } = await isolate.newTenant();
    const [, taught] = rows;
    await tenantOf(id).restore.begin('crashed');
    if (taught.row === 'taught') await tenantOf(id).restore.taught('crashed', taught);
    const json = teachRequest(codes('emu', 2));
    expect(await problemOf(await isolate.call('/v1/heads/pets/teach', { key, json }))).toEqual(conflict);
    expect((await send(key, fileOf(rows))).status).toBe(200);
    expect(await problemOf(await send(key, fileOf(rows)))).toEqual(conflict);
    expect((await isolate.call('/v1/heads/pets/teach', { key, json })).status).toBe(200);
  });

  it('it is given up where no more comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const { key } = await isolate.newTenant();
    const answer = send(key, slowly(fileOf(rows)).body);
    while (vi.getTimerCount() === 0) await scheduler.wait(1);
    await vi.advanceTimersByTimeAsync(BODY_READ_TIMEOUT_MS);
    vi.useRealTimers();
    expect(await problemOf(await answer)).toEqual({ status: 408, code: 'body_timeout' });
    expect((await send(key, fileOf(rows))).status).toBe(200);
  });

  it('its lines wait for memory, and give it back', async () => {
    const all = 2 * MAX_BACKUP_LINE_BYTES + 1;
    const memory = new Leases(all, { leaseMs: 10_000, waitMs: 10 });
    const services = { runtime, heads: new HeadStore(runtime, memory) };
    const tenant = await isolate.newTenant();
    const attempt = () => {
      const { body }: Bodied = new Response(fileOf(rows));
      return restore(testEnv, tenant.id, services, memory.of(tenant.id), body!);
    };
    await memory.with(all - 100, () => expect(attempt()).rejects.toMatchObject({ code: 'overloaded' }));
    expect(await attempt()).toEqual({ heads: 2, versions: 2, examples: 6 });
    expect(memory.inUse).toBe(0);
  });
});

describe('where an answer is lost', () => {
  it('the end stays as it was', async () => {
    const { id, key } = await isolate.newTenant();
    await tenantOf(id).restore.begin('first');
    for (let i = 0; i < 2; i++)
      expect(await tenantOf(id).restore.end('first', true)).toEqual({ whole: true });
    expect(await tenantOf(id).restore.end('first', false)).toEqual({ whole: true });
    const taught = { key, json: teachRequest(codes('cat', 2)) };
    expect((await isolate.call('/v1/heads/pets/teach', taught)).status).toBe(200);
  });

  it('the caller is told all the same', async () => {
    const { key } = await isolate.newTenant();
    let lost = 0;
    const get = (id: DurableObjectId): TenantStub => {
      const stub = testEnv.TENANTS.get(id);
      const end: TenantStub['restore']['end'] = async (...attempt) => {
        const answer = await stub.restore.end(...attempt);
        if (lost++ === 0) throw new Error('Network connection lost.');
        return answer;
      };
      return changed(stub, { restore: changed(stub.restore, { end }) });
    };
    const TENANTS = changed(testEnv.TENANTS, { get });
    const response = await sendBackup(new Isolate({ ...testEnv, TENANTS }), key, fileOf(rows));
    expect(lost).toBe(2);
    expect(await response.json()).toEqual({ heads: 2, versions: 2, examples: 6 });
    expect((await isolate.classify(key, 'pets')).status).toBe(200);
  });

  it('a file whose reservation is about to end is not counted on', async () => {
    const { id } = await isolate.newTenant();
    const version = { head: 'pets', version: 1, sha256: 'aa' };
    const row = { trained_revision: null, held_back: null, created_at: 1, bytes: 1, description: '{}' };
    await tenantOf(id).restore.begin('slow');
    await tenantOf(id).restore.expectVersion('slow', version);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + RESERVATION_MS - RESERVATION_MARGIN_MS });
    const late = await tenantOf(id).restore.version('slow', { ...version, ...row });
    vi.useRealTimers();
    expect(late).toMatchObject({ refused: { code: 'conflict' } });
  });
});

it('leaves no file behind where it is given up', async () => {
  const { id, key } = await isolate.newTenant();
  expect(await problemOf(await send(key, fileOf(rows.slice(0, -1))))).toEqual({
    status: 400,
    code: 'invalid_request',
  });
  expect((await testEnv.HEADS.list({ prefix: `heads/${id}/` })).objects).toEqual([]);
});
