/**
 * Rows that deleted heads leave. They stay so that no version number is used twice and no older pointer counts as the
 * newer one; but only so many. When a row is pruned, two numbers of the tenant take over its task:
 * a head whose name has no row begins above all that were pruned.
 */
import { MAX_DELETED_HEADS } from '../../limits.ts';
import { Table } from '../sql.ts';

export class DeletedHeads extends Table {
  /** Leaves MAX_DELETED_HEADS of them: those with the highest numbers, so that other heads begin at low ones. */
  prune(): void {
    const pruned = this.sql<{ last_version: number; revision: number }>`
      DELETE FROM heads WHERE name IN (
        SELECT name FROM heads WHERE current IS NULL
          AND NOT EXISTS (SELECT 1 FROM versions WHERE versions.head = heads.name)
          AND NOT EXISTS (SELECT 1 FROM taught_heads WHERE taught_heads.head = heads.name)
          ORDER BY last_version DESC, revision DESC LIMIT -1 OFFSET ${MAX_DELETED_HEADS})
        RETURNING last_version, revision`;
    for (const { last_version: version, revision } of pruned)
      this.sql`UPDATE tenant SET pruned_version = max(pruned_version, ${version}),
        pruned_revision = max(pruned_revision, ${revision}), pruned_heads = pruned_heads + 1`;
  }
}
