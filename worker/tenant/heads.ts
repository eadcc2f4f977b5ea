/**
 * The tenant's heads and their versions, as rows. A version is reserved, its file written to R2 by the caller, then
 * committed; only committed versions can be seen. Every method runs within one transaction of its caller.
 */
import { DEFAULT_SETTINGS, HeadSettings } from '../../src/api/index.ts';
import {
  MAX_HEADS_PER_TENANT,
  MAX_VERSION_NAMES,
  MAX_VERSIONS_PER_HEAD,
  RESERVATION_MARGIN_MS,
  RESERVATION_MS,
} from '../limits.ts';
import { headObjectName, type Pointer } from '../stores/layout.ts';
import { refuse, type Refused } from './call.ts';
import type { Outbox } from './outbox.ts';

export interface Upload {
  readonly sha256: string;
  readonly bytes: number;
  /** See describe.ts. */
  readonly description: string;
  /** The state of the examples that it was trained on; undefined where it comes from elsewhere. */
  readonly trainedRevision?: number;
}

export interface CommitOptions {
  /** Why the version must not become current, where that is so. The first version of a head always does. */
  readonly heldBack?: string | undefined;
}

export type Reservation =
  | { readonly state: 'reserved'; readonly version: number; readonly objectName: string }
  | { readonly state: 'exists'; readonly version: number; readonly pointer: Pointer };

export interface Committed {
  readonly version: number;
  readonly pointer: Pointer;
}

export interface HeadRow extends Record<string, SqlStorageValue> {
  name: string;
  current: number | null;
  last_version: number;
  revision: number;
  created_at: number;
  canary_version: number | null;
  canary_percent: number | null;
  shadow_version: number | null;
}

export interface VersionRow extends Record<string, SqlStorageValue> {
  version: number;
  sha256: string;
  bytes: number;
  description: string;
  created_at: number;
  trained_revision: number | null;
  held_back: string | null;
}

export class Heads {
  readonly #sql: SqlStorage;
  readonly #outbox: Outbox;
  readonly #tenant: () => string;

  constructor(sql: SqlStorage, outbox: Outbox, tenant: () => string) {
    this.#sql = sql;
    this.#outbox = outbox;
    this.#tenant = tenant;
  }

  /** Heads with a current version, by name, each with that version's description and how many versions it has. */
  list(): (HeadRow & { current: number; description: string; versions: number })[] {
    return this.#sql
      .exec<HeadRow & { current: number; description: string; versions: number }>(
        `SELECT heads.*, description,
           (SELECT count(*) FROM versions AS v WHERE v.head = heads.name AND v.committed) AS versions
         FROM heads JOIN versions ON versions.head = heads.name AND versions.version = heads.current
         ORDER BY heads.name`,
      )
      .toArray();
  }

  /** Committed versions, newest first. */
  versions(head: string): VersionRow[] {
    return this.#sql
      .exec<VersionRow>(
        `SELECT version, sha256, bytes, description, created_at, trained_revision, held_back FROM versions
         WHERE head = ? AND committed ORDER BY version DESC`,
        head,
      )
      .toArray();
  }

  /** A head that has a current version. */
  live(head: string): (HeadRow & { current: number }) | undefined {
    const row = this.#row(head);
    return row === undefined || row.current === null ? undefined : { ...row, current: row.current };
  }

  /** What the nearer stores should know of a head, or null where the name never had one. */
  pointer(head: string): Pointer | null {
    const row = this.#row(head);
    if (row === undefined) return null;
    const versions = Object.fromEntries(this.versions(head).map(({ version, sha256 }) => [version, sha256]));
    const { canary_version: version, canary_percent: percent } = row;
    return {
      revision: row.revision,
      current: row.current,
      versions,
      names: Object.fromEntries(this.names(head).map(({ name, version: named }) => [name, named])),
      canary: version === null || percent === null ? null : { version, percent },
      shadow: row.shadow_version,
      capture: this.settings(head).capture,
    };
  }

