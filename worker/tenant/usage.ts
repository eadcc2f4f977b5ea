/** What the tenant did, by day and kind, and how often a version in the shadow disagreed: counters, as rows. */
import type { ShadowReport, UsageDay } from '../../src/api/index.ts';
import { USAGE_DAYS } from '../limits.ts';
import { Table } from './sql.ts';

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

export class Usage extends Table {
  /** What is counted of a version that is gone by now is dropped. */
  add({ requests, shadows }: Counted): void {
    for (const { day, kind, count } of requests) {
      this.sql`INSERT INTO usage VALUES (${day}, ${kind}, ${count})
        ON CONFLICT (day, kind) DO UPDATE SET count = count + excluded.count`;
    }
    for (const { head, version, requests: count, disagreements } of shadows) {
      this.sql`
        INSERT INTO shadow_counts SELECT ${head}, ${version}, ${count}, ${disagreements}
          WHERE EXISTS (SELECT 1 FROM versions WHERE head = ${head} AND version = ${version})
          ON CONFLICT (head, version) DO UPDATE SET requests = requests + excluded.requests,
            disagreements = disagreements + excluded.disagreements`;
    }
    this.sql`
      DELETE FROM usage
        WHERE day NOT IN (SELECT DISTINCT day FROM usage ORDER BY day DESC LIMIT ${USAGE_DAYS})`;
  }

  /** @param since a day, YYYY-MM-DD; it and later ones, oldest first. */
  days(since: string): UsageDay[] {
    const days = new Map<string, Record<string, number>>();
    const rows = this.sql<{ day: string; kind: string; count: number }>`
      SELECT day, kind, count FROM usage WHERE day >= ${since} ORDER BY day, kind`;
    for (const { day, kind, count } of rows) days.set(day, { ...days.get(day), [kind]: count });
    return [...days].map(([day, counts]) => ({ day, counts }));
  }

  shadow(head: string, version: number): Omit<ShadowReport, 'version'> {
    const [row] = this.sql<{ requests: number; disagreements: number }>`
      SELECT requests, disagreements FROM shadow_counts WHERE head = ${head} AND version = ${version}`;
    return row ?? { requests: 0, disagreements: 0 };
  }

  /** Counts begin anew, or go with what they are of. */
  clearShadow(head: string): void {
    this.sql`DELETE FROM shadow_counts WHERE head = ${head}`;
  }
}
