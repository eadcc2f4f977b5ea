/**
 * How a version comes: it is reserved, its file written to R2 by the caller, then committed; only committed versions can
 * be seen. Every method runs within one transaction of its caller.
 */
import {
  MAX_HEADS_PER_TENANT,
  MAX_VERSIONS_PER_HEAD,
  RESERVATION_MARGIN_MS,
  RESERVATION_MS,
} from '../../limits.ts';
import type { Pointer } from '../../stores/layout.ts';
import { refuse, type Refused } from '../refused.ts';
import type { DeletedHeads } from './deleted-heads.ts';
import type { HeadRows, VersionRow } from './head-rows.ts';
import type { Outbox } from '../outbox.ts';
import { Table, type Sql } from '../sql.ts';

export interface Upload {
  readonly sha256: string;
  readonly bytes: number;
  /** See describe.ts. */
  readonly description: string;
  /** The state of the examples that it was trained on; undefined where it comes from elsewhere. */
  readonly trainedRevision?: number;
}

export type Reservation = { readonly version: number; readonly objectName: string } & (
  { readonly state: 'reserved' } | { readonly state: 'exists'; readonly pointer: Pointer }
);

export interface Committed {
  readonly version: number;
  readonly pointer: Pointer;
}

export class Uploads extends Table {
  readonly #outbox: Outbox;
  readonly #heads: HeadRows;
  readonly #deleted: DeletedHeads;

  constructor(sql: Sql, outbox: Outbox, heads: HeadRows, deleted: DeletedHeads) {
    super(sql);
    this.#outbox = outbox;
    this.#heads = heads;
    this.#deleted = deleted;
  }

  /** A number for a new version; or the version that has this content already, which becomes current. */
  reserve(head: string, upload: Upload, now: number): Reservation | Refused {
    this.sql`DELETE FROM versions WHERE NOT committed AND created_at <= ${now - RESERVATION_MS}`;
    const same = this.#withContent(head, upload.sha256);
    if (same !== undefined) {
      const objectName = this.#heads.objectName(head, same, upload.sha256);
      const pointer = this.#again(head, same, upload.trainedRevision);
      return { state: 'exists', version: same, objectName, pointer };
    }
    if (this.#heads.live(head) === undefined && this.#count() >= MAX_HEADS_PER_TENANT) {
      return refuse(
        'limit_reached',
        `This tenant has ${MAX_HEADS_PER_TENANT} heads, as many as it may. Delete one first.`,
      );
    }
    const version = this.#nextVersion(head, now);
    const { sha256, bytes, trainedRevision = null } = upload;
    this.sql`
      INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at, trained_revision)
        VALUES (${head}, ${version}, 0, ${sha256}, ${bytes}, '', ${now}, ${trainedRevision})`;
    this.#heads.descriptions.store(head, version, upload.description);
    const objectName = this.#heads.objectName(head, version, upload.sha256);
    this.#outbox.discard(objectName, now + RESERVATION_MS);
    return { state: 'reserved', version, objectName };
  }

  /**
   * Makes a reserved version visible, and current unless a later reservation was faster. Repeating it changes nothing. Of
   * two uploads with the same content the one that comes second gets the first one's version.
   * @param heldBack why it must not become current, where that is so. The first version of a head always does.
   */
  commit(head: string, version: number, now: number, heldBack?: string): Committed | Refused {
    const [row] = this.sql<VersionRow & { committed: number }>`
      SELECT * FROM versions WHERE head = ${head} AND version = ${version}`;
    if (row?.committed) return { version, pointer: this.#heads.pointer(head)! };
    if (row === undefined || now >= row.created_at + RESERVATION_MS - RESERVATION_MARGIN_MS) {
      return refuse(
        'conflict',
        `Version ${version} of '${head}' was given up: its upload took too long or the head was deleted.`,
      );
    }
    const same = this.#withContent(head, row.sha256);
    if (same !== undefined) {
      this.sql`DELETE FROM versions WHERE head = ${head} AND version = ${version}`;
      return { version: same, pointer: this.#again(head, same, row.trained_revision ?? undefined) };
    }
    const { current } = this.#heads.row(head)!;
    if (current === null) this.sql`UPDATE heads SET created_at = ${now} WHERE name = ${head}`;
    this.sql`UPDATE versions SET committed = 1 WHERE head = ${head} AND version = ${version}`;
    this.#outbox.keep(this.#heads.objectName(head, version, row.sha256));
    const isHeld = heldBack !== undefined && current !== null;
    if (isHeld)
      this.sql`UPDATE versions SET held_back = ${heldBack} WHERE head = ${head} AND version = ${version}`;
    const newest = isHeld ? current : Math.max(current ?? 0, version);
    this.#prune(head, now, newest);
    return { version, pointer: this.#heads.setCurrent(head, newest) };
  }

  #nextVersion(head: string, now: number): number {
    // Names of uploads that broke off leave rows like deleted heads.
    if (this.#heads.row(head) === undefined) this.#deleted.prune();
    this.sql`
      INSERT INTO heads (name, last_version, revision, created_at)
        SELECT ${head}, pruned_version + 1, pruned_revision, ${now} FROM tenant WHERE true
        ON CONFLICT (name) DO UPDATE SET last_version = last_version + 1`;
    return this.#heads.row(head)!.last_version;
  }

  /** A version that came once more: current now, unless it was held back when it came first. */
  #again(head: string, version: number, trainedRevision: number | undefined): Pointer {
    if (trainedRevision === undefined) return this.#makeCurrent(head, version);
    this.sql`UPDATE versions SET trained_revision = ${trainedRevision}
      WHERE head = ${head} AND version = ${version}`;
    const held = this.#heads.version(head, version)?.held_back ?? null;
    return held === null ? this.#makeCurrent(head, version) : this.#heads.pointer(head)!;
  }

  #makeCurrent(head: string, version: number): Pointer {
    return this.#heads.row(head)?.current === version
      ? this.#heads.pointer(head)!
      : this.#heads.setCurrent(head, version);
  }

  #prune(head: string, now: number, current: number): void {
    const kept = new Set([
      current,
      this.#heads.taughtOn(head),
      ...this.#heads.names(head).map(({ version }) => version),
    ]);
    const old = this.#heads.versions(head).filter(({ version }) => !kept.has(version));
    for (const { version, sha256 } of old.slice(MAX_VERSIONS_PER_HEAD - 1))
      this.#heads.drop(head, version, sha256, now);
  }

  #withContent(head: string, sha256: string): number | undefined {
    const [same] = this.sql<{ version: number }>`
      SELECT version FROM versions WHERE head = ${head} AND sha256 = ${sha256} AND committed`;
    return same?.version;
  }

  #count(): number {
    const [{ heads }] = this.sql<{ heads: number }>`
      SELECT count(*) AS heads FROM heads WHERE current IS NOT NULL`;
    return heads;
  }
}
