/**
 * What a training says about itself beyond its metrics: its confusion matrix, how sure it was, and which examples the
 * head that never saw them would call something else. Kept with the version it is about.
 */
import { z } from 'zod';
import { HardExample, MAX_HARDEST_EXAMPLES, VersionReport } from '../../../src/api/report.ts';
import type { TrainedHead, TrainingSet } from '../../../src/learn/ridge/train.ts';
import type { Examples } from './examples.ts';
import { Table, type Sql } from '../sql.ts';

/** As it is stored: what can change about an example, or vanish with it, is looked up when the report is read. */
export const StoredReport = VersionReport.omit({ head: true, version: true, hardest: true }).extend({
  hardest: z.array(HardExample.omit({ picture: true, created_at: true })),
});
export type StoredReport = z.infer<typeof StoredReport>;

/** The reports of a tenant's versions, as rows. Deleting a version deletes its report. */
export class Reports extends Table {
  readonly #examples: Examples;

  constructor(sql: Sql, examples: Examples) {
    super(sql);
    this.#examples = examples;
  }

  store(head: string, version: number, report: StoredReport | null): void {
    if (report === null) return;
    this.sql`INSERT OR REPLACE INTO reports (head, version, report)
      VALUES (${head}, ${version}, ${JSON.stringify(report)})`;
  }

  /** @returns null where the version has none: it was uploaded, or no class had two examples. */
  find(head: string, version: number): VersionReport | null {
    const [row] = this.sql<{ report: string }>`
      SELECT report FROM reports WHERE head = ${head} AND version = ${version}`;
    if (row === undefined) return null;
    const report = StoredReport.parse(JSON.parse(row.report));
    return {
      head,
      version,
      ...report,
      hardest: report.hardest.flatMap((example) => this.#asItIs(head, example)),
    };
  }

  /** Nothing of an example that is forgotten, or has another label by now. */
  #asItIs(head: string, example: StoredReport['hardest'][number]): HardExample[] {
    const found = this.#examples.find(head, example.id);
    if (found?.label !== example.label) return [];
    return [{ ...example, picture: found.picture, created_at: found.created_at }];
  }
}

/**
 * @param ids of the set's examples, in its order.
 * @returns null where no example can be judged by a head that was trained without it.
 */
export function reportOf(
  set: TrainingSet,
  ids: readonly string[],
  trained: TrainedHead,
): StoredReport | null {
  const { metrics, head } = trained;
  if (metrics === null) return null;
  const { confusion, reliability } = metrics;
  return {
    labels: [...head.labels],
    confusion: confusion.map((row) => [...row]),
    reliability: [...reliability],
    hardest: hardest(set, ids, trained).slice(0, MAX_HARDEST_EXAMPLES),
  };
}

/** Examples that would be called something else, those whose own label is believed least first. */
function hardest(
  set: TrainingSet,
  ids: readonly string[],
  { head: { labels, training }, leaveOneOut }: TrainedHead,
): StoredReport['hardest'] {
  const classes = labels.length;
  const place = new Map(labels.map((label, i) => [label, i]));
  const found: StoredReport['hardest'] = [];
  for (const [i, target] of set.targets.entries()) {
    const row = leaveOneOut.subarray(i * classes, (i + 1) * classes);
    const probability = Math.max(...row);
    const predicted = row.indexOf(probability);
    const own = place.get(set.labels[target]) ?? -1;
    // The only example of its class says nothing: without it the class does not exist.
    if (predicted === own || training.counts[own] < 2) continue;
    found.push({
      id: ids[i],
      label: labels[own],
      predicted: labels[predicted],
      probability,
      label_probability: row[own],
    });
  }
  return found.sort((a, b) => a.label_probability - b.label_probability);
}
