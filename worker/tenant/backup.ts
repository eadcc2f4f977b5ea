/** The tenant's truth as rows to carry elsewhere, and back. Head files are the Worker's to read and write. */
import type { BackupExample, BackupHead, BackupTaught, BackupVersion } from '../../src/api/index.ts';
import { RESERVATION_MS } from '../limits.ts';
import { headObjectName } from '../stores/layout.ts';
import { refuse, type Refused } from './call.ts';
import { CodeOrigin } from './examples.ts';
import type { Heads } from './heads.ts';
import type { Outbox } from './outbox.ts';

/** A version without its file. */
export type VersionRecord = Omit<BackupVersion, 'row' | 'file'> & { readonly objectName: string };
/** An example with its code in bytes. */
export type ExampleRecord = Omit<BackupExample, 'row' | 'code'> & { readonly code: Uint8Array };

export interface HeadRecord {
  readonly head: BackupHead | null;
  readonly taught: BackupTaught | null;
  readonly versions: readonly VersionRecord[];
}

/** A version whose file was checked, on its way in. */
export type RestoredVersion = Omit<BackupVersion, 'row' | 'file'> & {
  readonly sha256: string;
  readonly bytes: number;
  readonly description: string;
};

export class Backup {
  readonly #sql: SqlStorage;
  readonly #heads: Heads;
  readonly #outbox: Outbox;
  readonly #tenant: () => string;

  constructor(sql: SqlStorage, heads: Heads, outbox: Outbox, tenant: () => string) {
    this.#sql = sql;
    this.#heads = heads;
    this.#outbox = outbox;
    this.#tenant = tenant;
  }

  /** Names of all heads, and a number that another one follows when anything of them changes. */
  survey(): { names: string[]; stamp: string } {
    const names = this.#sql
      .exec<{ name: string }>('SELECT name FROM heads UNION SELECT head FROM taught_heads ORDER BY 1')
      .toArray()
      .map(({ name }) => name);
    const { stamp } = this.#sql
      .exec<{ stamp: string }>(
        `SELECT coalesce((SELECT sum(revision) FROM heads), 0) || ' ' ||
           coalesce((SELECT sum(revision) FROM taught_heads), 0) AS stamp`,
      )
      .one();
    return { names, stamp };
  }

  record(head: string): HeadRecord {
    return { head: this.#headRow(head), taught: this.#taughtRow(head), versions: this.#versions(head) };
  }

  examples(head: string, after: string, limit: number): ExampleRecord[] {
    const rows = this.#sql.exec<{
      id: string;
      label: string;
      picture: string;
      source: string;
      code: ArrayBuffer;
      added_revision: number;
      created_at: number;
    }>('SELECT * FROM examples WHERE head = ? AND id > ? ORDER BY id LIMIT ?', head, after, limit);
    return [...rows].map((row) => ({
      head,
      id: row.id,
      label: row.label,
      picture: row.picture,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by Examples alone
      source: row.source as BackupExample['source'],
      code: new Uint8Array(row.code),
      added_revision: row.added_revision,
      created_at: row.created_at,
    }));
  }

  /** A backup comes into an empty tenant only, so that nothing can meet. */
  assertEmpty(): Refused | undefined {
    const { used } = this.#sql
      .exec<{ used: number }>(
        'SELECT EXISTS (SELECT 1 FROM heads) OR EXISTS (SELECT 1 FROM taught_heads) AS used',
      )
      .one();
    return used === 1
      ? refuse(
          'conflict',
          'A backup is restored into a tenant that never had a head. Create a new tenant for it.',
        )
      : undefined;
  }

