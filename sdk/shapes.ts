/**
 * Tells the Worker's answers from another server's page: by the fields that every answer of a kind has. The client calls them
 * `is.headList` and so on.
 */
import type * as api from '../src/api/index.ts';
import type { VersionReport } from '../src/api/report.ts';
import type { ReviewQueue } from '../src/api/review.ts';
import type { Usage } from '../src/api/usage.ts';
import type { z } from 'zod';
import { isObject } from './errors.ts';

type Kind = 'string' | 'number' | 'boolean' | 'array' | 'object';

/** @returns what tells values with these fields from all others. */
function having<T>(fields: { readonly [Name in keyof T]?: Kind }): (value: unknown) => value is T {
  const kinds = Object.entries<Kind | undefined>(fields);
  return (value): value is T => isObject(value) && kinds.every(([name, kind]) => isKind(value[name], kind));
}

function isKind(value: unknown, kind: Kind | undefined): boolean {
  if (kind === 'array') return Array.isArray(value);
  return kind === 'object' ? isObject(value) : typeof value === kind;
}

export const headList = having<z.infer<typeof api.HeadList>>({ heads: 'array' });
export const headDetail = having<api.HeadDetail>({ head: 'string', classes: 'array', versions: 'array' });
export const headStored = having<api.HeadStored>({ head: 'string', version: 'number' });
export const activated = having<z.infer<typeof api.VersionActivated>>({ head: 'string', version: 'number' });
export const report = having<VersionReport>({
  labels: 'array',
  confusion: 'array',
  reliability: 'array',
  hardest: 'array',
});
export const classification = having<api.Classification>({
  predictions: 'array',
  unknown: 'object',
  image: 'object',
});
export const classifications = having<z.infer<typeof api.Classifications>>({
  results: 'array',
  image: 'object',
});
export const embeddings = having<z.infer<typeof api.Embeddings>>({
  backbone: 'object',
  space: 'object',
  embeddings: 'array',
});
export const exampleList = having<api.ExampleList>({ examples: 'array', total: 'number' });
export const taught = having<api.Taught>({ head: 'string' });
export const rebase = having<api.Rebase>({ state: 'string', to: 'object', total: 'number', done: 'number' });
export const reviewQueue = having<ReviewQueue>({ items: 'array' });
export const usage = having<Usage>({ days: 'array' });
export const keyList = having<z.infer<typeof api.KeyList>>({ keys: 'array' });
export const keyCreated = having<api.KeyCreated>({ id: 'string', key: 'string' });
export const routing = having<api.Routing>({ names: 'object' });
export const settings = having<api.HeadSettings>({ capture: 'boolean' });
export const tenantSettings = having<api.TenantSettings>({ keep_images: 'boolean' });

const picture = having<Extract<api.BatchLine, { index: number }>>({ index: 'number', name: 'string' });
const summary = having<api.BatchSummary>({ head: 'string', pictures: 'number' });

export function batchLine(value: unknown): value is api.BatchLine {
  return picture(value) || summary(value);
}
