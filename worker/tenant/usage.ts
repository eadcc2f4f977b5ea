/** What the tenant did, by day and kind, and how often a version in the shadow disagreed: counters, as rows. */
import type { ShadowReport, UsageDay } from '../../src/api/index.ts';
import { USAGE_DAYS } from '../limits.ts';

/** What an isolate counted. */
export interface Counted {
  readonly requests: readonly { readonly day: string; readonly kind: string; readonly count: number }[];
  readonly shadows: readonly {
    readonly head: string;
    readonly version: number;
    readonly requests: number;
    readonly disagreements: number;
  }[];
}

export class Usage {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** What is counted of a version that is gone by now is dropped. */
  add({ requests, shadows }: Counted): void {
    for (const { day, kind, count } of requests) {
      this.#sql.exec(
        `INSERT INTO usage VALUES (?, ?, ?)
           ON CONFLICT (day, kind) DO UPDATE SET count = count + excluded.count`,
        day,
        kind,
        count,
      );
    }
    for (const { head, version, requests, disagreements } of shadows) {
      this.#sql.exec(
        `INSERT INTO shadow_counts SELECT ?1, ?2, ?3, ?4
           WHERE EXISTS (SELECT 1 FROM versions WHERE head = ?1 AND version = ?2) ON CONFLICT (head, version) DO UPDATE SET
           requests = requests + excluded.requests, disagreements = disagreements + excluded.disagreements`,
        head,
        version,
        requests,
        disagreements,
      );
    }
    this.#sql.exec(
      'DELETE FROM usage WHERE day NOT IN (SELECT DISTINCT day FROM usage ORDER BY day DESC LIMIT ?)',
      USAGE_DAYS,
    );
  }

  /** @param since a day, YYYY-MM-DD; it and later ones, oldest first. */
  days(since: string): UsageDay[] {
    const days = new Map<string, Record<string, number>>();
    const rows = this.#sql.exec<{ day: string; kind: string; count: number }>(
      'SELECT day, kind, count FROM usage WHERE day >= ? ORDER BY day, kind',
      since,
    );
    for (const { day, kind, count } of rows) days.set(day, { ...days.get(day), [kind]: count });
    return [...days].map(([day, counts]) => ({ day, counts }));
  }

  shadow(head: string, version: number): Omit<ShadowReport, 'version'> {
    const [row] = this.#sql
      .exec<{ requests: number; disagreements: number }>(
        'SELECT requests, disagreements FROM shadow_counts WHERE head = ? AND version = ?',
        head,
        version,
      )
      .toArray();
    return row ?? { requests: 0, disagreements: 0 };
  }

  /** Counts begin anew, or go with what they are of. */
  clearShadow(head: string): void {
    this.#sql.exec('DELETE FROM shadow_counts WHERE head = ?', head);
  }
}
