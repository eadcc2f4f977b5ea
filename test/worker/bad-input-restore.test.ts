/** Backups that broke off, lie or contradict themselves: refused, and nothing of them is kept. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { BackupRow, type Problem } from '../../src/api/index.ts';
import type { Bodied } from '../../worker/body.ts';
import { Leases } from '../../worker/leases.ts';
import {
  BODY_READ_TIMEOUT_MS,
  MAX_BACKUP_LINE_BYTES,
  MAX_CLASSES_PER_TAUGHT_HEAD,
  MAX_EXAMPLES_PER_HEAD,
  MAX_HEADS_PER_TENANT,
  MAX_JSON_PARTS,
  MAX_VERSION_NAMES,
  RESERVATION_MARGIN_MS,
  RESERVATION_MS,
} from '../../worker/limits.ts';
import { restore } from '../../worker/restore.ts';
import { RestoreChecks } from '../../worker/restore-checks.ts';
import { runtime } from '../../worker/runtime.ts';
import { HeadStore } from '../../worker/stores/heads.ts';
import { pointerName } from '../../worker/stores/layout.ts';
import { codes, lesson } from './lessons.ts';
import { brokenBytes, Isolate, makeHeadFile, problemOf, slowBytes, stubOf, testEnv } from './support.ts';

type Row<Kind extends BackupRow['row']> = BackupRow & { row: Kind };

const isolate = new Isolate();
const INVALID = { status: 400, code: 'invalid_request' };
let rows: BackupRow[];

beforeAll(async () => {
  const { key } = await isolate.newTenant();
  await isolate.call('/v1/heads/pets/teach', { key, json: lesson(codes('cat', 3), codes('dog', 3)) });
  await isolate.put(key, 'pushed', await makeHeadFile());
  const file = new TextDecoder().decode(await (await isolate.call('/v1/backup', { key })).arrayBuffer());
  rows = file
    .trimEnd()
    .split('\n')
    .map((line) => BackupRow.parse(JSON.parse(line)));
});

/** A number in letters that an id may have. */
const letters = (i: number) => String(i).replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)]);

/** What two examples differ in. */
const unique = (i: number) => ({
  id: letters(i).padStart(16, 'z'),
  picture: String(i).padStart(64, '0'),
});

const fileOf = (changed: readonly object[]): string => changed.map((row) => JSON.stringify(row)).join('\n');

const send = (key: string, body: BodyInit | Uint8Array): Promise<Response> =>
  isolate.call('/v1/restore', { key, body, type: 'application/x-ndjson' });

/** Restores what is to be refused. After it the tenant is as before: nothing is seen of it, and a right backup comes in. */
async function refused(body: BodyInit | Uint8Array): Promise<Response> {
  const { id, key } = await isolate.newTenant();
  const response = await send(key, body);
  expect(await (await isolate.call('/v1/heads', { key })).json()).toEqual({ heads: [] });
  expect((await problemOf(await isolate.call('/v1/heads/pets/examples', { key }))).code).toBe(
    'head_not_found',
  );
  expect((await problemOf(await isolate.classify(key, 'pets'))).code).toBe('head_not_found');
  expect(await testEnv.POINTERS.get(pointerName(id, 'pets'))).toBeNull();
  expect((await send(key, fileOf(rows))).status).toBe(200);
  expect((await isolate.classify(key, 'pets')).status).toBe(200);
  return response;
}

/** The backup with its first row of a kind changed. */
function edited<Kind extends BackupRow['row']>(kind: Kind, change: (row: Row<Kind>) => object): string {
  const at = rows.findIndex(({ row }) => row === kind);
  const isKind = (row: BackupRow): row is Row<Kind> => row.row === kind;
  return fileOf(rows.map((row, i) => (i === at && isKind(row) ? { ...row, ...change(row) } : row)));
}

const without = (kind: BackupRow['row']): string => {
  const rest = rows.filter(({ row }) => row !== kind && row !== 'end');
  return fileOf([...rest, { row: 'end', rows: rest.length, unchanged: true }]);
};

