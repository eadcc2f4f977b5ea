/** What a backup holds of the tenant, for the Worker. */
import type { Refused } from '../refused.ts';
import type { Rows } from '../rows.ts';
import { TenantTarget } from '../target.ts';
import type { ExampleRecord } from '../teach/example.ts';
import type { Teaching } from '../teach/teaching.ts';
import type { Write } from '../writer.ts';
import type { HeadRecord, Survey } from './records.ts';

export class BackupTarget extends TenantTarget {
  readonly #teaching: Teaching;

  constructor(rows: Rows, write: Write, teaching: Teaching) {
    super(rows, write);
    this.#teaching = teaching;
  }

  /** Unfinished forgetting is finished first, so that no backup holds what was forgotten. */
  async survey(): Promise<Survey | Refused> {
    const locked = this.rows.standing.headsLocked();
    if (locked !== undefined) return locked;
    await this.#teaching.resume();
    return this.rows.backup.survey();
  }

  record(head: string): HeadRecord {
    return this.exists ? this.rows.backup.record(head) : { head: null, taught: null, versions: [] };
  }

  examples(head: string, after: string, limit: number): ExampleRecord[] {
    return this.exists ? this.rows.backup.examples(head, after, limit) : [];
  }
}
