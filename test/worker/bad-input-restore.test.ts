/** Backups that broke off, lie or contradict themselves: refused, and nothing of them is kept. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { BackupRow, Problem } from '../../src/api/index.ts';
import {
  MAX_BACKUP_LINE_BYTES,
  MAX_CLASSES_PER_TAUGHT_HEAD,
  MAX_EXAMPLES_PER_HEAD,
  MAX_HEADS_PER_TENANT,
  MAX_JSON_PARTS,
  MAX_VERSION_NAMES,
} from '../../worker/limits.ts';
import { RestoreChecks } from '../../worker/backup/checks.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { pointerName } from '../../worker/stores/layout.ts';
import { fileOf, sendBackup, someBackup } from './backups.ts';
import { brokenBytes, Isolate, problemOf, slowBytes, testEnv } from './support.ts';

type Row<Kind extends BackupRow['row']> = BackupRow & { row: Kind };

const isolate = new Isolate();
const INVALID = { status: 400, code: 'invalid_request' };
let rows: BackupRow[];

beforeAll(async () => {
  rows = await someBackup(isolate);
});

/** A number in letters that an id may have. */
const letters = (i: number) => String(i).replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)]);

/** What two examples differ in. */
const unique = (i: number) => ({
  id: letters(i).padStart(16, 'z'),
  picture: String(i).padStart(64, '0'),
});

/** Restores what is to be refused. After it the tenant is as before: nothing of it can be read, and a right backup comes in. */
async function refused(body: BodyInit | Uint8Array): Promise<Response> {
  const { id, key } = await isolate.newTenant();
  const response = await sendBackup(isolate, key, body);
  expect(await (await isolate.call('/v1/heads', { key })).json()).toEqual({ heads: [] });
  expect((await problemOf(await isolate.call('/v1/heads/pets/examples', { key }))).code).toBe(
    'head_not_found',
  );
  expect((await problemOf(await isolate.classify(key, 'pets'))).code).toBe('head_not_found');
  expect(await testEnv.POINTERS.get(pointerName(id, 'pets'))).toBeNull();
  expect((await sendBackup(isolate, key, fileOf(rows))).status).toBe(200);
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

  it.each([
    ['of another length', { codeLength: 7 }],
    ['of other taps', { taps: ['x'] }],
    [
      'of deviations where the backbone has means',
      { statistics: Array<string>(runtime.plan.taps.length).fill('deviation') },
    ],
    [
      'of pictures of a size at which the backbone is not run',
      { input: { height: 96, width: 96, rules: 2 } },
    ],
  ])('with codes %s', async (_, other) => {
    const response = await refused(edited('taught', ({ origin }) => ({ origin: { ...origin, ...other } })));
    expect(await problemOf(response)).toEqual({ status: 409, code: 'backbone_mismatch' });
  });

  it('with more names than any head has', async () => {
    const names = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`NOT A NAME ${i}`, 'x']));
    const response = await refused(JSON.stringify({ row: 'head', names }));
    expect(await problemOf(response)).toEqual({ status: 413, code: 'body_too_large' });
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
    await checks.admit(rows[0]);
    for (let i = 0; i < MAX_HEADS_PER_TENANT; i++) await checks.admit({ ...version, head: `h${i}` });
    await expect(checks.admit({ ...version, head: 'more' })).rejects.toThrow(
      `more than ${MAX_HEADS_PER_TENANT} heads`,
    );
  });
});
