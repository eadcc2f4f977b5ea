/**
 * Rows that deleted heads leave. They stay so that no version number is used twice and no older pointer counts as the
 * newer one; but only so many. When a row is pruned, two numbers of the tenant take over its task:
 * a head whose name has no row begins above all that were pruned.
 */
import { MAX_DELETED_HEADS } from '../../limits.ts';

export class DeletedHeads {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Leaves MAX_DELETED_HEADS of them: those with the highest numbers, so that other heads begin at low ones. */
  prune(): void {
    const pruned = this.#sql
      .exec<{ last_version: number; revision: number }>(
        `DELETE FROM heads WHERE name IN (
           SELECT name FROM heads WHERE current IS NULL
             AND NOT EXISTS (SELECT 1 FROM versions WHERE versions.head = heads.name)
             AND NOT EXISTS (SELECT 1 FROM taught_heads WHERE taught_heads.head = heads.name)
             ORDER BY last_version DESC, revision DESC LIMIT -1 OFFSET ?)
         RETURNING last_version, revision`,
        MAX_DELETED_HEADS,
      )
      .toArray();
    if (pruned.length === 0) return;
    this.#sql.exec(
      `UPDATE tenant SET pruned_version = max(pruned_version, ?), pruned_revision = max(pruned_revision, ?),
         pruned_heads = pruned_heads + ?`,
      pruned.reduce((most, row) => Math.max(most, row.last_version), 0),
      pruned.reduce((most, row) => Math.max(most, row.revision), 0),
      pruned.length,
    );
  }
}
