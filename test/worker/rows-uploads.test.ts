/** How a version comes, as rows: reserved, committed, held back, given up, and what makes room for it. */
import { describe, expect, it } from 'vitest';
import {
  MAX_HEADS_PER_TENANT,
  MAX_VERSIONS_PER_HEAD,
  RESERVATION_MARGIN_MS,
  RESERVATION_MS,
} from '../../worker/limits.ts';
import { add, garbage, numbers, refused, upload, withVersions } from './in-heads.ts';
import { inRows, NOW } from './in-rows.ts';

describe('an upload', () => {
  it('is reserved, and there when it is committed', () =>
    inRows((rows) => {
      const { uploads, heads, outbox } = rows;
      const objectName = heads.objectName('pets', 1, 'a');
      expect(uploads.reserve('pets', upload('a', { trainedRevision: 4 }), NOW)).toEqual({
        state: 'reserved',
        version: 1,
        objectName,
      });
      expect([numbers(rows), heads.live('pets'), heads.version('pets', 1)]).toEqual([
        [],
        undefined,
        undefined,
      ]);
      expect(garbage(rows)).toEqual([[objectName, NOW + RESERVATION_MS]]);
      const committed = uploads.commit('pets', 1, NOW + 5);
      const pointer = {
        revision: 1,
        current: 1,
        versions: { 1: 'a' },
        names: {},
        canary: null,
        shadow: null,
      };
      expect(committed).toEqual({ version: 1, pointer: { ...pointer, capture: false } });
      expect(heads.live('pets')).toMatchObject({ created_at: NOW + 5, committed_versions: 1 });
      expect(heads.version('pets', 1)).toEqual({
        version: 1,
        sha256: 'a',
        bytes: 10,
        created_at: NOW,
        trained_revision: 4,
        held_back: null,
      });
      expect(garbage(rows)).toEqual([]);
      expect(outbox.isEmpty).toBe(false);
      expect(uploads.commit('pets', 1, NOW + RESERVATION_MS)).toEqual(committed);
      add(rows, 'pets', 'b', { now: NOW + 9 });
      expect(heads.live('pets')).toMatchObject({ created_at: NOW + 5, committed_versions: 2 });
    }));

  it('is given up when it took too long, and its row with the next one', () =>
    inRows((rows) => {
      const { uploads, query } = rows;
      const end = NOW + RESERVATION_MS - RESERVATION_MARGIN_MS;
      const reserved = 'SELECT version FROM versions WHERE NOT committed ORDER BY version';
      for (const sha256 of ['a', 'b', 'c']) uploads.reserve('pets', upload(sha256), NOW);
      expect(uploads.commit('pets', 1, end)).toEqual(refused('conflict'));
      expect(uploads.commit('pets', 2, end - 1)).toMatchObject({ version: 2 });
      expect(uploads.commit('pets', 9, NOW)).toEqual(refused('conflict'));
      expect(uploads.commit('dogs', 3, NOW)).toEqual(refused('conflict'));
      uploads.reserve('dogs', upload('d'), NOW + RESERVATION_MS - 1);
      expect(query(reserved)).toEqual([{ version: 1 }, { version: 1 }, { version: 3 }]);
      uploads.reserve('cats', upload('e'), NOW + RESERVATION_MS);
      expect(query(reserved)).toEqual([{ version: 1 }, { version: 1 }]);
      expect(numbers(rows)).toEqual([2]);
    }));

  it('of what is there makes that current, and takes no number', () =>
    inRows((rows) => {
      const { uploads, heads } = rows;
      withVersions(rows, 'pets', 2);
      const { revision } = heads.pointer('pets')!;
      expect(uploads.reserve('pets', upload('b'), NOW)).toMatchObject({ state: 'exists', version: 2 });
      expect(heads.pointer('pets')).toMatchObject({ revision, current: 2 });
      expect(uploads.reserve('pets', upload('a'), NOW)).toMatchObject({
        version: 1,
        pointer: { revision: revision + 1, current: 1 },
      });
      expect(uploads.reserve('dogs', upload('a'), NOW)).toMatchObject({ state: 'reserved', version: 1 });
      expect(heads.version('pets', 1)?.trained_revision).toBeNull();
      expect(uploads.reserve('pets', upload('b', { trainedRevision: 8 }), NOW)).toMatchObject({ version: 2 });
      expect(heads.pointer('pets')?.current).toBe(2);
      expect(heads.version('pets', 2)?.trained_revision).toBe(8);
      expect(heads.version('pets', 1)?.trained_revision).toBeNull();
    }));

  it('of what another one brought meanwhile gets its version', () =>
    inRows((rows) => {
      const { uploads } = rows;
      for (const sha256 of ['a', 'a', 'b'])
        uploads.reserve('pets', upload(sha256, { trainedRevision: 3 }), NOW);
      uploads.commit('pets', 1, NOW);
      uploads.commit('pets', 3, NOW);
      expect(uploads.commit('pets', 2, NOW)).toMatchObject({ version: 1, pointer: { current: 1 } });
      expect(numbers(rows)).toEqual([1, 3]);
      expect(rows.query('SELECT version FROM versions WHERE version = 2')).toEqual([]);
    }));

  it('that is older than what is current by now stays behind it', () =>
    inRows((rows) => {
      const { uploads } = rows;
      for (const sha256 of ['a', 'b']) uploads.reserve('pets', upload(sha256), NOW);
      uploads.commit('pets', 2, NOW);
      expect(uploads.commit('pets', 1, NOW)).toMatchObject({
        version: 1,
        pointer: { current: 2, revision: 2 },
      });
    }));

  it('that is held back answers only where nothing else does', () =>
    inRows((rows) => {
      const { heads, uploads } = rows;
      expect(add(rows, 'pets', 'a', { heldBack: 'worse' }).pointer.current).toBe(1);
      expect(heads.version('pets', 1)?.held_back).toBeNull();
      expect(add(rows, 'pets', 'b', { heldBack: 'worse', trainedRevision: 2 }).pointer).toMatchObject({
        current: 1,
        revision: 2,
      });
      expect(heads.version('pets', 2)?.held_back).toBe('worse');
      expect(heads.version('pets', 1)?.held_back).toBeNull();
      // Trained once more it is still worse; sent by hand it is wanted.
      expect(uploads.reserve('pets', upload('b', { trainedRevision: 3 }), NOW)).toMatchObject({
        pointer: { current: 1, revision: 2 },
      });
      expect(uploads.reserve('pets', upload('b'), NOW)).toMatchObject({ pointer: { current: 2 } });
    }));

  it('is one of so many heads that answer', () =>
    inRows((rows) => {
      const { uploads, heads, storage } = rows;
      add(rows, 'pets', 'a');
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO heads (name, current, last_version, revision, created_at) SELECT 'head ' || i, 1, 1, 1, 1 FROM n`,
        MAX_HEADS_PER_TENANT - 2,
      );
      add(rows, 'dogs', 'a');
      expect(uploads.reserve('one more', upload('a'), NOW)).toEqual(refused('limit_reached'));
      expect(uploads.reserve('pets', upload('b'), NOW)).toMatchObject({ version: 2 });
      heads.remove('head 1', NOW);
      expect(uploads.reserve('one more', upload('a'), NOW)).toMatchObject({ version: 1 });
    }));

  it('makes room for itself: the oldest goes that nothing holds', () =>
    inRows((rows) => {
      const { heads, storage } = rows;
      withVersions(rows, 'pets', 3);
      heads.nameVersion('pets', 'live', 2);
      storage.sql.exec(
        "INSERT INTO taught_heads VALUES ('pets', ?, 1, 1, NULL)",
        JSON.stringify({ base: { version: 3, sha256: 'c' } }),
      );
      for (let n = 4; n <= MAX_VERSIONS_PER_HEAD + 2; n++) add(rows, 'pets', `${n}`);
      expect(numbers(rows)).toHaveLength(MAX_VERSIONS_PER_HEAD + 2);
      heads.activate('pets', 5);
      add(rows, 'pets', 'held', { heldBack: 'worse' });
      expect(numbers(rows).slice(0, 4)).toEqual([2, 3, 4, 5]);
      expect(garbage(rows)).toEqual([[heads.objectName('pets', 1, 'a'), NOW]]);
      add(rows, 'pets', 'newest');
      expect(numbers(rows).slice(0, 4)).toEqual([2, 3, 5, 6]);
      expect(numbers(rows)).toHaveLength(MAX_VERSIONS_PER_HEAD + 2);
    }));
});
