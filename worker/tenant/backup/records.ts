/** The tenant's truth as rows to carry elsewhere; restore.ts takes them in. Head files are the Worker's to read. */
import {
  ExampleSource,
  type BackupHead,
  type BackupTaught,
  type BackupVersion,
} from '../../../src/api/index.ts';
import type { ExampleRecord } from '../teach/example.ts';
import type { Examples } from '../teach/examples.ts';
import type { Heads } from '../heads/heads.ts';
import { Table, type Sql } from '../sql.ts';

/** A version without its file. */
export type VersionRecord = Omit<BackupVersion, 'row' | 'file'> & { readonly objectName: string };

export interface HeadRecord {
  readonly head: BackupHead | null;
  readonly taught: BackupTaught | null;
  readonly versions: readonly VersionRecord[];
}

/** What a backup begins with: names of all heads, and a mark that another one follows when anything of them changes. */
export interface Survey {
  readonly names: readonly string[];
  readonly stamp: string;
}

export class Backup extends Table {
  readonly #heads: Heads;
  readonly #examples: Examples;

  constructor(sql: Sql, heads: Heads, examples: Examples) {
    super(sql);
    this.#heads = heads;
    this.#examples = examples;
  }

  survey(): Survey {
    const [{ stamp }] = this.sql<{ stamp: string }>`
      SELECT coalesce((SELECT sum(revision) FROM heads), 0) || ' ' ||
        (SELECT pruned_heads FROM tenant) || ' ' ||
        coalesce((SELECT sum(revision) FROM taught_heads), 0) AS stamp`;
    return { names: this.#heads.everyName(), stamp };
  }

  record(head: string): HeadRecord {
    return { head: this.#headRow(head), taught: this.#taughtRow(head), versions: this.#versions(head) };
  }

  examples(head: string, after: string, limit: number): ExampleRecord[] {
    const rows = this.sql<Omit<ExampleRecord, 'source' | 'code'> & { source: string; code: ArrayBuffer }>`
      SELECT head, id, label, picture, source, code, added_revision, created_at FROM examples
        WHERE head = ${head} AND id > ${after} ORDER BY id LIMIT ${limit}`;
    return rows.map((row) => ({
      ...row,
      source: ExampleSource.parse(row.source),
      code: new Uint8Array(row.code),
    }));
  }

  #headRow(head: string): BackupHead | null {
    const row = this.#heads.row(head);
    const pointer = this.#heads.pointer(head);
    if (row === undefined || pointer === null) return null;
    const { current, names, canary, shadow } = pointer;
    return {
      row: 'head',
      head,
      current,
      last_version: row.last_version,
      created_at: row.created_at,
      names,
      canary,
      shadow,
      settings: this.#heads.settings(head),
    };
  }

  #taughtRow(head: string): BackupTaught | null {
    const state = this.#examples.state(head);
    if (state === undefined) return null;
    const { origin, firstRevision, revision } = state;
    return { row: 'taught', head, origin, first_revision: firstRevision, revision };
  }

  #versions(head: string): VersionRecord[] {
    return this.#heads.versions(head).map((row) => ({
      head,
      version: row.version,
      trained_revision: row.trained_revision,
      held_back: row.held_back,
      created_at: row.created_at,
      objectName: this.#heads.objectName(head, row.version, row.sha256),
    }));
  }
}
