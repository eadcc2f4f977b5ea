/** A tenant's small tables, each at its bounds: keys, captures, usage, Idempotency-Keys. */
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../src/api/index.ts';
import {
  IDEMPOTENCY_MS,
  MAX_CAPTURES_PER_HEAD,
  MAX_IDEMPOTENCY_KEYS,
  MAX_KEYS_PER_TENANT,
  MAX_REVOKED_KEYS,
  USAGE_DAYS,
} from '../../worker/limits.ts';
import type { Capture } from '../../worker/tenant/teach/captures.ts';
import type { Keys } from '../../worker/tenant/keys.ts';
import { refused } from './in-heads.ts';
import { openRows } from '../../worker/tenant/rows.ts';
import { inRows, NO_STORES, NOW, type Opened } from './in-rows.ts';

const make = (keys: Keys, id: string, scopes: Scope[] = ['read'], now = NOW) =>
  keys.create({ id, hash: `hash of ${id}`, name: `name of ${id}`, scopes }, now);

/** KV entries that are to be written, which are forgotten. */
function takePending({ query, storage }: Opened): unknown[] {
  const subjects = query('SELECT subject FROM outbox ORDER BY subject').map(({ subject }) => subject);
  storage.sql.exec('DELETE FROM outbox');
  return subjects;
}

describe('the tables', () => {
  it('are not changed twice where an older release, which sets the version down, ran in between', () =>
    inRows(({ storage, query }) => {
      const [{ version }] = query('SELECT version FROM schema_version');
      storage.sql.exec('UPDATE schema_version SET version = ?', Number(version) - 2);
      openRows(storage, NO_STORES);
      expect(query('SELECT version FROM schema_version')).toEqual([{ version }]);
    }));
});

describe('keys', () => {
  it('are found by hash and by id, and listed by age', () =>
    inRows(({ keys }) => {
      make(keys, 'b', ['read'], NOW + 1);
      make(keys, 'c', ['admin', 'write']);
      make(keys, 'a', ['read'], NOW + 1);
      for (const which of ['c', 'hash of c'])
        expect(keys.find(which)).toEqual({ status: 'active', id: 'c', scopes: ['admin', 'write'] });
      expect(keys.find('name of c')).toEqual({ status: 'unknown' });
      expect(keys.list().map(({ id }) => id)).toEqual(['c', 'a', 'b']);
      const created_at = new Date(NOW).toISOString();
      expect(keys.list()[0]).toEqual({ id: 'c', name: 'name of c', scopes: ['admin', 'write'], created_at });
      expect(keys.entry('t', 'hash of c')).toEqual({ tenant: 't', id: 'c', scopes: ['admin', 'write'] });
      expect(keys.entry('t', 'hash of d')).toBeNull();
    }));

  it('are so many; making one again is making none', () =>
    inRows((rows) => {
      const { keys } = rows;
      for (let i = 1; i <= MAX_KEYS_PER_TENANT; i++) expect(make(keys, `key ${i}`)).toHaveProperty('id');
      expect(make(keys, 'key 1', ['write'], NOW + 5)).toEqual(keys.list()[0]);
      expect(keys.list()).toHaveLength(MAX_KEYS_PER_TENANT);
      expect(make(keys, 'one more')).toEqual(refused('limit_reached'));
      expect(keys.rotate('key 1', { id: 'new', hash: 'hash of new' }, NOW)).toHaveProperty('summary');
      expect(make(keys, 'one more')).toEqual(refused('limit_reached'));
      keys.revoke('new', NOW);
      expect(make(keys, 'one more')).toHaveProperty('id');
    }));

  it('that are replaced stop working, and hand on what they could', () =>
    inRows((rows) => {
      const { keys } = rows;
      make(keys, 'old', ['write']);
      takePending(rows);
      const rotated = keys.rotate('old', { id: 'new', hash: 'hash of new' }, NOW + 1);
      const summary = { id: 'new', name: 'name of old', scopes: ['write'] };
      expect(rotated).toMatchObject({ summary, hash: 'hash of old' });
      expect(takePending(rows)).toEqual(['hash of new', 'hash of old']);
      expect(keys.find('old')).toEqual({ status: 'revoked' });
      expect(keys.entry('t', 'hash of old')).toBeNull();
      for (const id of ['old', 'never'])
        expect(keys.rotate(id, { id: 'x', hash: 'x' }, NOW)).toEqual(refused('key_not_found'));
      expect(keys.list()).toHaveLength(2);
    }));

  it('are revoked once, but for the last with the scope admin', () =>
    inRows((rows) => {
      const { keys } = rows;
      make(keys, 'first', ['read', 'admin']);
      make(keys, 'second', ['admin']);
      make(keys, 'reader');
      takePending(rows);
      expect(keys.revoke('never', NOW)).toEqual(refused('key_not_found'));
      expect(keys.revoke('first', NOW + 1)).toEqual({ hash: 'hash of first' });
      expect(keys.revoke('first', NOW + 2)).toEqual({ hash: 'hash of first' });
      expect(takePending(rows)).toEqual(['hash of first']);
      const revoked_at = new Date(NOW + 1).toISOString();
      expect(keys.list().find(({ id }) => id === 'first')).toMatchObject({ revoked_at });
      expect(keys.revoke('second', NOW)).toEqual(refused('conflict'));
      expect(keys.revoke('reader', NOW)).toEqual({ hash: 'hash of reader' });
      expect(keys.find('second')).toMatchObject({ status: 'active' });
    }));

  it('all go with their tenant, the last admin too', () =>
    inRows((rows) => {
      const { keys } = rows;
      for (const id of ['a', 'b', 'c']) make(keys, id, ['admin']);
      keys.revoke('a', NOW + 1);
      takePending(rows);
      keys.revokeAll(NOW + 2);
      expect(takePending(rows)).toEqual(['hash of a', 'hash of b', 'hash of c']);
      const times = keys.list().map((key) => Date.parse(key.revoked_at!));
      expect(times).toEqual([NOW + 1, NOW + 2, NOW + 2]);
    }));

  it('that were revoked stay, the newest of them', () =>
    inRows(({ keys }) => {
      const last = MAX_REVOKED_KEYS + 1;
      for (let i = 1; i <= last; i++) {
        make(keys, `key ${i}`);
        // All at the same time: the one that was just revoked stays.
        keys.revoke(`key ${i}`, NOW + Math.min(i, 3));
      }
      const ids = keys.list().map(({ id }) => id);
      expect(ids).toHaveLength(MAX_REVOKED_KEYS);
      expect(ids).not.toContain('key 1');
      expect(ids).toContain(`key ${last}`);
    }));
});

