/** A tenant's heads and versions as rows: each change with what it must leave alone, each bound at its last value. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/api/index.ts';
import { MAX_DELETED_HEADS, MAX_VERSION_NAMES, OLD_VERSIONS_AT_ONCE } from '../../worker/limits.ts';
import { headList } from '../../worker/tenant/heads/describe.ts';
import {
  add,
  DESCRIPTION,
  garbage,
  numbers,
  pointerWith,
  refused,
  upload,
  withVersions,
} from './in-heads.ts';
import { inRows, NOW, type Opened } from './in-rows.ts';

describe('a version', () => {
  it('is made current, or a canary beside what is', () =>
    inRows((rows) => {
      const { heads } = rows;
      withVersions(rows, 'pets', 2);
      expect(heads.activate('pets', 1, 10)).toMatchObject({
        current: 2,
        canary: { version: 1, percent: 10 },
      });
      expect(heads.activate('pets', 1)).toMatchObject({ current: 1, canary: null, revision: 4 });
      expect(heads.activate('pets', 3)).toEqual(refused('version_not_found'));
      expect(heads.activate('dogs', 1)).toEqual(refused('head_not_found'));
      heads.setCurrent('pets', null);
      expect(heads.activate('pets', 2, 10)).toMatchObject({
        current: 2,
        canary: { version: 2, percent: 10 },
      });
    }));

  it('has names, so many of a head', () =>
    inRows((rows) => {
      const { heads } = rows;
      withVersions(rows, 'pets', 2);
      withVersions(rows, 'dogs', 1);
      heads.nameVersion('dogs', 'n1', 1);
      for (let i = 1; i <= MAX_VERSION_NAMES; i++)
        expect(heads.nameVersion('pets', `n${i}`, 1)).toMatchObject({ current: 2 });
      expect(heads.nameVersion('pets', 'n1', 2)).toMatchObject({ names: { n1: 2, n2: 1 } });
      expect(heads.nameVersion('pets', 'more', 1)).toEqual(refused('limit_reached'));
      expect(heads.nameVersion('pets', 'n1', 3)).toEqual(refused('version_not_found'));
      expect(heads.unnameVersion('pets', 'more')).toEqual(refused('version_not_found'));
      expect(heads.unnameVersion('cats', 'n1')).toEqual(refused('head_not_found'));
      const { revision } = heads.pointer('pets')!;
      expect(heads.unnameVersion('pets', 'n1')).toMatchObject({ revision: revision + 1, names: { n2: 1 } });
      expect(heads.pointer('pets')?.names).not.toHaveProperty('n1');
      expect(heads.pointer('dogs')?.names).toEqual({ n1: 1 });
    }));

  it('answers in the shadow until that ends', () =>
    inRows((rows) => {
      const { heads } = rows;
      withVersions(rows, 'pets', 2);
      withVersions(rows, 'dogs', 1);
      expect(heads.shadow('pets', 1)).toMatchObject({ shadow: 1, current: 2, revision: 3 });
      expect(heads.pointer('dogs')?.shadow).toBeNull();
      expect(heads.shadow('pets', 3)).toEqual(refused('version_not_found'));
      expect(heads.shadow('pets', null)).toMatchObject({ shadow: null, revision: 4 });
      expect(heads.shadow('cats', null)).toEqual(refused('head_not_found'));
    }));

  it('goes with its name, its canary and its shadow, and leaves those of others', () =>
    inRows((rows) => {
      const { heads } = rows;
      withVersions(rows, 'pets', 3);
      withVersions(rows, 'dogs', 2);
      for (const head of ['pets', 'dogs']) {
        heads.nameVersion(head, 'first', 1);
        heads.nameVersion(head, 'second', 2);
        heads.activate(head, 1, 5);
        heads.shadow(head, 1);
      }
      const beside = { canary: { version: 1, percent: 5 }, shadow: 1 };
      const versions = { 1: 'a', 3: 'c' };
      expect(heads.removeVersion('pets', 2, NOW + 1)).toEqual(
        pointerWith({ current: 3, versions, names: { first: 1 }, ...beside }),
      );
      expect(garbage(rows)).toEqual([[heads.objectName('pets', 2, 'b'), NOW + 1]]);
      const left = pointerWith({ current: 3, versions: { 3: 'c' } });
      expect(heads.removeVersion('pets', 1, NOW)).toEqual(left);
      const names = { first: 1, second: 2 };
      expect(heads.pointer('dogs')).toEqual(
        pointerWith({ current: 2, versions: { 1: 'a', 2: 'b' }, names, ...beside }),
      );
    }));

  it('stays while it is current, or what examples are taught on top of', () =>
    inRows((rows) => {
      const { heads, storage } = rows;
      withVersions(rows, 'pets', 2);
      expect(heads.removeVersion('pets', 2, NOW)).toEqual(refused('conflict'));
      expect(heads.removeVersion('pets', 3, NOW)).toEqual(refused('version_not_found'));
      expect(heads.taughtOn('pets')).toBeUndefined();
      storage.sql.exec(`INSERT INTO taught_heads VALUES ('pets', '{"base":{"version":1}}', 1, 1, NULL)`);
      expect(heads.taughtOn('pets')).toBe(1);
      expect(heads.removeVersion('pets', 1, NOW)).toEqual(refused('conflict'));
    }));
});

/** Versions 1 to 5, of which 2 was uploaded and the others were trained at 10, 20, 30 and 40. */
function trained(rows: Opened): void {
  add(rows, 'pets', 'a', { trainedRevision: 10 });
  add(rows, 'pets', 'b');
  for (const n of [2, 3, 4]) add(rows, 'pets', `${n}`, { trainedRevision: 10 * n });
}

