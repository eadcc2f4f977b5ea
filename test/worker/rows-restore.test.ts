/** A tenant's rows in a backup and back again: everything, exactly, and nothing that contradicts. */
import { describe, expect, it } from 'vitest';
import type { BackupHead } from '../../src/api/index.ts';
import { RESERVATION_MARGIN_MS, RESERVATION_MS } from '../../worker/limits.ts';
import type { Pointer } from '../../worker/stores/layout.ts';
import type { NewExample } from '../../worker/tenant/teach/example.ts';
import type { HeadRecord } from '../../worker/tenant/backup/records.ts';
import type { CodeOrigin } from '../../worker/tenant/code-origin.ts';
import { Restore } from '../../worker/tenant/backup/restore.ts';
import { Writer } from '../../worker/tenant/writer.ts';
import { add, DESCRIPTION, refused, withVersions } from './in-heads.ts';
import { inRows, NO_STORES, NOW, type Opened } from './in-rows.ts';

const ORIGIN: CodeOrigin = { name: 'n', version: '1', weightsSha256: 'w', taps: ['t'], codeLength: 1 };

const example = (picture: string, label: string): NewExample => ({
  picture,
  label,
  source: 'feedback',
  code: Uint8Array.of(1, 2),
});

/** A head with all that a head can have, one that is only taught, and a deleted one. */
function stock(rows: Opened): void {
  const { heads, examples } = rows;
  withVersions(rows, 'pets', 3);
  add(rows, 'pets', 'worse', { trainedRevision: 7, heldBack: 'worse', now: NOW + 1 });
  heads.nameVersion('pets', 'live', 1);
  heads.activate('pets', 2, 10);
  heads.shadow('pets', 1);
  heads.configure('pets', { guard_margin: 0.1, capture: true });
  examples.add('taught', ORIGIN, [example('a', 'cat'), example('b', 'dog')], NOW);
  examples.add('taught', ORIGIN, [example('c', 'cat')], NOW + 9);
  withVersions(rows, 'gone', 2);
  heads.remove('gone', NOW);
}

interface Backup {
  readonly records: readonly HeadRecord[];
  readonly examples: ReturnType<Opened['backup']['examples']>;
}

const backUp = ({ backup }: Opened): Backup => {
  const { names } = backup.survey();
  const pages = (head: string, after = ''): Backup['examples'] => {
    const page = backup.examples(head, after, 2);
    return page.length < 2 ? page : [...page, ...pages(head, page[1].id)];
  };
  return {
    records: names.map((name) => backup.record(name)),
    examples: names.flatMap((name) => pages(name)),
  };
};

const restoring = (rows: Opened): Restore => new Restore(rows, new Writer(rows.storage, rows).write);
const good = async (answer: Promise<object>): Promise<void> =>
  expect(await answer).not.toHaveProperty('refused');

/** Restores what it is given as the Worker does. */
async function restoreInto(rows: Opened, { records, examples }: Backup): Promise<void> {
  const restore = restoring(rows);
  await good(restore.begin('one'));
  for (const { taught, versions, head } of records) {
    if (taught !== null) await good(restore.taught('one', taught));
    for (const { objectName, ...version } of versions) {
      const sha256 = /-([a-z]+)\.safetensors$/.exec(objectName)![1];
      await good(restore.expectVersion('one', { ...version, sha256 }));
      await good(restore.version('one', { ...version, sha256, bytes: 10, description: DESCRIPTION }));
    }
    if (head !== null) await good(restore.head('one', head));
  }
  await good(restore.examples('one', examples));
  expect(await restore.end('one', true)).toEqual({ whole: true });
  expect(await restore.end('one', false)).toEqual({ whole: true });
}

describe('a backup', () => {
  it('comes back as it was, and other stores hear of what answers', async () => {
    let made: Backup = { records: [], examples: [] };
    let pointer: Pointer | null = null;
    await inRows((rows) => {
      stock(rows);
      made = backUp(rows);
      pointer = rows.heads.pointer('pets');
    });
    expect(made.examples.map(({ picture }) => picture).toSorted()).toEqual(['a', 'b', 'c']);
    expect(made.records.map(({ head, versions }) => [head?.head, versions.length])).toEqual([
      ['gone', 0],
      ['pets', 4],
      [undefined, 0],
    ]);
    const kv = new Map<string, unknown>();
    const put = async (name: string, value: string): Promise<void> => void kv.set(name, JSON.parse(value));
    await inRows(
      async (rows) => {
        await restoreInto(rows, made);
        expect(backUp(rows)).toEqual(made);
        expect(rows.heads.pointer('pets')).toEqual({ ...pointer, revision: 1 });
        expect(rows.heads.live('pets')).toMatchObject({ committed_versions: 4 });
        expect(kv).toEqual(new Map([['head/atenantforitself/pets', rows.heads.pointer('pets')]]));
        expect(rows.examples.state('taught')).toMatchObject({
          revision: NOW + 1,
          firstRevision: NOW,
          origin: ORIGIN,
        });
        expect(rows.outbox.isEmpty).toBe(true);
        expect(add(rows, 'gone', 'new').version).toBe(3);
      },
      { ...NO_STORES, POINTERS: { ...NO_STORES.POINTERS, put } },
    );
  });

  it('has another stamp after every change', () =>
    inRows((rows) => {
      const stamps = new Set<string>();
      const { backup, heads, examples, deletedHeads, storage } = rows;
      const changes = [
        () => withVersions(rows, 'pets', 1),
        () => heads.touch('pets'),
        () => examples.add('pets', ORIGIN, [example('a', 'cat')], NOW),
        () => examples.forget('pets', { label: 'cat' }, NOW),
        () =>
          storage.sql.exec(
            `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001)
               INSERT INTO heads (name, current, last_version, revision, created_at) SELECT 'gone ' || i, NULL, 1, 0, 1 FROM n`,
          ) && deletedHeads.prune(),
      ];
      stamps.add(backup.survey().stamp);
      for (const change of changes) {
        change();
        stamps.add(backup.survey().stamp);
      }
      expect(stamps.size).toBe(changes.length + 1);
    }));
});