describe('a backup', () => {
  it.each<[string, () => string]>([
    ['a code that is too short', () => edited('example', () => ({ code: 'AAAA' }))],
    ['a code that is none', () => edited('example', () => ({ code: '***' }))],
    ['a code of megabytes', () => edited('example', () => ({ code: 'A'.repeat(4_000_000) }))],
    [
      'a code that is not finite',
      () => edited('example', ({ code }) => ({ code: btoa('\xff'.repeat(atob(code).length)) })),
    ],
    ['a label with a bell', () => edited('example', () => ({ label: 'a\u0007' }))],
    ['a label of half a character', () => edited('example', () => ({ label: '\ud800' }))],
    ['an example of another head', () => edited('example', () => ({ head: 'pushed' }))],
    [
      'an example twice',
      () => edited('example', () => ({ ...rows.filter(({ row }) => row === 'example')[1] })),
    ],
    [
      'codes of another length',
      () => edited('taught', ({ origin }) => ({ origin: { ...origin, codeLength: 7 } })),
    ],
    ['codes of other taps', () => edited('taught', ({ origin }) => ({ origin: { ...origin, taps: ['x'] } }))],
    [
      'codes of a backbone whose name no head may have',
      () => edited('taught', ({ origin }) => ({ origin: { ...origin, name: 'a\u0007' } })),
    ],
    [
      'codes of taps whose names fit no row',
      () => edited('taught', ({ origin }) => ({ origin: { ...origin, taps: ['x'.repeat(3e6)] } })),
    ],
    ['examples without what they are codes of', () => without('taught')],
    ['a revision beyond all time', () => edited('taught', () => ({ revision: Number.MAX_SAFE_INTEGER }))],
    ['a version from beyond all time', () => edited('version', () => ({ created_at: 8.65e15 }))],
    ['a head from beyond all time', () => edited('head', () => ({ created_at: 8.65e15 }))],
    [
      'a head whose versions are at their end',
      () => edited('head', () => ({ last_version: Number.MAX_SAFE_INTEGER })),
    ],
    ['a head whose last version is before its others', () => edited('head', () => ({ last_version: 0 }))],
    ['a head that names what is not there', () => edited('head', () => ({ current: 9 }))],
    [
      'a canary of everything and more',
      () => edited('head', () => ({ canary: { version: 1, percent: 900 } })),
    ],
    ['a name that is a number', () => edited('head', () => ({ names: { 7: 1 } }))],
    ['versions without their head', () => without('head')],
    ['a head without its versions', () => without('version')],
    ['an unknown field', () => edited('head', () => ({ owner: 'me' }))],
    ['a row of an unknown kind', () => edited('head', () => ({ row: 'x'.repeat(5000) }))],
    ['a head called ..', () => edited('head', () => ({ head: '..' }))],
    ['another format', () => edited('backup', () => ({ format: 'headwater-backup/2' }))],
    ['two beginnings', () => fileOf([rows[0], ...rows])],
    ['another number of rows', () => edited('end', () => ({ rows: 7 }))],
    ['changes while it was made', () => edited('end', () => ({ unchanged: false }))],
    ['no end', () => fileOf(rows.slice(0, -1))],
    ['blank lines', () => rows.map((row) => JSON.stringify(row)).join('\n\n')],
  ])('with %s', async (_, file) => {
    const response = await refused(file());
    const { detail } = await response.clone().json<Problem>();
    expect(detail.length).toBeLessThan(400);
    expect(await problemOf(response)).toMatchObject(INVALID);
  });

  it('that is not text, has a line without end, or broke off', async () => {
    const [first, ...rest] = new TextEncoder().encode(fileOf(rows));
    expect(await problemOf(await refused(Uint8Array.of(first, 0xff, ...rest.slice(0, 100))))).toEqual(
      INVALID,
    );
    const endless = slowBytes(100e6);
    expect(await problemOf(await refused(endless.stream))).toEqual(INVALID);
    expect(endless.sent()).toBeLessThanOrEqual(MAX_BACKUP_LINE_BYTES + (2 << 20));
    expect(await problemOf(await refused('['.repeat(MAX_JSON_PARTS + 1)))).toEqual({
      status: 413,
      code: 'body_too_large',
    });
    expect(await problemOf(await refused(brokenBytes()))).toEqual({ status: 400, code: 'body_incomplete' });
  });

  it('is bounded by what a tenant may have', async () => {
    const [example] = rows.filter(({ row }) => row === 'example');
    const many = (change: (i: number) => object, count: number) =>
      Array.from({ length: count }, (_, i) => ({ ...example, ...change(i) }));
    const limit = { status: 429, code: 'limit_reached' };
    const begun = rows.slice(0, 2);
    const examples = [...begun, ...many(unique, MAX_EXAMPLES_PER_HEAD + 1)];
    expect(await problemOf(await refused(fileOf(examples)))).toEqual(limit);
    const classes = [
      ...begun,
      ...many((i) => ({ ...unique(i), label: `class ${i}` }), MAX_CLASSES_PER_TAUGHT_HEAD + 1),
    ];
    expect(await problemOf(await refused(fileOf(classes)))).toEqual(limit);
    const names = Object.fromEntries(Array.from({ length: MAX_VERSION_NAMES + 1 }, (_, i) => [`n${i}`, 1]));
    expect(await problemOf(await refused(edited('head', () => ({ names }))))).toEqual(limit);
    const checks = new RestoreChecks(runtime);
    const [version] = rows.filter((row) => row.row === 'version');
    checks.admit(rows[0]);
    for (let i = 0; i < MAX_HEADS_PER_TENANT; i++) checks.admit({ ...version, head: `h${i}` });
    expect(() => checks.admit({ ...version, head: 'more' })).toThrow(
      `more than ${MAX_HEADS_PER_TENANT} heads`,
    );
  });

  it('of which no more comes is given up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { key } = await isolate.newTenant();
    const answer = send(key, slowly(fileOf(rows)).body);
    while (vi.getTimerCount() === 0) await scheduler.wait(1);
    await vi.advanceTimersByTimeAsync(BODY_READ_TIMEOUT_MS);
    vi.useRealTimers();
    expect(await problemOf(await answer)).toEqual({ status: 408, code: 'body_timeout' });
    expect((await send(key, fileOf(rows))).status).toBe(200);
  });

  it('waits for memory for its lines, and gives it back', async () => {
    const memory = new Leases(1000, 10_000, 10);
    const services = { runtime, heads: new HeadStore(runtime), memory };
    const tenant = await isolate.newTenant();
    const attempt = () => {
      const { body }: Bodied = new Response(fileOf(rows));
      return restore(testEnv, tenant.id, services, body!);
    };
    await memory.with(900, () => expect(attempt()).rejects.toMatchObject({ code: 'overloaded' }));
    expect(await attempt()).toEqual({ heads: 2, versions: 2, examples: 6 });
    expect(memory.inUse).toBe(0);
  });
});