  /** A number for a new version; or the version that has this content already, which becomes current. */
  reserve(head: string, upload: Upload, now: number): Reservation | Refused {
    this.#sql.exec('DELETE FROM versions WHERE NOT committed AND created_at <= ?', now - RESERVATION_MS);
    const same = this.#withContent(head, upload.sha256);
    if (same !== undefined) {
      return { state: 'exists', version: same, pointer: this.#again(head, same, upload.trainedRevision) };
    }
    if (this.live(head) === undefined && this.#count() >= MAX_HEADS_PER_TENANT) {
      return refuse(
        'limit_reached',
        `This tenant has ${MAX_HEADS_PER_TENANT} heads, as many as it may. Delete one first.`,
      );
    }
    this.#sql.exec(
      `INSERT INTO heads (name, last_version, revision, created_at) VALUES (?, 1, 0, ?)
         ON CONFLICT (name) DO UPDATE SET last_version = last_version + 1`,
      head,
      now,
    );
    const { last_version: version } = this.#row(head)!;
    this.#sql.exec(
      `INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at, trained_revision)
         VALUES (?, ?, 0, ?, ?, ?, ?, ?)`,
      head,
      version,
      upload.sha256,
      upload.bytes,
      upload.description,
      now,
      upload.trainedRevision ?? null,
    );
    const objectName = headObjectName(this.#tenant(), head, version, upload.sha256);
    this.#outbox.discard(objectName, now + RESERVATION_MS);
    return { state: 'reserved', version, objectName };
  }

  /**
   * Makes a reserved version seen, and current unless a later reservation was faster. Repeating it changes nothing. Of
   * two uploads with the same content the one that comes second gets the first one's version.
   */
  commit(head: string, version: number, now: number, { heldBack }: CommitOptions = {}): Committed | Refused {
    const [row] = this.#sql
      .exec<VersionRow & { committed: number }>(
        'SELECT * FROM versions WHERE head = ? AND version = ?',
        head,
        version,
      )
      .toArray();
    if (row?.committed) return { version, pointer: this.pointer(head)! };
    if (row === undefined || now >= row.created_at + RESERVATION_MS - RESERVATION_MARGIN_MS) {
      return refuse(
        'conflict',
        `Version ${version} of '${head}' was given up: its upload took too long or the head was deleted.`,
      );
    }
    const same = this.#withContent(head, row.sha256);
    if (same !== undefined) {
      this.#sql.exec('DELETE FROM versions WHERE head = ? AND version = ?', head, version);
      return { version: same, pointer: this.#again(head, same, row.trained_revision ?? undefined) };
    }
    const { current } = this.#row(head)!;
    if (current === null) this.#sql.exec('UPDATE heads SET created_at = ? WHERE name = ?', now, head);
    this.#sql.exec('UPDATE versions SET committed = 1 WHERE head = ? AND version = ?', head, version);
    this.#outbox.keep(headObjectName(this.#tenant(), head, version, row.sha256));
    if (heldBack !== undefined && current !== null) {
      this.#sql.exec(
        'UPDATE versions SET held_back = ? WHERE head = ? AND version = ?',
        heldBack,
        head,
        version,
      );
      this.#prune(head, now, current);
      return { version, pointer: this.#setCurrent(head, current) };
    }
    const newest = Math.max(current ?? 0, version);
    this.#prune(head, now, newest);
    return { version, pointer: this.#setCurrent(head, newest) };
  }

  /** Makes a version current; or, with a share below 100, lets it answer that share of requests as a canary. */
  activate(head: string, version: number, percent = 100): Pointer | Refused {
    const fault = this.#unknown(head, version);
    if (fault !== undefined) return fault;
    const canary = percent === 100 ? null : version;
    this.#sql.exec(
      'UPDATE heads SET canary_version = ?, canary_percent = ? WHERE name = ?',
      canary,
      canary === null ? null : percent,
      head,
    );
    const current = canary === null ? version : (this.#row(head)?.current ?? version);
    return this.#setCurrent(head, current);
  }

  /** Gives a version a name, taking it from another one where that has it. */
  nameVersion(head: string, name: string, version: number): Pointer | Refused {
    const fault = this.#unknown(head, version);
    if (fault !== undefined) return fault;
    const names = this.names(head);
    if (names.length >= MAX_VERSION_NAMES && !names.some((known) => known.name === name)) {
      return refuse('limit_reached', `Head '${head}' has ${names.length} named versions, as many as it may.`);
    }
    this.#sql.exec(
      `INSERT INTO version_names VALUES (?, ?, ?)
         ON CONFLICT (head, name) DO UPDATE SET version = excluded.version`,
      head,
      name,
      version,
    );
    return this.#touch(head);
  }

  unnameVersion(head: string, name: string): Pointer | Refused {
    if (!this.names(head).some((known) => known.name === name)) {
      return refuse('version_not_found', `Head '${head}' has no version named '${name}'.`);
    }
    this.#sql.exec('DELETE FROM version_names WHERE head = ? AND name = ?', head, name);
    return this.#touch(head);
  }

  /** @param version null ends it. */
  shadow(head: string, version: number | null): Pointer | Refused {
    const fault = version === null ? this.#absent(head) : this.#unknown(head, version);
    if (fault !== undefined) return fault;
    this.#sql.exec('UPDATE heads SET shadow_version = ? WHERE name = ?', version, head);
    return this.#touch(head);
  }

  /** Deletes a version that does not answer unnamed requests. */
  removeVersion(head: string, version: number, now: number): Pointer | Refused {
    const fault = this.#unknown(head, version);
    if (fault !== undefined) return fault;
    const { current, versions } = this.pointer(head)!;
    if (version === current) {
      return refuse(
        'conflict',
        `Version ${version} of '${head}' is current. Make another one current first.`,
      );
    }
    if (version === this.#taughtOn(head)) {
      return refuse('conflict', `Version ${version} of '${head}' is what its examples are taught on top of.`);
    }
    this.#drop(head, version, versions[version], now);
    return this.#touch(head);
  }

  configure(head: string, settings: HeadSettings): HeadSettings | Refused {
    const fault = this.#absent(head);
    if (fault !== undefined) return fault;
    this.#sql.exec('UPDATE heads SET settings = ? WHERE name = ?', JSON.stringify(settings), head);
    this.#touch(head);
    return settings;
  }

  #absent(head: string): Refused | undefined {
    const row = this.#row(head);
    const known = row !== undefined && (row.current !== null || this.versions(head).length > 0);
    return known ? undefined : refuse('head_not_found', `There is no head '${head}'.`);
  }

