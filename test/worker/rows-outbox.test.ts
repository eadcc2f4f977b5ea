/** What a tenant still has to do, and when the alarm does it; what it is in the middle of; pictures that are kept. */
import { describe, expect, it } from 'vitest';
import {
  MAX_KEPT_PICTURE_BYTES,
  R2_DELETE_BATCH,
  RESERVATION_MARGIN_MS,
  RESERVATION_MS,
  RETRY_FIRST_MS,
  RETRY_MAX_MS,
} from '../../worker/limits.ts';
import type { Stores } from '../../worker/tenant/outbox.ts';
import { part, type SqlPart } from '../../worker/tenant/sql.ts';
import { garbage, refused } from './in-heads.ts';
import { inRows, NOW, NO_STORES, type Opened } from './in-rows.ts';

/** When it is, after something was recorded. */
async function alarmAfter({ outbox, storage }: Opened, note?: string, ...values: SqlStorageValue[]) {
  if (note !== undefined) storage.sql.exec(note, ...values);
  await outbox.schedule(NOW);
  return storage.getAlarm();
}

describe('the next alarm', () => {
  it.each([
    ['nothing', undefined, [], null],
    ['an entry of KV', "INSERT INTO outbox VALUES ('head', 'pets', 1)", [], NOW + RETRY_FIRST_MS],
    ['forgetting', "INSERT INTO taught_heads VALUES ('pets', '{}', 1, 1, 1)", [], NOW + RETRY_FIRST_MS],
    ['nothing to forget', "INSERT INTO taught_heads VALUES ('pets', '{}', 1, 1, NULL)", [], null],
    [
      'a missing summary',
      "INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at) VALUES ('pets', 1, 1, 'a', 1, '', 1)",
      [],
      NOW + RETRY_FIRST_MS,
    ],
    ['a sweep', "UPDATE tenant SET swept_head = ''", [], NOW],
    ['a restore that is taken back', "INSERT INTO marks VALUES ('undoing')", [], NOW],
    ['an object that goes later', 'INSERT INTO garbage VALUES (?, ?)', ['x', NOW + 1], NOW + 1],
    ['an object that should be gone', 'INSERT INTO garbage VALUES (?, ?)', ['x', NOW], NOW + RETRY_FIRST_MS],
    ['a deletion', 'INSERT INTO marks VALUES (?)', [`deleting ${NOW + 99}`], NOW + 99],
    ['an older deletion', 'INSERT INTO marks VALUES (?)', ['deleting'], NOW + RETRY_FIRST_MS],
    ['a restore', 'INSERT INTO marks VALUES (?)', ['restoring x'], null],
  ])('is for %s', (_, note, values, at) =>
    inRows(async (rows) => {
      await rows.storage.setAlarm(NOW + 7_777_777);
      expect(await alarmAfter(rows, note, ...values)).toBe(at);
    }),
  );

  it('is the first of all that wait', () =>
    inRows(async (rows) => {
      expect(await alarmAfter(rows, 'INSERT INTO garbage VALUES (?, ?)', 'x', NOW + 5_000)).toBe(NOW + 5_000);
      expect(await alarmAfter(rows, 'INSERT INTO garbage VALUES (?, ?)', 'y', NOW + 4_000)).toBe(NOW + 4_000);
      expect(await alarmAfter(rows, "INSERT INTO outbox VALUES ('head', 'pets', 1)")).toBe(
        NOW + RETRY_FIRST_MS,
      );
    }));
});

const render = () => ({ name: 'x', value: {} });
const down = () => Promise.reject(new Error('down'));

describe('stores that fail', () => {
  it('are tried again later each time, up to a minute, and at once when they work', async () => {
    let works = false;
    const put = () => (works ? Promise.resolve() : down());
    const stores: Stores = { ...NO_STORES, POINTERS: { put, delete: down } };
    await inRows(async ({ outbox, storage }) => {
      outbox.add('head', 'pets');
      for (let failures = 1; failures <= 7; failures++) {
        const before = Date.now();
        await outbox.deliver(render);
        const wait = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures);
        expect(await storage.getAlarm()).toBeGreaterThanOrEqual(before + wait);
        expect(await storage.getAlarm()).toBeLessThanOrEqual(Date.now() + wait);
      }
      works = true;
      await outbox.deliver(render);
      expect([await storage.getAlarm(), outbox.pending, outbox.isEmpty]).toEqual([null, false, true]);
      works = false;
      outbox.add('head', 'pets');
      await outbox.schedule(NOW);
      expect(await storage.getAlarm()).toBe(NOW + RETRY_FIRST_MS);
    }, stores);
  });

  it('get objects to delete in batches, and no other objects', async () => {
    const batches: number[] = [];
    const remove = async (names: string[]): Promise<void> => void batches.push(names.length);
    const stores: Stores = { ...NO_STORES, HEADS: { get: down, put: down, delete: remove } };
    await inRows(async ({ outbox, query }) => {
      const later = Date.now() + 60_000;
      outbox.discard('later', later);
      for (let i = 0; i <= R2_DELETE_BATCH; i++) outbox.discard(`object ${i}`, 1);
      expect(outbox.pending).toBe(true);
      await outbox.deliver(() => ({ name: 'x', value: null }));
      expect(batches).toEqual([R2_DELETE_BATCH, 1]);
      expect(query('SELECT * FROM garbage')).toEqual([{ object_name: 'later', due_at: later }]);
      expect([outbox.pending, outbox.isEmpty]).toEqual([false, false]);
    }, stores);
  });

  it('are told to delete an entry that is nothing any more', async () => {
    const deleted: string[] = [];
    const remove = async (name: string): Promise<void> => void deleted.push(name);
    await inRows(
      async ({ outbox, query }) => {
        for (const subject of ['a', 'b']) outbox.add('key', subject);
        outbox.add('head', 'a');
        await outbox.deliver((kind, subject) => ({ name: `${kind} ${subject}`, value: null }));
        expect(deleted.sort()).toEqual(['head a', 'key a', 'key b']);
        expect(query('SELECT * FROM outbox')).toEqual([]);
      },
      { ...NO_STORES, POINTERS: { put: down, delete: remove } },
    );
  });
});

