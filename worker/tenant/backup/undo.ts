/**
 * Deletes the rows of a restore that was given up, in steps of bounded size: the first at once, the others with each turn
 * of the alarm, or when a restore is sent again. Heads go first, so that nothing answers. The mark that the undo is under way
 * goes with the last row, so that a crash at any point leaves it to be finished.
 * Every method runs within one transaction of its caller.
 */
import { RESTORED_VERSIONS_AT_ONCE, SWEPT_AT_ONCE } from '../../limits.ts';
import type { HeadRows } from '../heads/head-rows.ts';
import type { Outbox } from '../outbox.ts';
import type { Standing } from '../standing.ts';
import { part, Table, type Sql } from '../sql.ts';

/** What a restored head has rows in, or may get when it answers, besides those that go with its versions by triggers. */
const TABLES = ['taught_heads', 'version_names', 'captures', 'examples'];

export class RestoreUndo extends Table {
  readonly #outbox: Outbox;
  readonly #heads: HeadRows;
  readonly #standing: Standing;

  constructor(sql: Sql, outbox: Outbox, heads: HeadRows, standing: Standing) {
    super(sql);
    this.#outbox = outbox;
    this.#heads = heads;
    this.#standing = standing;
  }

  /** Gives up the restore under way, if there is one, and makes the first step. @returns as step() */
  begin(now: number): boolean {
    if (this.#standing.restoring !== undefined) this.#standing.beginUndo();
    return this.step(now);
  }

  /** Deletes so many rows as one transaction may. @returns whether nothing is left, or there is no undo under way. */
  step(now: number): boolean {
    if (!this.#standing.isUndoing) return true;
    let room = SWEPT_AT_ONCE - this.#deleteHeads(SWEPT_AT_ONCE);
    for (const table of TABLES) if (room > 0) room -= this.#deleteFrom(table, room);
    if (room > 0) room -= this.#deleteVersions(Math.min(room, RESTORED_VERSIONS_AT_ONCE), now);
    const isDone = room > 0 && !this.#hasVersions;
    if (isDone) this.#standing.endUndo();
    return isDone;
  }

  /** Those that answer leave KV. @returns how many it deleted, as the others. */
  #deleteHeads(most: number): number {
    const rows = this.sql<{ name: string; current: number | null }>`
      DELETE FROM heads WHERE name IN (SELECT name FROM heads LIMIT ${most}) RETURNING name, current`;
    for (const { name, current } of rows) if (current !== null) this.#outbox.add('head', name);
    return rows.length;
  }

  #deleteFrom(table: string, most: number): number {
    const name = part([table]);
    return this.sql`
      DELETE FROM ${name} WHERE rowid IN (SELECT rowid FROM ${name} LIMIT ${most}) RETURNING 1`.length;
  }

  #deleteVersions(most: number, now: number): number {
    const rows = this.sql<{ head: string; version: number; sha256: string }>`
      DELETE FROM versions WHERE rowid IN (SELECT rowid FROM versions LIMIT ${most})
        RETURNING head, version, sha256`;
    for (const { head, version, sha256 } of rows)
      this.#outbox.discard(this.#heads.objectName(head, version, sha256), now);
    return rows.length;
  }

  get #hasVersions(): boolean {
    return this.sql`SELECT 1 FROM versions LIMIT 1`.length > 0;
  }
}
