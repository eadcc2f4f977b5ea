/** Predictions that wait for a person's label: codes, never pixels, a bounded number a head. */
import { z } from 'zod';
import { Prediction, Unknown, type ReviewItem } from '../../../src/api/index.ts';
import type { CodeSpace } from '../../../src/head/index.ts';
import { MAX_CAPTURES_PER_HEAD } from '../../limits.ts';
import { CodeSpaceFields } from '../code-origin.ts';

export interface Capture {
  readonly id: string;
  readonly version: number;
  readonly picture: string;
  readonly code: Uint8Array;
  /** What the code is of; not known where it was kept before that was written down. */
  readonly space?: CodeSpace;
  readonly predictions: readonly Prediction[];
  readonly unknown: Unknown;
  /** How much a label would help; higher is more. */
  readonly worth: number;
}

export type Found = Pick<Capture, 'version' | 'picture' | 'code' | 'space'>;

interface Row extends Record<string, SqlStorageValue> {
  id: string;
  version: number;
  picture: string;
  predictions: string;
  unknown: string;
  created_at: number;
}

export class Captures {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** A picture that waits already is not kept twice. One whose version is deleted is not kept at all. */
  add(head: string, capture: Capture, now: number): void {
    this.#sql.exec(
      `INSERT INTO captures (id, head, version, picture, code, predictions, unknown, worth, created_at, space)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE EXISTS (SELECT 1 FROM versions WHERE head = ?2 AND version = ?3)
         ON CONFLICT (head, picture) DO UPDATE SET id = excluded.id, version = excluded.version, code = excluded.code,
           predictions = excluded.predictions, unknown = excluded.unknown, worth = excluded.worth,
           space = excluded.space`,
      capture.id,
      head,
      capture.version,
      capture.picture,
      capture.code.slice().buffer,
      JSON.stringify(capture.predictions),
      JSON.stringify(capture.unknown),
      capture.worth,
      now,
      capture.space === undefined ? null : JSON.stringify(capture.space),
    );
    this.#sql.exec(
      `DELETE FROM captures WHERE id IN
         (SELECT id FROM captures WHERE head = ? ORDER BY worth DESC, created_at DESC LIMIT -1 OFFSET ?)`,
      head,
      MAX_CAPTURES_PER_HEAD,
    );
  }

  /** Those whose label would help most first. */
  list(head: string): ReviewItem[] {
    const rows = this.#sql.exec<Row>(
      `SELECT id, version, picture, predictions, unknown, created_at FROM captures
         WHERE head = ? ORDER BY worth DESC, created_at DESC`,
      head,
    );
    return [...rows].map((row) => ({
      id: row.id,
      version: row.version,
      picture: row.picture,
      predictions: z.array(Prediction).parse(JSON.parse(row.predictions)),
      unknown: Unknown.parse(JSON.parse(row.unknown)),
      created_at: new Date(row.created_at).toISOString(),
    }));
  }

  find(head: string, id: string): Found | undefined {
    const [row] = this.#sql
      .exec<{ version: number; picture: string; code: ArrayBuffer; space: string | null }>(
        'SELECT version, picture, code, space FROM captures WHERE head = ? AND id = ?',
        head,
        id,
      )
      .toArray();
    if (row === undefined) return undefined;
    const { version, picture, space } = row;
    const code = new Uint8Array(row.code);
    return space === null
      ? { version, picture, code }
      : { version, picture, code, space: CodeSpaceFields.parse(JSON.parse(space)) };
  }

  remove(id: string): void {
    this.#sql.exec('DELETE FROM captures WHERE id = ?', id);
  }

  clear(head: string): void {
    this.#sql.exec('DELETE FROM captures WHERE head = ?', head);
  }
}