const capture = (id: string, changed: Partial<Capture> = {}): Capture => ({
  id,
  version: 1,
  picture: `picture of ${id}`,
  code: Uint8Array.of(1, 2),
  predictions: [{ label: 'cat', score: 0.5 }],
  unknown: { score: 0.25, is_unknown: false },
  worth: 0.5,
  ...changed,
});

/** Versions 1 and 2 of a head. */
function withVersions({ storage }: Opened, head: string): void {
  for (const version of [1, 2])
    storage.sql.exec(
      `INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at) VALUES (?, ?, 1, ?, 1, '', 1)`,
      head,
      version,
      `${version}`,
    );
}

describe('captures', () => {
  it('are kept once a picture, of versions that are there, and listed by worth and then by age', () =>
    inRows((rows) => {
      const { captures } = rows;
      withVersions(rows, 'pets');
      const changes = [{ worth: 0.1 }, { worth: 0.9 }, {}, {}];
      for (const [i, change] of changes.entries()) captures.add('pets', capture(`c${i}`, change), NOW + i);
      captures.add('pets', capture('gone', { version: 3 }), NOW);
      captures.add('dogs', capture('other'), NOW);
      expect(captures.list('pets').map(({ id }) => id)).toEqual(['c1', 'c3', 'c2', 'c0']);
      const again = capture('again', {
        picture: 'picture of c0',
        version: 2,
        worth: 0.6,
        code: Uint8Array.of(3),
      });
      captures.add('pets', again, NOW + 9);
      const [, second] = captures.list('pets');
      expect(second).toEqual({
        id: 'again',
        version: 2,
        picture: 'picture of c0',
        predictions: again.predictions,
        unknown: again.unknown,
        created_at: new Date(NOW).toISOString(),
      });
      const found = { version: 2, picture: 'picture of c0', code: Uint8Array.of(3) };
      expect(captures.find('pets', 'again')).toEqual(found);
      expect(captures.find('dogs', 'again')).toBeUndefined();
      expect(captures.find('pets', 'c0')).toBeUndefined();
      expect(captures.list('dogs')).toEqual([]);
    }));

  it('are so many of a head; the least worth makes room', () =>
    inRows((rows) => {
      const { captures } = rows;
      for (const head of ['pets', 'dogs']) withVersions(rows, head);
      captures.add('dogs', capture('other', { worth: 0 }), NOW);
      for (let i = 0; i <= MAX_CAPTURES_PER_HEAD; i++)
        captures.add('pets', capture(`c${i}`, { worth: 1 + ((i + 5) % (MAX_CAPTURES_PER_HEAD + 1)) }), NOW);
      const ids = captures.list('pets').map(({ id }) => id);
      expect(ids).toHaveLength(MAX_CAPTURES_PER_HEAD);
      expect(ids).not.toContain(`c${MAX_CAPTURES_PER_HEAD - 4}`);
      captures.remove('c0');
      expect(captures.list('pets')).toHaveLength(MAX_CAPTURES_PER_HEAD - 1);
      captures.clear('pets');
      expect(captures.list('pets')).toEqual([]);
      expect(captures.list('dogs')).toHaveLength(1);
    }));
});

const count = (day: string, kind: string, n: number) => ({ day, kind, count: n });
const day = (n: number): string => new Date(NOW + n * 86_400_000).toISOString().slice(0, 10);

