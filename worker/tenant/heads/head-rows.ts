/** The rows of the tenant's heads and their versions: looking them up, and the few changes that all others are made of. */
import { DEFAULT_SETTINGS, HeadSettings } from '../../../src/api/index.ts';
import { headObjectName, type Pointer } from '../../stores/layout.ts';
import { refuse, type Refused } from '../refused.ts';
import { Descriptions, SUMMARY } from './descriptions.ts';
import type { Outbox } from '../outbox.ts';
import type { Standing } from '../standing.ts';
import { part, Table, type Sql } from '../sql.ts';

export interface HeadRow extends Record<string, SqlStorageValue> {
  name: string;
  current: number | null;
  last_version: number;
  revision: number;
  created_at: number;
  canary_version: number | null;
  canary_percent: number | null;
  shadow_version: number | null;
  committed_versions: number;
}

export interface VersionRow extends Record<string, SqlStorageValue> {
  version: number;
  sha256: string;
  bytes: number;
  created_at: number;
  trained_revision: number | null;
  held_back: string | null;
}

const COLUMNS = part`version, sha256, bytes, created_at, trained_revision, held_back`;

export class HeadRows extends Table {
  readonly descriptions: Descriptions;
  readonly #outbox: Outbox;
  readonly #tenant: Standing;

  constructor(sql: Sql, outbox: Outbox, tenant: Standing) {
    super(sql);
    this.descriptions = new Descriptions(sql);
    this.#outbox = outbox;
    this.#tenant = tenant;
  }

  /** Heads with a current version, by name from behind `after` on, each with that version's summary. */
  list(after: string, limit: number): (HeadRow & { current: number; summary: string })[] {
    return this.sql<HeadRow & { current: number; summary: string }>`
      SELECT heads.*, coalesce(summary, ${SUMMARY}) AS summary
        FROM heads JOIN versions ON versions.head = heads.name AND versions.version = heads.current
        WHERE heads.name > ${after} ORDER BY heads.name LIMIT ${limit}`;
  }

  /** Of all heads that ever were, and of those that are only taught so far. */
  everyName(): string[] {
    const rows = this.sql<{ name: string }>`
      SELECT name FROM heads UNION SELECT head FROM taught_heads ORDER BY 1`;
    return rows.map(({ name }) => name);
  }

  /** Every head that answers leaves KV. */
  retractAll(): void {
    const rows = this.sql<{ name: string }>`SELECT name FROM heads WHERE current IS NOT NULL`;
    for (const { name } of rows) this.#outbox.add('head', name);
  }

  /** Whether there ever was a head. */
  get isAny(): boolean {
    return this.sql`SELECT 1 FROM heads UNION ALL SELECT 1 FROM taught_heads LIMIT 1`.length > 0;
  }

  /** Committed versions, newest first. */
  versions(head: string): VersionRow[] {
    return this.sql<VersionRow>`
      SELECT ${COLUMNS} FROM versions WHERE head = ${head} AND committed ORDER BY version DESC`;
  }

  /** The same, each with its summary: see Descriptions. */
  summarised(head: string): (VersionRow & { summary: string })[] {
    return this.sql<VersionRow & { summary: string }>`
      SELECT ${COLUMNS}, coalesce(summary, ${SUMMARY}) AS summary
        FROM versions WHERE head = ${head} AND committed ORDER BY version DESC`;
  }

  /** One of them. */
  version(head: string, version: number): VersionRow | undefined {
    return this.sql<VersionRow>`
      SELECT ${COLUMNS} FROM versions WHERE head = ${head} AND version = ${version} AND committed`[0];
  }

  /** A head that has a current version. */
  live(head: string): (HeadRow & { current: number }) | undefined {
    const row = this.row(head);
    return row === undefined || row.current === null ? undefined : { ...row, current: row.current };
  }

  /** Of a name that was ever used. */
  row(head: string): HeadRow | undefined {
    return this.sql<HeadRow>`SELECT * FROM heads WHERE name = ${head}`[0];
  }

  /** What the nearer stores should know of a head, or null where the name never had one. */
  pointer(head: string): Pointer | null {
    const row = this.row(head);
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

  settings(head: string): HeadSettings {
    const [row] = this.sql<{ settings: string | null }>`SELECT settings FROM heads WHERE name = ${head}`;
    return row?.settings == null ? DEFAULT_SETTINGS : HeadSettings.parse(JSON.parse(row.settings));
  }

  /** Names that versions were given. */
  names(head: string): { name: string; version: number }[] {
    return this.sql<{ name: string; version: number }>`
      SELECT name, version FROM version_names WHERE head = ${head} ORDER BY name`;
  }

  /** The version trained on the newest state of the examples, or undefined. */
  newestTrained(head: string): VersionRow | undefined {
    return this.sql<VersionRow>`
      SELECT ${COLUMNS} FROM versions WHERE head = ${head} AND committed AND trained_revision IS NOT NULL
        ORDER BY trained_revision DESC, version DESC LIMIT 1`[0];
  }

  /** The uploaded version that the head's examples are taught on top of: see Examples. */
  taughtOn(head: string): number | undefined {
    const [row] = this.sql<{ base: number | null }>`
      SELECT json_extract(backbone, '$.base.version') AS base FROM taught_heads WHERE head = ${head}`;
    return row?.base ?? undefined;
  }

  /** Where a version's file lies. */
  objectName(head: string, version: number, sha256: string): string {
    return headObjectName(this.#tenant.id, head, version, sha256);
  }

  /** Why a head can't be changed: it is not there. */
  absent(head: string): Refused | undefined {
    const row = this.row(head);
    const known = row !== undefined && (row.current !== null || row.committed_versions > 0);
    return known ? undefined : refuse('head_not_found', `There is no head '${head}'.`);
  }

  /** The same of one of its versions. */
  unknown(head: string, version: number): Refused | undefined {
    const absent = this.absent(head);
    if (absent !== undefined) return absent;
    return this.version(head, version) !== undefined
      ? undefined
      : refuse('version_not_found', `Head '${head}' has no version ${version}.`);
  }

  /** @param version null where none answers any more. @returns what other stores should know now. */
  setCurrent(head: string, version: number | null): Pointer {
    this.sql`UPDATE heads SET current = ${version}, revision = revision + 1 WHERE name = ${head}`;
    this.#outbox.add('head', head);
    return this.pointer(head)!;
  }

  /** Something that other stores know has changed. */
  touch(head: string): Pointer {
    return this.setCurrent(head, this.row(head)?.current ?? null);
  }

  /** A version goes with its names and its part in routing, its object with it. */
  drop(head: string, version: number, sha256: string, now: number): void {
    this.sql`DELETE FROM versions WHERE head = ${head} AND version = ${version}`;
    this.sql`DELETE FROM version_names WHERE head = ${head} AND version = ${version}`;
    this.sql`UPDATE heads SET canary_version = NULL, canary_percent = NULL
      WHERE name = ${head} AND canary_version = ${version}`;
    this.sql`UPDATE heads SET shadow_version = NULL WHERE name = ${head} AND shadow_version = ${version}`;
    this.#outbox.discard(this.objectName(head, version, sha256), now);
  }
}