it('an object is expected until its time, and no more when it is kept', () =>
  inRows(({ outbox }) => {
    outbox.discard('x', NOW + 5);
    outbox.discard('y', NOW + 5);
    expect([outbox.expects('x', NOW + 4), outbox.expects('x', NOW + 5), outbox.expects('z', NOW)]).toEqual([
      true,
      false,
      false,
    ]);
    outbox.discard('x', NOW + 9);
    expect(outbox.expects('x', NOW + 5)).toBe(true);
    outbox.keep('x');
    expect([outbox.expects('x', NOW), outbox.expects('y', NOW)]).toEqual([false, true]);
  }));

/** Examples of a head with pictures that are known by these names. */
function examples({ storage }: Opened, head: string, ...pictures: readonly string[]): void {
  for (const picture of pictures)
    storage.sql.exec(
      `INSERT INTO examples (id, head, label, picture, source, code, added_revision, created_at) VALUES (?, ?, ?, ?, 'picture', x'00', 1, 1)`,
      `${head} ${picture}`,
      head,
      picture.slice(0, 3),
      picture,
    );
}

/** Names for pictures of so many bytes. */
function expected({ pictures }: Opened, sizes: readonly number[], now = NOW): readonly string[] {
  const names = pictures.expect('pets', sizes, now);
  if ('refused' in names || names.images === null) throw new Error('none are expected');
  return names.images;
}

/** The name of a picture's object. */
const objectOf = (image: string): string => `images/atenantforitself/pets/${image}`;

const keep = ({ pictures }: Opened): unknown => pictures.configure({ keep_images: true }, NOW);