describe('where an answer is lost', () => {
  it('the end stays as it was', async () => {
    const { id, key } = await isolate.newTenant();
    await stubOf(id).restoreBegin('first');
    for (let i = 0; i < 2; i++) expect(await stubOf(id).restoreEnd('first', true)).toEqual({ whole: true });
    expect(await stubOf(id).restoreEnd('first', false)).toEqual({ whole: true });
    const taught = { key, json: lesson(codes('cat', 2)) };
    expect((await isolate.call('/v1/heads/pets/teach', taught)).status).toBe(200);
  });

  it('a file whose reservation is about to end is not counted on', async () => {
    const { id } = await isolate.newTenant();
    const version = { head: 'pets', version: 1, sha256: 'aa' };
    const row = { trained_revision: null, held_back: null, created_at: 1, bytes: 1, description: '{}' };
    await stubOf(id).restoreBegin('slow');
    await stubOf(id).expectVersion('slow', version);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + RESERVATION_MS - RESERVATION_MARGIN_MS });
    const late = await stubOf(id).restoreVersion('slow', { ...version, ...row });
    vi.useRealTimers();
    expect(late).toMatchObject({ refused: { code: 'conflict' } });
  });
});

it('leaves no file behind where it is given up', async () => {
  const { id, key } = await isolate.newTenant();
  expect(await problemOf(await send(key, fileOf(rows.slice(0, -1))))).toEqual(INVALID);
  expect((await testEnv.HEADS.list({ prefix: `heads/${id}/` })).objects).toEqual([]);
});

/** A body of which a part has come, and the rest when it is asked for. */
function slowly(text: string): { body: ReadableStream<Uint8Array>; finish: () => void } {
  const bytes = new TextEncoder().encode(text);
  const half = text.lastIndexOf('{"row":"example"') + 10;
  const { promise: asked, resolve: finish } = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(bytes.subarray(0, half));
      await asked;
      controller.enqueue(bytes.subarray(half));
      controller.close();
    },
  });
  return { body, finish };
}
const hasBegun = (key: string): Promise<void> =>
  vi.waitFor(async () => expect((await isolate.call('/v1/heads/pets/examples', { key })).status).toBe(200));

describe('while a backup comes in', () => {
  const conflict = { status: 409, code: 'conflict' };

  it('nothing else changes heads', async () => {
    const { key } = await isolate.newTenant();
    const { body, finish } = slowly(fileOf(rows));
    const restored = send(key, body);
    await hasBegun(key);
    const json = lesson(codes('emu', 2));
    for (const head of ['pets', 'others']) {
      expect(await problemOf(await isolate.put(key, head, await makeHeadFile()))).toEqual(conflict);
      expect(await problemOf(await isolate.call(`/v1/heads/${head}/teach`, { key, json }))).toEqual(conflict);
      const deleted = await isolate.call(`/v1/heads/${head}`, { key, method: 'DELETE' });
      expect(await problemOf(deleted)).toEqual(conflict);
    }
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
    await stubOf(id).restoreBegin('crashed');
    if (taught.row === 'taught') await stubOf(id).restoreRow('crashed', taught);
    const json = lesson(codes('emu', 2));
    expect(await problemOf(await isolate.call('/v1/heads/pets/teach', { key, json }))).toEqual(conflict);
    expect((await send(key, fileOf(rows))).status).toBe(200);
    expect(await problemOf(await send(key, fileOf(rows)))).toEqual(conflict);
    expect((await isolate.call('/v1/heads/pets/teach', { key, json })).status).toBe(200);
  });
});