const HEAD: BackupHead = {
  row: 'head',
  head: 'pets',
  current: 2,
  last_version: 2,
  created_at: NOW,
  names: {},
  canary: null,
  shadow: null,
  settings: { guard_margin: null, capture: false },
};

/** Versions 1 and 2 of a restore under way. */
async function withTwo(rows: Opened): Promise<Restore> {
  const restore = restoring(rows);
  await restore.begin('one');
  for (const [i, sha256] of ['a', 'b'].entries()) {
    const file = { head: 'pets', version: i + 1, sha256 };
    await restore.expectVersion('one', file);
    const row = { ...file, bytes: 1, description: DESCRIPTION, trained_revision: null, held_back: null };
    await restore.version('one', { ...row, created_at: NOW });
  }
  return restore;
}

describe('a head in a backup', () => {
  it.each<[string, Partial<BackupHead>]>([
    ['its current version', { current: 3 }],
    ['its canary', { canary: { version: 3, percent: 5 } }],
    ['its shadow', { shadow: 3 }],
    ['a name', { names: { live: 3 } }],
    ['its last number', { last_version: 1 }],
  ])('is refused where %s is no version that came before', async (_, changed) => {
    await inRows(async (rows) => {
      const restore = await withTwo(rows);
      expect(await restore.head('one', { ...HEAD, ...changed })).toEqual(refused('invalid_request'));
    });
  });

  it('is refused where its examples are taught on top of another upload', async () => {
    for (const [base, isGood] of [
      [{ version: 1, sha256: 'a' }, true],
      [{ version: 1, sha256: 'b' }, false],
      [{ version: 2, sha256: 'a' }, false],
    ] as const)
      await inRows(async (rows) => {
        const restore = await withTwo(rows);
        const origin = { ...ORIGIN, base };
        await restore.taught('one', { row: 'taught', head: 'pets', origin, first_revision: 1, revision: 1 });
        const fault = await restore.head('one', { ...HEAD, current: null, last_version: 9 });
        expect(fault).toEqual(isGood ? {} : refused('invalid_request'));
      });
  });

  it('may have numbers beyond its versions, and none that answers', () =>
    inRows(async (rows) => {
      const restore = await withTwo(rows);
      expect(await restore.head('one', { ...HEAD, current: null, last_version: 9 })).toEqual({});
      expect(rows.heads.row('pets')).toMatchObject({ current: null, last_version: 9, revision: 1 });
      expect(rows.outbox.isEmpty).toBe(true);
    }));
});

describe('a restore', () => {
  it('takes no row of another attempt, and none twice', () =>
    inRows(async (rows) => {
      const restore = await withTwo(rows);
      const taught = { row: 'taught', head: 'pets', origin: ORIGIN, first_revision: 1, revision: 2 } as const;
      expect(await restore.taught('two', taught)).toEqual(refused('conflict'));
      expect(await restore.taught('one', taught)).toEqual({});
      expect(await restore.taught('one', taught)).toEqual(refused('invalid_request'));
      expect(rows.examples.state('pets')).toMatchObject({ firstRevision: 1, revision: 2 });
      expect(await restore.end('two', true)).toEqual(refused('conflict'));
    }));

  it('counts on no file whose reservation is about to end', () =>
    inRows(async (rows) => {
      const restore = restoring(rows);
      await restore.begin('one');
      const file = { head: 'pets', version: 1, sha256: 'a' };
      const row = { ...file, bytes: 1, description: DESCRIPTION, trained_revision: null, held_back: null };
      const name = rows.heads.objectName('pets', 1, 'a');
      const before = Date.now();
      await restore.expectVersion('one', file);
      const due = () => rows.query('SELECT due_at FROM garbage WHERE object_name = ?', name)[0].due_at;
      expect(due()).toBeGreaterThanOrEqual(before + RESERVATION_MS);
      expect(due()).toBeLessThanOrEqual(Date.now() + RESERVATION_MS);
      rows.outbox.discard(name, Date.now() + RESERVATION_MARGIN_MS - 1);
      expect(await restore.version('one', { ...row, created_at: NOW })).toEqual(refused('conflict'));
      await restore.expectVersion('one', file);
      expect(await restore.version('one', { ...row, created_at: NOW })).toEqual({});
      expect(rows.outbox.isEmpty).toBe(true);
    }));

  it('begins where there never was a head', () =>
    inRows(async (rows) => {
      withVersions(rows, 'pets', 1);
      rows.storage.sql.exec('DELETE FROM outbox');
      expect(await restoring(rows).begin('one')).toEqual(refused('conflict'));
      expect(rows.standing.restoring).toBeUndefined();
    }));
});