  restoreTaught({ head, origin, first_revision: first, revision }: BackupTaught): void {
    this.#sql.exec(
      'INSERT INTO taught_heads (head, backbone, first_revision, revision) VALUES (?, ?, ?, ?)',
      head,
      JSON.stringify(CodeOrigin.parse(origin)),
      first,
      revision,
    );
  }

  restoreExamples(rows: readonly ExampleRecord[]): void {
    for (const row of rows) {
      this.#sql.exec(
        `INSERT INTO examples (id, head, label, picture, source, code, added_revision, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        row.id,
        row.head,
        row.label,
        row.picture,
        row.source,
        row.code.slice().buffer,
        row.added_revision,
        row.created_at,
      );
    }
  }

  /** First step for a version's file: where it goes. It counts as garbage until the second. */
  expectVersion(head: string, version: number, sha256: string, now: number): string {
    const name = headObjectName(this.#tenant(), head, version, sha256);
    this.#outbox.discard(name, now + RESERVATION_MS);
    return name;
  }

  restoreVersion(row: RestoredVersion): void {
    this.#sql.exec(
      `INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at, trained_revision, held_back)
         VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)`,
      row.head,
      row.version,
      row.sha256,
      row.bytes,
      row.description,
      row.created_at,
      row.trained_revision,
      row.held_back,
    );
    this.#outbox.keep(headObjectName(this.#tenant(), row.head, row.version, row.sha256));
  }

  /** Comes behind the head's versions: from now on it answers. */
  restoreHead(row: BackupHead): Refused | undefined {
    const known = new Set(this.#heads.versions(row.head).map(({ version }) => version));
    const named = [row.current, row.canary?.version ?? null, row.shadow, ...Object.values(row.names)];
    const stranger = named.find((version) => version !== null && !known.has(version));
    if (stranger !== undefined || row.last_version < Math.max(0, ...known))
      return refuse(
        'invalid_request',
        `The backup's head '${row.head}' names a version that it does not bring.`,
      );
    const base = this.#taughtRow(row.head)?.origin.base;
    if (base !== undefined && !this.#heads.versions(row.head).some((each) => isSame(each, base)))
      return refuse(
        'invalid_request',
        `The examples of the backup's head '${row.head}' are taught on top of a version that it does not bring.`,
      );
    this.#sql.exec(
      `INSERT INTO heads (name, current, last_version, revision, created_at, canary_version, canary_percent, shadow_version, settings)
         VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)`,
      row.head,
      row.current,
      row.last_version,
      row.created_at,
      row.canary?.version ?? null,
      row.canary?.percent ?? null,
      row.shadow,
      JSON.stringify(row.settings),
    );
    for (const [name, version] of Object.entries(row.names))
      this.#sql.exec('INSERT INTO version_names VALUES (?, ?, ?)', row.head, name, version);
    this.#outbox.add('head', row.head);
    return undefined;
  }

  #headRow(head: string): BackupHead | null {
    const pointer = this.#heads.pointer(head);
    if (pointer === null) return null;
    const { last_version: last, created_at: createdAt } = this.#sql
      .exec<{ last_version: number; created_at: number }>(
        'SELECT last_version, created_at FROM heads WHERE name = ?',
        head,
      )
      .one();
    const { current, names, canary, shadow } = pointer;
    const settings = this.#heads.settings(head);
    return {
      row: 'head',
      head,
      current,
      last_version: last,
      created_at: createdAt,
      names,
      canary,
      shadow,
      settings,
    };
  }

  #taughtRow(head: string): BackupTaught | null {
    const [row] = this.#sql
      .exec<{ backbone: string; first_revision: number; revision: number }>(
        'SELECT backbone, first_revision, revision FROM taught_heads WHERE head = ?',
        head,
      )
      .toArray();
    if (row === undefined) return null;
    const origin = CodeOrigin.parse(JSON.parse(row.backbone));
    return { row: 'taught', head, origin, first_revision: row.first_revision, revision: row.revision };
  }

  #versions(head: string): VersionRecord[] {
    return this.#heads.versions(head).map((row) => ({
      head,
      version: row.version,
      trained_revision: row.trained_revision,
      held_back: row.held_back,
      created_at: row.created_at,
      objectName: headObjectName(this.#tenant(), head, row.version, row.sha256),
    }));
  }
}

function isSame(
  a: { readonly version: number; readonly sha256: string },
  b: { readonly version: number; readonly sha256: string },
): boolean {
  return a.version === b.version && a.sha256 === b.sha256;
}