describe('kept pictures', () => {
  it('are none until they are wanted', () =>
    inRows((rows) => {
      const { pictures } = rows;
      expect(pictures.settings()).toEqual({ keep_images: false });
      expect(pictures.expect('pets', [1], NOW)).toEqual({ images: null });
      expect(keep(rows)).toEqual({ keep_images: true });
      const [first, second] = expected(rows, [1, 1]);
      expect(first).toMatch(/^[^-]+$/);
      expect(first).not.toBe(second);
      expect(garbage(rows)).toEqual(
        [first, second].sort().map((each) => [objectOf(each), NOW + RESERVATION_MS]),
      );
      expect(pictures.configure({ keep_images: false }, NOW)).toEqual({ keep_images: false });
      keep(rows);
      expect(expected(rows, [1])[0]).toMatch(/^1-[^-]+$/);
    }));

  it('take so many bytes of a tenant', () =>
    inRows((rows) => {
      keep(rows);
      const { pictures, storage } = rows;
      expected(rows, [MAX_KEPT_PICTURE_BYTES - 1, 1]);
      expect(pictures.expect('pets', [MAX_KEPT_PICTURE_BYTES, 1], NOW)).toEqual(refused('limit_reached'));
      storage.sql.exec('UPDATE tenant SET image_bytes = 10');
      expected(rows, [MAX_KEPT_PICTURE_BYTES - 10]);
      expect(pictures.expect('pets', [MAX_KEPT_PICTURE_BYTES - 9], NOW)).toEqual(refused('limit_reached'));
    }));

  it('are given to examples that are there and have none, while there is time', () =>
    inRows((rows) => {
      keep(rows);
      const { pictures, query } = rows;
      examples(rows, 'pets', 'cat', 'dog');
      examples(rows, 'dogs', 'cat');
      const [cat, late, other, unknown] = expected(rows, [5, 6, 7, 8]);
      const end = NOW + RESERVATION_MS - RESERVATION_MARGIN_MS;
      pictures.give('pets', 'dog', { image: late, bytes: 6 }, end);
      pictures.give('pets', 'cat', { image: cat, bytes: 5 }, end - 1);
      pictures.give('pets', 'cat', { image: other, bytes: 7 }, NOW);
      pictures.give('pets', 'cow', { image: unknown, bytes: 8 }, NOW);
      const kept = 'SELECT id, image, image_bytes FROM examples WHERE image IS NOT NULL';
      expect(query(kept)).toEqual([{ id: 'pets cat', image: cat, image_bytes: 5 }]);
      expect(query('SELECT image_bytes FROM tenant')).toEqual([{ image_bytes: 5 }]);
      expect(garbage(rows)).toHaveLength(3);
      expect(pictures.find('pets', 'pets cat')).toBe(`images/atenantforitself/pets/${cat}`);
      expect([pictures.find('pets', 'pets dog'), pictures.find('dogs', 'pets cat')]).toEqual([null, null]);
    }));

  it('of a former generation are hidden, and make room for another', () =>
    inRows((rows) => {
      const { pictures, query, storage } = rows;
      examples(rows, 'pets', 'cat');
      storage.sql.exec("UPDATE examples SET image = 'old', image_bytes = 3");
      storage.sql.exec('UPDATE tenant SET image_generation = 1');
      keep(rows);
      expect(pictures.find('pets', 'pets cat')).toBeNull();
      const [image] = expected(rows, [5]);
      pictures.give('pets', 'cat', { image: 'stray', bytes: 1 }, NOW);
      pictures.give('pets', 'cat', { image, bytes: 5 }, NOW + 1);
      expect(query('SELECT image, image_bytes FROM examples')).toEqual([{ image, image_bytes: 5 }]);
      expect(garbage(rows)).toEqual([['images/atenantforitself/pets/old', NOW + 1]]);
      pictures.configure({ keep_images: false }, NOW);
      const kept = expect.stringContaining(image) as unknown;
      expect(garbage(rows)).toEqual(expect.arrayContaining([[kept, NOW]]));
      pictures.give('pets', 'cat', { image, bytes: 5 }, NOW);
      expect(query('SELECT image FROM examples')).toEqual([{ image: null }]);
    }));

  it('go with examples by id, by label or all of a head', () =>
    inRows((rows) => {
      const { pictures, storage } = rows;
      examples(rows, 'pets', 'cat 1', 'cat 2', 'dog 1', 'dog 2');
      examples(rows, 'dogs', 'cat 1');
      storage.sql.exec("UPDATE examples SET image = head || ' ' || picture WHERE picture <> 'dog 2'");
      const gone = (which: SqlPart): unknown[] => {
        storage.sql.exec('DELETE FROM garbage');
        pictures.discard(part`head = ${'pets'}${which}`, 'pets', NOW);
        return garbage(rows).map((row) => String(row).split(/[/,]/).at(-2));
      };
      expect(gone(part` AND id IN (${'pets cat 1'}, ${'pets dog 2'}, ${'dogs cat 1'})`)).toEqual([
        'pets cat 1',
      ]);
      expect(gone(part` AND label = ${'cat'}`)).toEqual(['pets cat 1', 'pets cat 2']);
      expect(gone(part``)).toEqual(['pets cat 1', 'pets cat 2', 'pets dog 1']);
    }));
});

describe('what a tenant is in the middle of', () => {
  it('is a restore, from its beginning to its end', () =>
    inRows(({ standing }) => {
      expect([standing.restoring, standing.restored]).toEqual([undefined, undefined]);
      standing.beginRestore('one');
      expect([standing.restoring, standing.restored]).toEqual(['one', undefined]);
      standing.beginUndo();
      expect([standing.restoring, standing.restored, standing.isUndoing]).toEqual([
        undefined,
        undefined,
        true,
      ]);
      standing.endRestore();
      expect([standing.restored, standing.isUndoing]).toEqual([undefined, true]);
      standing.endUndo();
      expect(standing.isUndoing).toBe(false);
      standing.beginRestore('two');
      standing.endRestore();
      standing.beginUndo();
      expect([standing.restoring, standing.restored]).toEqual([undefined, 'two']);
      expect([standing.isDeleting, standing.lasts, standing.sweepAt]).toEqual([false, true, 0]);
    }));

  it('is its deletion, until nothing is left', () =>
    inRows(async ({ standing, storage, query }) => {
      standing.enter(standing.id, 'another name', NOW + 1);
      expect(query('SELECT name FROM tenant WHERE id = ?', standing.id)).toEqual([{ name: 'a tenant' }]);
      standing.beginDeleting(NOW + 5);
      expect([standing.isDeleting, standing.lasts, standing.exists]).toEqual([true, false, true]);
      expect(standing.sweepAt).toBe(NOW + 5);
      await storage.setAlarm(NOW * 2);
      await standing.vanish();
      expect([standing.isDeleting, standing.lasts, standing.exists]).toEqual([false, false, false]);
      expect(await storage.getAlarm()).toBeNull();
      expect(query("SELECT 1 FROM sqlite_master WHERE name = 'tenant'")).toEqual([]);
    }));

  it('was so with deletions of before there was a second pass', () =>
    inRows(({ standing, storage }) => {
      storage.sql.exec("INSERT INTO marks VALUES ('deleting')");
      expect([standing.isDeleting, standing.sweepAt]).toEqual([true, 0]);
    }));
});