describe('usage', () => {
  it('adds up by day and kind, and keeps so many days', () =>
    inRows(({ usage }) => {
      usage.add({ requests: [count(day(0), 'classify', 2), count(day(0), 'teach', 1)], shadows: [] });
      usage.add({ requests: [count(day(0), 'classify', 3), count(day(1), 'classify', 1)], shadows: [] });
      const days = [
        { day: day(0), counts: { classify: 5, teach: 1 } },
        { day: day(1), counts: { classify: 1 } },
      ];
      expect(usage.days(day(0))).toEqual(days);
      expect(usage.days(day(1))).toEqual(days.slice(1));
      for (let n = 2; n < USAGE_DAYS; n++) usage.add({ requests: [count(day(n), 'teach', 1)], shadows: [] });
      expect(usage.days('').map((each) => each.day)).toEqual(
        Array.from({ length: USAGE_DAYS }, (_, n) => day(n)),
      );
      usage.add({ requests: [count(day(USAGE_DAYS), 'teach', 1)], shadows: [] });
      expect(usage.days('')).toHaveLength(USAGE_DAYS);
      expect(usage.days('')[0].day).toBe(day(1));
    }));

  it('counts what a version in the shadow did, as long as it is there', () =>
    inRows((rows) => {
      const { usage } = rows;
      for (const head of ['pets', 'dogs']) withVersions(rows, head);
      const shadow = (head: string, version: number, requests: number, disagreements: number) =>
        usage.add({ requests: [], shadows: [{ head, version, requests, disagreements }] });
      shadow('pets', 1, 5, 2);
      shadow('pets', 1, 2, 1);
      shadow('pets', 2, 9, 0);
      shadow('pets', 3, 9, 0);
      shadow('dogs', 1, 1, 1);
      expect(usage.shadow('pets', 1)).toEqual({ requests: 7, disagreements: 3 });
      expect(usage.shadow('pets', 3)).toEqual({ requests: 0, disagreements: 0 });
      usage.clearShadow('pets');
      expect(usage.shadow('pets', 1)).toEqual({ requests: 0, disagreements: 0 });
      expect(usage.shadow('dogs', 1)).toEqual({ requests: 1, disagreements: 1 });
    }));
});

describe('an Idempotency-Key', () => {
  const key = { key: 'k', digest: 'd' };
  const added = { revision: 7, added: 3, duplicates: 2 };

  it('is remembered with what was stored, then with the answer, for a day', () =>
    inRows(({ idempotency }) => {
      expect(idempotency.recall(key, NOW)).toEqual({ state: 'new' });
      idempotency.remember(key, 'pets', added, NOW);
      expect(idempotency.recall(key, NOW)).toEqual({ state: 'stored', added });
      expect(idempotency.recall({ ...key, digest: 'e' }, NOW)).toEqual(refused('idempotency_mismatch'));
      idempotency.answered('k', '{}');
      expect(idempotency.recall(key, NOW + IDEMPOTENCY_MS - 1)).toEqual({ state: 'answered', answer: '{}' });
      expect(idempotency.recall(key, NOW + IDEMPOTENCY_MS)).toEqual({ state: 'new' });
      idempotency.remember(key, 'pets', added, NOW + IDEMPOTENCY_MS);
      expect(idempotency.recall(key, NOW + IDEMPOTENCY_MS)).toEqual({ state: 'stored', added });
    }));

  it('goes with its head and with its time', () =>
    inRows(({ idempotency, query }) => {
      for (const [i, head] of ['pets', 'dogs', 'pets'].entries())
        idempotency.remember({ key: `k${i}`, digest: 'd' }, head, added, NOW + i);
      idempotency.forgetHead('dogs');
      expect(idempotency.recall({ key: 'k1', digest: 'd' }, NOW + 2)).toEqual({ state: 'new' });
      expect(idempotency.recall({ key: 'k2', digest: 'd' }, NOW + 2)).toEqual({ state: 'stored', added });
      idempotency.remember(key, 'pets', added, NOW + IDEMPOTENCY_MS);
      expect(query('SELECT key FROM idempotency ORDER BY key')).toEqual([{ key: 'k' }, { key: 'k2' }]);
    }));

  it('is one of so many: the oldest goes', () =>
    inRows(({ idempotency, query, storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO idempotency SELECT 'n' || i, 'd', 'pets', 1, '1 0', NULL, ? FROM n`,
        MAX_IDEMPOTENCY_KEYS - 1,
        NOW,
      );
      const count = 'SELECT count(*) AS n, count(CASE WHEN key = ? THEN 1 END) AS oldest FROM idempotency';
      idempotency.remember(key, 'pets', added, NOW);
      expect(query(count, 'n1')).toEqual([{ n: MAX_IDEMPOTENCY_KEYS, oldest: 1 }]);
      idempotency.remember({ key: 'l', digest: 'd' }, 'pets', added, NOW);
      expect(query(count, 'n1')).toEqual([{ n: MAX_IDEMPOTENCY_KEYS, oldest: 0 }]);
    }));
});
