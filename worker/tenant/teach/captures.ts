/** Predictions that wait for a person's label: codes, never pixels, a bounded number a head. */
import { z } from 'zod';
import { Prediction, Unknown, type ReviewItem } from '../../../src/api/index.ts';
import type { CodeSpace } from '../../../src/head/index.ts';
import { MAX_CAPTURES_PER_HEAD } from '../../limits.ts';
import { CodeSpaceFields } from '../code-origin.ts';
import { Table } from '../sql.ts';

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

export class Captures extends Table {
  /** A picture that waits already is not kept twice. One whose version is deleted is not kept at all. */
  add(head: string, capture: Capture, now: number): void {
    const { id, version, picture, worth } = capture;
    const code = capture.code.slice().buffer;
    const [predictions, unknown] = [capture.predictions, capture.unknown].map((part) => JSON.stringify(part));
    const space = capture.space === undefined ? null : JSON.stringify(capture.space);
    this.sql`
      INSERT INTO captures (id, head, version, picture, code, predictions, unknown, worth, created_at, space)
        SELECT ${id}, ${head}, ${version}, ${picture}, ${code}, ${predictions}, ${unknown}, ${worth}, ${now},
          ${space}
        WHERE EXISTS (SELECT 1 FROM versions WHERE head = ${head} AND version = ${version})
        ON CONFLICT (head, picture) DO UPDATE SET id = excluded.id, version = excluded.version,
          code = excluded.code, predictions = excluded.predictions, unknown = excluded.unknown,
          worth = excluded.worth, space = excluded.space`;
    this.sql`
      DELETE FROM captures WHERE id IN (SELECT id FROM captures WHERE head = ${head}
        ORDER BY worth DESC, created_at DESC LIMIT -1 OFFSET ${MAX_CAPTURES_PER_HEAD})`;
  }

  /** Those whose label would help most first. */
  list(head: string): ReviewItem[] {
    const rows = this.sql<Row>`
      SELECT id, version, picture, predictions, unknown, created_at FROM captures
        WHERE head = ${head} ORDER BY worth DESC, created_at DESC`;
    return rows.map((row) => ({
      ...row,
      predictions: z.array(Prediction).parse(JSON.parse(row.predictions)),
      unknown: Unknown.parse(JSON.parse(row.unknown)),
      created_at: new Date(row.created_at).toISOString(),
    }));
  }

  find(head: string, id: string): Found | undefined {
    const [row] = this.sql<{ version: number; picture: string; code: ArrayBuffer; space: string | null }>`
      SELECT version, picture, code, space FROM captures WHERE head = ${head} AND id = ${id}`;
    if (row === undefined) return undefined;
    const { version, picture, space } = row;
    const code = new Uint8Array(row.code);
    return space === null
      ? { version, picture, code }
      : { version, picture, code, space: CodeSpaceFields.parse(JSON.parse(space)) };
  }

  remove(id: string): void {
    this.sql`DELETE FROM captures WHERE id = ${id}`;
  }

  clear(head: string): void {
    this.sql`DELETE FROM captures WHERE head = ${head}`;
  }
}
