/**
 * A backup's rows on their way into an empty tenant. Between `begin` and `end` they come in the order in which backup.ts
 * gave them; one that contradicts what came before is refused as the file's fault. Meanwhile nothing else changes heads, so
 * that all of them can go where the backup is given up, or begun anew after a crash (undo.ts). Each attempt has a name of its own:
 * one that another has taken over from can't do harm any more.
 */
import type { BackupHead, BackupTaught, BackupVersion } from '../../../src/api/index.ts';
import { RESERVATION_MARGIN_MS, RESERVATION_MS } from '../../limits.ts';
import { giveWay } from '../../isolate/right-of-way.ts';
import type { ExampleRecord } from '../teach/example.ts';
import { refuse, type Refused } from '../refused.ts';
import { TenantTarget } from '../target.ts';
import { CodeOrigin } from '../code-origin.ts';

/** A version whose file was checked. */
export type RestoredVersion = Omit<BackupVersion, 'row' | 'file'> & {
  readonly sha256: string;
  readonly bytes: number;
  readonly description: string;
};

/** Which version a file is of. */
export type VersionFile = Pick<RestoredVersion, 'head' | 'version' | 'sha256'>;

export class Restore extends TenantTarget {
  /** A backup comes into an empty tenant only, so that nothing can meet: what an earlier attempt left goes first. */
  async begin(attempt: string): Promise<object | Refused> {
    for (;;) {
      const result = await this.write((now) => this.#tryBegin(attempt, now));
      if ('refused' in result || result.begun) return result;
      await giveWay();
    }
  }

  #tryBegin(attempt: string, now: number): { begun: boolean } | Refused {
    if (!this.rows.undo.begin(now)) return { begun: false };
    if (this.rows.heads.isAny)
      return refuse(
        'conflict',
        'A backup is restored into a tenant that never had a head. Create a new tenant for it.',
      );
    this.rows.standing.beginRestore(attempt);
    return { begun: true };
  }

  /**
   * @param whole whether all of it came; if not, it is as if it had never begun, once the alarm has deleted what came.
   * @returns how it ended, which the first call decides: its answer may have been lost.
   */
  end(attempt: string, whole: boolean): Promise<{ whole: boolean } | Refused> {
    if (this.rows.standing.restored === attempt) return Promise.resolve({ whole: true });
    return this.#row(attempt, (now) => {
      if (whole) this.rows.standing.endRestore();
      else this.rows.undo.begin(now);
      return { whole };
    });
  }

  taught(
    attempt: string,
    { head, origin, first_revision: first, revision }: BackupTaught,
  ): Promise<object | Refused> {
    return this.#row(attempt, () => {
      this.rows.sql`INSERT INTO taught_heads (head, backbone, first_revision, revision)
          VALUES (${head}, ${JSON.stringify(CodeOrigin.parse(origin))}, ${first}, ${revision})`;
      return {};
    });
  }

  examples(attempt: string, rows: readonly ExampleRecord[]): Promise<object | Refused> {
    return this.#row(attempt, () => {
      for (const row of rows) this.rows.examples.insert(row);
      return {};
    });
  }

  /** First step for a version's file: where it goes. It counts as garbage until the second. */
  async expectVersion(
    attempt: string,
    { head, version, sha256 }: VersionFile,
  ): Promise<{ objectName: string } | Refused> {
    const expected = await this.#row(attempt, (now) => {
      const objectName = this.rows.heads.objectName(head, version, sha256);
      this.rows.outbox.discard(objectName, now + RESERVATION_MS);
      return { objectName };
    });
    // What an earlier attempt left under this name may be being deleted at this moment.
    await this.rows.outbox.idle();
    return expected;
  }

  version(attempt: string, row: RestoredVersion): Promise<object | Refused> {
    return this.#row(attempt, (now) => {
      const objectName = this.rows.heads.objectName(row.head, row.version, row.sha256);
      if (!this.rows.outbox.expects(objectName, now + RESERVATION_MARGIN_MS))
        return refuse('conflict', `Version ${row.version} of '${row.head}' took too long to be stored.`);
      this.rows.sql`
          INSERT INTO versions (head, version, committed, sha256, bytes, description, created_at,
            trained_revision, held_back)
          VALUES (${row.head}, ${row.version}, 1, ${row.sha256}, ${row.bytes}, '', ${row.created_at},
            ${row.trained_revision}, ${row.held_back})`;
      this.rows.heads.descriptions.store(row.head, row.version, row.description);
      this.rows.outbox.keep(objectName);
      return {};
    });
  }

  /** Comes behind the head's versions: from now on it answers. */
  head(attempt: string, row: BackupHead): Promise<object | Refused> {
    return this.#row(attempt, () => {
      const fault = this.#missing(row);
      if (fault !== undefined) return fault;
      this.rows.sql`
          INSERT INTO heads (name, current, last_version, revision, created_at, canary_version,
            canary_percent, shadow_version, settings, committed_versions)
          VALUES (${row.head}, ${row.current}, ${row.last_version}, 1, ${row.created_at},
            ${row.canary?.version ?? null}, ${row.canary?.percent ?? null}, ${row.shadow},
            ${JSON.stringify(row.settings)}, (SELECT count(*) FROM versions WHERE head = ${row.head}))`;
      for (const [name, version] of Object.entries(row.names))
        this.rows.sql`INSERT INTO version_names VALUES (${row.head}, ${name}, ${version})`;
      // What a deleted head left is nothing that KV knows of.
      if (row.current === null) this.rows.deletedHeads.prune();
      else this.rows.outbox.add('head', row.head);
      return {};
    });
  }

  /** Versions that a head names and that didn't come before it. */
  #missing({ head, current, canary, shadow, names, last_version: last }: BackupHead): Refused | undefined {
    const versions = this.rows.heads.versions(head);
    const known = new Set(versions.map(({ version }) => version));
    const named = [current, canary?.version ?? null, shadow, ...Object.values(names)];
    if (named.some((version) => version !== null && !known.has(version)) || last < Math.max(0, ...known))
      return refuse(
        'invalid_request',
        `The backup's head '${head}' names a version that it does not bring. Its last line says whether files were missing when it was made.`,
      );
    const base = this.rows.examples.state(head)?.origin.base;
    if (base === undefined) return undefined;
    return versions.some(({ version, sha256 }) => version === base.version && sha256 === base.sha256)
      ? undefined
      : refuse(
          'invalid_request',
          `The examples of the backup's head '${head}' are taught on top of a version that it does not bring.`,
        );
  }

  #row<T extends object>(attempt: string, change: (now: number) => T | Refused): Promise<T | Refused> {
    const result = this.write<T>((now) =>
      this.rows.standing.restoring === attempt
        ? change(now)
        : refuse('conflict', 'This restore was given up, or another one into this tenant began meanwhile.'),
    );
    return result.catch((error: unknown) => {
      if (!String(error).includes('constraint')) throw error;
      return refuse('invalid_request', 'The backup holds a row twice, or one that contradicts another.');
    });
  }
}
