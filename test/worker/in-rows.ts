/** The rows of a tenant in a database of its own, without anything around them. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { writeMetadata } from '../../src/head/metadata.ts';
import type { Stores } from '../../worker/tenant/outbox.ts';
import { openRows, type Rows } from '../../worker/tenant/rows.ts';

export const TENANT = 'atenantforitself';
/** Far ahead, so that no alarm is due while a test runs. */
export const NOW = 4_000_000_000_000;

const unused = () => Promise.reject(new Error('not expected here'));
/** Stores that nothing may use. */
export const NO_STORES: Stores = {
  HEADS: { get: unused, put: unused, delete: unused },
  POINTERS: { put: unused, delete: unused },
};

export interface Opened extends Rows {
  readonly storage: DurableObjectStorage;
  /** Rows of a query. */
  readonly query: (sql: string, ...values: SqlStorageValue[]) => Record<string, SqlStorageValue>[];
}

/** Runs a task on the rows of a new tenant. */
export async function inRows(task: (rows: Opened) => unknown, stores: Stores = NO_STORES): Promise<void> {
  const stub = env.TENANTS.get(env.TENANTS.idFromName(crypto.randomUUID()));
  await runInDurableObject(stub, async (_, { storage }) => {
    const founder = openRows(storage, stores);
    founder.standing.found();
    founder.standing.enter(TENANT, 'a tenant', NOW);
    const query: Opened['query'] = (sql, ...values) => storage.sql.exec(sql, ...values).toArray();
    await task({ ...founder, storage, query });
  });
}

/** Of a class: how many examples were judged, and the share of them that was told right. */
export type Judged = readonly [support: number, recall: number];

/** What a version says about itself. @param judged by class, in the order of the labels; none: it has no metrics. */
export function description(labels: readonly string[], judged?: readonly Judged[], examples = 3): string {
  const perClass = judged?.map(([support, recall]) => ({
    support,
    predicted: support,
    precision: recall,
    precisionInterval: [0, 1] as const,
    recall,
    recallInterval: [0, 1] as const,
    f1: recall,
  }));
  const total = judged?.reduce((sum, [support]) => sum + support, 0) ?? 0;
  const right = judged?.reduce((sum, [support, recall]) => sum + support * recall, 0) ?? 0;
  const distribution = { centre: 0, spread: 1 };
  const leaveOneOut = perClass && {
    examples: total,
    accuracy: right / total,
    accuracyInterval: [0, 1] as const,
    macroF1: 0.5,
    macroF1Interval: [0, 1] as const,
    logLoss: 1,
    logLossInterval: [0, 2] as const,
    calibrationError: 0.1,
    perClass,
  };
  const metadata = writeMetadata({
    backbone: { name: 'a backbone', version: '1', weightsSha256: 'a'.repeat(64) },
    taps: ['tap'],
    labels,
    temperature: 1,
    novelty: { residual: distribution, logit: distribution, threshold: 0 },
    training: {
      method: { fit: 'ridge' },
      examples: labels.length * examples,
      counts: labels.map(() => examples),
      lambda: 1,
      leaveOneOut: leaveOneOut ?? null,
    },
  });
  return JSON.stringify(metadata);
}