describe('versions that knew what was forgotten', () => {
  it('go, and those trained before or after stay', () =>
    inRows((rows) => {
      trained(rows);
      expect(rows.heads.newestTrained('pets')).toMatchObject({ version: 5 });
      expect(rows.heads.dropTrained('pets', 20, 40, NOW)).toMatchObject({ current: 5 });
      expect(numbers(rows)).toEqual([1, 2, 5]);
      expect(rows.heads.dropTrained('pets', 10, 41, NOW)).toMatchObject({ current: null });
      expect(numbers(rows)).toEqual([2]);
      expect(rows.heads.newestTrained('pets')).toBeUndefined();
    }));

  it('keep their file where they have a name, and answer no more', () =>
    inRows((rows) => {
      trained(rows);
      rows.heads.nameVersion('pets', 'live', 5);
      expect(rows.heads.dropTrained('pets', 20, 41, NOW, 2)).toMatchObject({
        current: 2,
        names: { live: 5 },
      });
      expect(numbers(rows)).toEqual([1, 2, 5]);
      expect(rows.heads.dropTrained('dogs', 1, 9, NOW)).toBeNull();
    }));
});

describe('a head', () => {
  it('is listed by name while it answers, page by page', () =>
    inRows((rows) => {
      const { heads } = rows;
      for (const head of ['c', 'a', 'b', 'gone']) withVersions(rows, head, 2);
      heads.remove('gone', NOW);
      const page = (after: string, limit: number) => headList(heads.list(after, limit + 1), limit);
      expect(page('', 2).heads.map(({ head }) => head)).toEqual(['a', 'b']);
      expect(page('', 2).next).toBe('b');
      expect(page('', 3).next).toBeUndefined();
      expect(page('b', 9).heads).toEqual([
        { head: 'c', version: 2, classes: 2, versions: 2, created_at: new Date(NOW).toISOString() },
      ]);
    }));

  it('has settings of its own', () =>
    inRows((rows) => {
      const { heads } = rows;
      withVersions(rows, 'pets', 1);
      withVersions(rows, 'dogs', 1);
      const settings = { guard_margin: 0.1, capture: true };
      expect(heads.configure('cats', settings)).toEqual(refused('head_not_found'));
      expect(heads.configure('pets', settings)).toEqual(settings);
      expect(heads.pointer('pets')).toMatchObject({ capture: true, revision: 2, current: 1 });
      expect([heads.settings('pets'), heads.settings('dogs')]).toEqual([settings, DEFAULT_SETTINGS]);
    }));

  it('that is removed leaves a row that knows its numbers, and nothing of what it was', () =>
    inRows((rows) => {
      const { heads, uploads } = rows;
      withVersions(rows, 'pets', 2);
      withVersions(rows, 'dogs', 1);
      heads.nameVersion('pets', 'live', 1);
      heads.nameVersion('dogs', 'live', 1);
      heads.activate('pets', 1, 5);
      heads.shadow('pets', 1);
      heads.configure('pets', { guard_margin: 0.1, capture: true });
      uploads.reserve('pets', upload('c'), NOW);
      expect(heads.remove('pets', NOW + 1)).toEqual(pointerWith({ revision: 7 }));
      expect(rows.query("SELECT 1 FROM versions WHERE head = 'pets'")).toEqual([]);
      expect(garbage(rows)).toHaveLength(3);
      expect(heads.pointer('dogs')).toMatchObject({ versions: { 1: 'a' }, names: { live: 1 } });
      expect(heads.remove('cats', NOW)).toEqual(refused('head_not_found'));
      expect([heads.absent('pets'), heads.absent('dogs')]).toEqual([refused('head_not_found'), undefined]);
      expect(add(rows, 'pets', 'd', { now: NOW + 2 })).toMatchObject({
        version: 4,
        pointer: { revision: 8 },
      });
      expect(heads.live('pets')?.created_at).toBe(NOW + 2);
    }));

  it('can be changed while it has a version, whether it answers or not', () =>
    inRows((rows) => {
      const { heads } = rows;
      withVersions(rows, 'pets', 1);
      heads.setCurrent('pets', null);
      expect(heads.absent('pets')).toBeUndefined();
      expect(heads.unknown('pets', 1)).toBeUndefined();
      expect(heads.live('pets')).toBeUndefined();
      expect(heads.touch('pets')).toMatchObject({ current: null, revision: 3 });
    }));

  it('is known by name, also when it is only taught', () =>
    inRows((rows) => {
      const { heads, storage, query } = rows;
      expect([heads.isAny, heads.everyName()]).toEqual([false, []]);
      storage.sql.exec("INSERT INTO taught_heads VALUES ('zoo', '{}', 1, 1, NULL)");
      expect(heads.isAny).toBe(true);
      for (const head of ['pets', 'gone']) withVersions(rows, head, 1);
      heads.remove('gone', NOW);
      expect(heads.everyName()).toEqual(['gone', 'pets', 'zoo']);
      storage.sql.exec('DELETE FROM outbox');
      heads.retractAll();
      expect(query('SELECT subject FROM outbox')).toEqual([{ subject: 'pets' }]);
    }));

  it('that was deleted leaves a row, so many in all: those with the highest numbers', () =>
    inRows(({ deletedHeads, storage, query }) => {
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO heads (name, current, last_version, revision, created_at)
           SELECT 'gone ' || i, NULL, (i + 1) / 2, 100 + i, 1 FROM n`,
        MAX_DELETED_HEADS,
      );
      const pruned = 'SELECT pruned_version AS v, pruned_revision AS r, pruned_heads AS n FROM tenant';
      deletedHeads.prune();
      expect(query(pruned)).toEqual([{ v: 0, r: 0, n: 0 }]);
      for (const name of ['a', 'b', 'taught', 'reserved'])
        storage.sql.exec(
          'INSERT INTO heads (name, last_version, revision, created_at) VALUES (?, 1, 999, 1)',
          name,
        );
      storage.sql.exec("INSERT INTO taught_heads VALUES ('taught', '{}', 1, 1, NULL)");
      storage.sql.exec(
        `INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at) VALUES ('reserved', 1, 0, 'a', 1, '', 1)`,
      );
      deletedHeads.prune();
      expect(query(pruned)).toEqual([{ v: 1, r: 102, n: 2 }]);
      const left = query('SELECT name FROM heads WHERE last_version = 1 ORDER BY name').map(
        ({ name }) => name,
      );
      expect(left).toEqual(['a', 'b', 'reserved', 'taught']);
    }));

  it('of an old database gets summaries, a few at once', () =>
    inRows((rows) => {
      const { heads, storage, query } = rows;
      for (let n = 1; n <= OLD_VERSIONS_AT_ONCE + 1; n++)
        storage.sql.exec(
          `INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at) VALUES ('pets', ?, 1, ?, 1, ?, 1)`,
          n,
          `${n}`,
          DESCRIPTION,
        );
      const old = "SELECT count(*) AS n FROM versions WHERE summary IS NULL AND description <> ''";
      heads.descriptions.bringUp();
      expect(query(old)).toEqual([{ n: 1 }]);
      heads.descriptions.bringUp();
      expect(query("SELECT count(*) AS n FROM versions WHERE summary IS NULL OR description <> ''")).toEqual([
        { n: 0 },
      ]);
      expect(heads.descriptions.find('pets', 3)).toBe(DESCRIPTION);
      expect(JSON.parse(heads.summarised('pets')[0].summary)).toMatchObject({ classes: 2, examples: 6 });
    }));
});
