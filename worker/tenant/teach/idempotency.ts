/**
 * What was answered to requests with an Idempotency-Key. A row comes in the transaction that stores the request's
 * examples; so a repeat after a crash knows that they are there, and only does what was left to do.
 */
import { IDEMPOTENCY_MS, MAX_IDEMPOTENCY_KEYS } from '../../limits.ts';
import { refuse, type Refused } from '../refused.ts';
import type { Added } from './examples.ts';
import { Table } from '../sql.ts';

export interface IdempotencyKey {
  readonly key: string;
  /** SHA-256 over the request. */
  readonly digest: string;
}

interface Row extends Record<string, SqlStorageValue> {
  digest: string;
  revision: number;
  counts: string;
  answer: string | null;
}

export type Remembered =
  | { readonly state: 'new' }
  | { readonly state: 'stored'; readonly added: Added }
  | { readonly state: 'answered'; readonly answer: string };

export class Idempotency extends Table {
  recall({ key, digest }: IdempotencyKey, now: number): Remembered | Refused {
    const [row] = this.sql<Row>`
      SELECT * FROM idempotency WHERE key = ${key} AND created_at > ${now - IDEMPOTENCY_MS}`;
    if (row === undefined) return { state: 'new' };
    if (row.digest !== digest) {
      return refuse(
        'idempotency_mismatch',
        'This Idempotency-Key came with another request before. Choose a new one for a new request.',
      );
    }
    if (row.answer !== null) return { state: 'answered', answer: row.answer };
    const [added, duplicates] = row.counts.split(' ').map(Number);
    return { state: 'stored', added: { revision: row.revision, added, duplicates } };
  }

  remember({ key, digest }: IdempotencyKey, head: string, added: Added, now: number): void {
    this.sql`DELETE FROM idempotency WHERE created_at <= ${now - IDEMPOTENCY_MS} OR key = ${key}`;
    const counts = `${added.added} ${added.duplicates}`;
    this.sql`
      INSERT INTO idempotency (key, digest, head, revision, counts, created_at)
        VALUES (${key}, ${digest}, ${head}, ${added.revision}, ${counts}, ${now})`;
    // Rows are numbered in order of arrival, so that surplus rows are found without counting.
    this.sql`
      DELETE FROM idempotency WHERE rowid <= (SELECT max(rowid) FROM idempotency) - ${MAX_IDEMPOTENCY_KEYS}`;
  }

  answered(key: string, answer: string): void {
    this.sql`UPDATE idempotency SET answer = ${answer} WHERE key = ${key}`;
  }

  /** A deleted head's requests: their repeats would teach it anew. */
  forgetHead(head: string): void {
    this.sql`DELETE FROM idempotency WHERE head = ${head}`;
  }
}
