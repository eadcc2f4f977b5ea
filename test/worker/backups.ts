/** Backups for the Worker's tests, as rows that may be changed. */
import { BackupRow } from '../../src/api/index.ts';
import { codes, batch } from './batches.ts';
import { makeHeadFile, type Isolate } from './support.ts';

/** Of a tenant with a head that was taught, `pets`, and one that was uploaded, `pushed`. */
export async function someBackup(isolate: Isolate): Promise<BackupRow[]> {
  const { key } = await isolate.newTenant();
  await isolate.call('/v1/heads/pets/teach', { key, json: batch(codes('cat', 3), codes('dog', 3)) });
  await isolate.put(key, 'pushed', await makeHeadFile());
  return (await backupOf(isolate, key))
    .trimEnd()
    .split('\n')
    .map((line) => BackupRow.parse(JSON.parse(line)));
}

/** Not by text(), which warns of types that it does not know. */
export async function backupOf(isolate: Isolate, key: string): Promise<string> {
  return new TextDecoder().decode(await (await isolate.call('/v1/backup', { key })).arrayBuffer());
}

export const fileOf = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');

export const sendBackup = (isolate: Isolate, key: string, body: BodyInit | Uint8Array): Promise<Response> =>
  isolate.call('/v1/restore', { key, body, type: 'application/x-ndjson' });