  #unknown(head: string, version: number): Refused | undefined {
    const absent = this.#absent(head);
    if (absent !== undefined) return absent;
    return this.versions(head).some((known) => known.version === version)
      ? undefined
      : refuse('version_not_found', `Head '${head}' has no version ${version}.`);
  }

  /** Something that other stores know has changed. */
  #touch(head: string): Pointer {
    return this.#setCurrent(head, this.#row(head)?.current ?? null);
  }

  /** Removes a head with all versions, names and settings. @returns a pointer without any, so that the caller's isolate knows. */
  remove(head: string, now: number): Pointer | Refused {
    if (this.#row(head) === undefined) return refuse('head_not_found', `There is no head '${head}'.`);
    for (const { version, sha256 } of this.versions(head)) this.#drop(head, version, sha256, now);
    // Uploads on their way lose their reservation; their objects are garbage already.
    this.#sql.exec('DELETE FROM versions WHERE head = ?', head);
    this.#sql.exec('DELETE FROM version_names WHERE head = ?', head);
    this.#sql.exec(
      `UPDATE heads SET canary_version = NULL, canary_percent = NULL, shadow_version = NULL, settings = NULL
         WHERE name = ?`,
      head,
    );
    return this.#setCurrent(head, null);
  }

  /** Where a version's file lies. */
  objectName(head: string, version: number, sha256: string): string {
    return headObjectName(this.#tenant(), head, version, sha256);
  }

  /** The version trained on the newest state of the examples, or undefined. */
  newestTrained(head: string): VersionRow | undefined {
    return this.versions(head)
      .filter((row) => row.trained_revision !== null)
      .sort((a, b) => b.trained_revision! - a.trained_revision! || b.version - a.version)[0];
  }

  /**
   * Deletes the versions that were trained while forgotten examples were there, but for those kept by name.
   * @param from the earliest revision in question. @param until the first one that is clean.
   * @param otherwise the version that answers from now on where the current one goes; none without.
   */
  dropTrained(
    head: string,
    from: number,
    until: number,
    now: number,
    otherwise: number | null = null,
  ): Pointer | null {
    const kept = new Set(this.names(head).map(({ version }) => version));
    const row = this.#row(head);
    let current = row?.current ?? null;
    for (const { version, sha256, trained_revision: trained } of this.versions(head)) {
      if (trained === null || trained < from || trained >= until) continue;
      // A name keeps the file, not its place as what answers when no version is named.
      if (version === current) current = otherwise;
      if (!kept.has(version)) this.#drop(head, version, sha256, now);
    }
    return row === undefined ? null : this.#setCurrent(head, current);
  }

  settings(head: string): HeadSettings {
    const [row] = this.#sql
      .exec<{ settings: string | null }>('SELECT settings FROM heads WHERE name = ?', head)
      .toArray();
    return row?.settings == null ? DEFAULT_SETTINGS : HeadSettings.parse(JSON.parse(row.settings));
  }

  /** Names that versions were given. */
  names(head: string): { name: string; version: number }[] {
    return this.#sql
      .exec<{ name: string; version: number }>(
        'SELECT name, version FROM version_names WHERE head = ? ORDER BY name',
        head,
      )
      .toArray();
  }

  /** A version that came once more: current now, unless it was held back when it came first. */
  #again(head: string, version: number, trainedRevision: number | undefined): Pointer {
    if (trainedRevision === undefined) return this.#makeCurrent(head, version);
    this.#sql.exec(
      'UPDATE versions SET trained_revision = ? WHERE head = ? AND version = ?',
      trainedRevision,
      head,
      version,
    );
    const held = this.versions(head).find((row) => row.version === version)?.held_back ?? null;
    return held === null ? this.#makeCurrent(head, version) : this.pointer(head)!;
  }

  #makeCurrent(head: string, version: number): Pointer {
    return this.#row(head)?.current === version ? this.pointer(head)! : this.#setCurrent(head, version);
  }

  #setCurrent(head: string, version: number | null): Pointer {
    this.#sql.exec('UPDATE heads SET current = ?, revision = revision + 1 WHERE name = ?', version, head);
    this.#outbox.add('head', head);
    return this.pointer(head)!;
  }

  #prune(head: string, now: number, current: number): void {
    const kept = new Set([current, this.#taughtOn(head), ...this.names(head).map(({ version }) => version)]);
    const old = this.versions(head).filter(({ version }) => !kept.has(version));
    for (const { version, sha256 } of old.slice(MAX_VERSIONS_PER_HEAD - 1))
      this.#drop(head, version, sha256, now);
  }

  /** The uploaded version that the head's examples are taught on top of: see Examples. */
  #taughtOn(head: string): number | undefined {
    const [row] = this.#sql
      .exec<{ base: number | null }>(
        "SELECT json_extract(backbone, '$.base.version') AS base FROM taught_heads WHERE head = ?",
        head,
      )
      .toArray();
    return row?.base ?? undefined;
  }

  #drop(head: string, version: number, sha256: string, now: number): void {
    this.#sql.exec('DELETE FROM versions WHERE head = ? AND version = ?', head, version);
    this.#sql.exec('DELETE FROM version_names WHERE head = ? AND version = ?', head, version);
    this.#sql.exec(
      'UPDATE heads SET canary_version = NULL, canary_percent = NULL WHERE name = ? AND canary_version = ?',
      head,
      version,
    );
    this.#sql.exec(
      'UPDATE heads SET shadow_version = NULL WHERE name = ? AND shadow_version = ?',
      head,
      version,
    );
    this.#outbox.discard(headObjectName(this.#tenant(), head, version, sha256), now);
  }

  #withContent(head: string, sha256: string): number | undefined {
    return this.#sql
      .exec<{ version: number }>(
        'SELECT version FROM versions WHERE head = ? AND sha256 = ? AND committed',
        head,
        sha256,
      )
      .toArray()[0]?.version;
  }

  #count(): number {
    return this.#sql
      .exec<{ heads: number }>('SELECT count(*) AS heads FROM heads WHERE current IS NOT NULL')
      .one().heads;
  }

  #row(head: string): HeadRow | undefined {
    return this.#sql.exec<HeadRow>('SELECT * FROM heads WHERE name = ?', head).toArray()[0];
  }
}
