/**
 * Tells the Worker's answers from a stranger's page: by the fields that every answer of a kind has. The client calls them
 * `is.headList` and so on.
 */
import type {
  BatchLine,
  Classification,
  Classifications,
  Embeddings,
  ExampleList,
  HeadDetail,
  HeadList,
  HeadSettings,
  HeadStored,
  KeyCreated,
  KeyList,
  Rebase,
  Routing,
  Taught,
  TenantSettings,
  VersionActivated,
} from '../src/api/index.ts';
import type { VersionReport } from '../src/api/report.ts';
import type { ReviewQueue } from '../src/api/review.ts';
import type { Usage } from '../src/api/usage.ts';
import type { z } from 'zod';
import { isObject } from './errors.ts';

type Kind = 'string' | 'number' | 'array' | 'object';

function has(value: unknown, fields: Readonly<Record<string, Kind>>): boolean {
  return isObject(value) && Object.entries(fields).every(([name, kind]) => isKind(value[name], kind));
}

function isKind(value: unknown, kind: Kind): boolean {
  if (kind === 'array') return Array.isArray(value);
  return kind === 'object' ? isObject(value) : typeof value === kind;
}

export function headList(value: unknown): value is z.infer<typeof HeadList> {
  return has(value, { heads: 'array' });
}

export function headDetail(value: unknown): value is HeadDetail {
  return has(value, { head: 'string', classes: 'array', versions: 'array' });
}

export function headStored(value: unknown): value is HeadStored {
  return has(value, { head: 'string', version: 'number' });
}

export function activated(value: unknown): value is z.infer<typeof VersionActivated> {
  return has(value, { head: 'string', version: 'number' });
}

export function report(value: unknown): value is VersionReport {
  return has(value, { labels: 'array', confusion: 'array', reliability: 'array', hardest: 'array' });
}

export function classification(value: unknown): value is Classification {
  return has(value, { predictions: 'array', unknown: 'object', image: 'object' });
}

export function classifications(value: unknown): value is z.infer<typeof Classifications> {
  return has(value, { results: 'array', image: 'object' });
}

export function embeddings(value: unknown): value is z.infer<typeof Embeddings> {
  return has(value, { backbone: 'object', space: 'object', embeddings: 'array' });
}

export function exampleList(value: unknown): value is ExampleList {
  return has(value, { examples: 'array', total: 'number' });
}

export function taught(value: unknown): value is Taught {
  return has(value, { head: 'string' });
}

export function rebase(value: unknown): value is Rebase {
  return has(value, { state: 'string', to: 'object', total: 'number', done: 'number' });
}

export function reviewQueue(value: unknown): value is ReviewQueue {
  return has(value, { items: 'array' });
}

export function usage(value: unknown): value is Usage {
  return has(value, { days: 'array' });
}

export function keyList(value: unknown): value is z.infer<typeof KeyList> {
  return has(value, { keys: 'array' });
}

export function keyCreated(value: unknown): value is KeyCreated {
  return has(value, { id: 'string', key: 'string' });
}

export function batchLine(value: unknown): value is BatchLine {
  return (
    has(value, { index: 'number', name: 'string' }) || has(value, { head: 'string', pictures: 'number' })
  );
}

export function routing(value: unknown): value is Routing {
  return has(value, { names: 'object' });
}

export function settings(value: unknown): value is HeadSettings {
  return isObject(value) && typeof value['capture'] === 'boolean';
}

export function tenantSettings(value: unknown): value is TenantSettings {
  return isObject(value) && typeof value['keep_images'] === 'boolean';
}
