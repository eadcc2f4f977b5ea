/**
 * What versions say about themselves: their files' metadata, as JSON of up to a megabyte. It is read for one version at a
 * time; lists have a summary of it, a column of the version's row. Every method runs within one transaction of its caller.
 */
import { z } from 'zod';
import { Metrics } from '../../../src/api/index.ts';
import { OLD_VERSIONS_AT_ONCE } from '../../limits.ts';
import { part, Table } from '../sql.ts';

/** What lists tell of a version, in the words of the API. */
export const Summary = z.object({
  classes: z.int(),
  examples: z.int(),
  method: z.string(),
  leave_one_out: Metrics.nullable(),
  test: Metrics.nullable(),
});
export type Summary = z.infer<typeof Summary>;

/** A summary of a row's description: counts, and metrics without those of each class. */
export const SUMMARY = part`(
  SELECT json_object('classes', json_array_length(labels), 'examples', json_extract(training, '$.examples'),
    'method', json_extract(training, '$.method'),
    'leave_one_out', json(json_remove(json_extract(training, '$.leave_one_out'), '$.per_class')),
    'test', json(json_remove(json_extract(training, '$.test'), '$.per_class')))
  FROM (SELECT description ->> 'labels' AS labels, description ->> 'training' AS training))`;

export class Descriptions extends Table {
  /** Of a version whose row is there. */
  store(head: string, version: number, description: string): void {
    this.sql`INSERT INTO descriptions VALUES (${head}, ${version}, ${description})`;
    this.sql`UPDATE versions SET summary = (
        SELECT ${SUMMARY} FROM descriptions WHERE head = ${head} AND version = ${version})
      WHERE head = ${head} AND version = ${version}`;
  }

  find(head: string, version: number): string {
    const [found] = this.sql<{ description: string }>`
      SELECT coalesce(
        (SELECT description FROM descriptions AS d WHERE d.head = v.head AND d.version = v.version),
        description) AS description FROM versions AS v WHERE head = ${head} AND version = ${version}`;
    return found.description;
  }

  /**
   * Versions of a database from before there were summaries have their description in their own row, past which lists
   * must read. Some of them are brought to the present form; schedule() sets the alarm as long as there are others.
   */
  bringUp(): void {
    const old = this.sql<{ head: string; version: number }>`
      SELECT head, version FROM versions WHERE summary IS NULL LIMIT ${OLD_VERSIONS_AT_ONCE}`;
    for (const { head, version } of old) {
      this.store(head, version, this.find(head, version));
      this.sql`UPDATE versions SET description = '' WHERE head = ${head} AND version = ${version}`;
    }
  }
}
