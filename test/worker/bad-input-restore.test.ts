/** Backups that broke off, lie or contradict themselves: refused, with what to do; nothing of them can break the Worker. */
import { beforeAll, describe, expect, it } from 'vitest';
import { BackupRow, type Problem } from '../../src/api/index.ts';
import { MAX_EXAMPLES_PER_HEAD, MAX_VERSION_NAMES } from '../../worker/limits.ts';
import { codes, lesson } from './lessons.ts';
import { brokenBytes, Isolate, makeHeadFile, problemOf, slowBytes } from './support.ts';

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

async function restore(body: BodyInit | Uint8Array): Promise<Response> {
  const { key } = await isolate.newTenant();
  const response = await isolate.call('/v1/restore', { key, body, type: 'application/x-ndjson' });
  // Whatever came of it: the tenant can be asked, and never answers with a fault of ours.
  for (const path of ['/v1/heads', '/v1/heads/pets', '/v1/heads/pets/routing', '/v1/heads/pets/examples'])
    expect((await isolate.call(path, { key })).status, path).toBeLessThan(500);
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
  it('that is as it should be is restored', async () => {
    expect((await restore(fileOf(rows))).status).toBe(200);
  });

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
    const response = await restore(file());
    const { detail } = await response.clone().json<Problem>();
    expect(detail.length).toBeLessThan(400);
    expect(await problemOf(response)).toMatchObject(INVALID);
  });

  it('that is not text, has a line without end, or broke off', async () => {
    const [first, ...rest] = new TextEncoder().encode(fileOf(rows));
    expect(await problemOf(await restore(Uint8Array.of(first, 0xff, ...rest.slice(0, 100))))).toEqual(
      INVALID,
    );
    const endless = slowBytes(100e6);
    expect(await problemOf(await restore(endless.stream))).toEqual(INVALID);
    expect(endless.sent()).toBeLessThan(20e6);
    expect(await problemOf(await restore('['.repeat(200_000)))).toEqual({
      status: 413,
      code: 'body_too_large',
    });
    expect(await problemOf(await restore(brokenBytes()))).toEqual({ status: 400, code: 'body_incomplete' });
  });

  it('is bounded by what a tenant may have', async () => {
    const [example] = rows.filter(({ row }) => row === 'example');
    const many = (change: (i: number) => object, count: number) =>
      Array.from({ length: count }, (_, i) => ({ ...example, ...change(i) }));
    const limit = { status: 429, code: 'limit_reached' };
    const begun = rows.slice(0, 2);
    const examples = [...begun, ...many(unique, MAX_EXAMPLES_PER_HEAD + 1)];
    expect(await problemOf(await restore(fileOf(examples)))).toEqual(limit);
    const classes = [...begun, ...many((i) => ({ ...unique(i), label: `class ${i}` }), 201)];
    expect(await problemOf(await restore(fileOf(classes)))).toEqual(limit);
    const names = Object.fromEntries(Array.from({ length: MAX_VERSION_NAMES + 1 }, (_, i) => [`n${i}`, 1]));
    expect(await problemOf(await restore(edited('head', () => ({ names }))))).toEqual(limit);
  });

  it('says what to do about the part that came, which breaks nothing', async () => {
    const { key } = await isolate.newTenant();
    const body = fileOf(
      rows.slice(
        0,
        rows.findIndex(({ row }) => row === 'head'),
      ),
    );
    const response = await isolate.call('/v1/restore', { key, body, type: 'application/x-ndjson' });
    const { detail } = await response.json<Problem>();
    expect(detail).toContain('breaks off before its last line');
    expect(detail).toContain('delete this tenant');
    const json = lesson(codes('emu', 2));
    expect((await isolate.call('/v1/heads/pets/teach', { key, json })).status).toBe(200);
  });
});
