/**
 * What was answered to requests with an Idempotency-Key. A row comes in the transaction that stores the request's
 * examples; so a repeat after a crash knows that they are there, and only does what was left to do.
 */
import { IDEMPOTENCY_MS, MAX_IDEMPOTENCY_KEYS } from '../../limits.ts';
import { refuse, type Refused } from '../refused.ts';
import type { Added } from './examples.ts';

export interface IdempotencyKey {
  readonly key: string;
  /** SHA-256 of the request. */
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

export class Idempotency {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  recall({ key, digest }: IdempotencyKey, now: number): Remembered | Refused {
    const [row] = this.#sql
      .exec<Row>('SELECT * FROM idempotency WHERE key = ? AND created_at > ?', key, now - IDEMPOTENCY_MS)
      .toArray();
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
    this.#sql.exec('DELETE FROM idempotency WHERE created_at <= ? OR key = ?', now - IDEMPOTENCY_MS, key);
    this.#sql.exec(
      'INSERT INTO idempotency (key, digest, head, revision, counts, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      key,
      digest,
      head,
      added.revision,
      `${added.added} ${added.duplicates}`,
      now,
    );
    // Rows are numbered in order of arrival, so that surplus rows are found without counting.
    this.#sql.exec(
      'DELETE FROM idempotency WHERE rowid <= (SELECT max(rowid) FROM idempotency) - ?',
      MAX_IDEMPOTENCY_KEYS,
    );
  }

  answered(key: string, answer: string): void {
    this.#sql.exec('UPDATE idempotency SET answer = ? WHERE key = ?', answer, key);
  }

  /** A deleted head's requests: their repeats would teach it anew. */
  forgetHead(head: string): void {
    this.#sql.exec('DELETE FROM idempotency WHERE head = ?', head);
  }
}
