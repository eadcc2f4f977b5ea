/** A tenant as a file of lines, written as a stream that never holds more than one head file. restore.ts reads it. */
import { BACKUP_FORMAT, type BackupRow } from '../src/api/index.ts';
import type { Env } from './env.ts';
import { BACKUP_PAGE } from './limits.ts';
import type { ExampleRecord } from './tenant/backup.ts';
import { callTenant } from './tenant/call.ts';

/** @returns lines, as they are asked for. */
export async function* backupRows(env: Env, tenant: string): AsyncGenerator<BackupRow, void, undefined> {
  const { names, stamp } = await callTenant(env, tenant, (stub) => stub.backupSurvey());
  let rows = 1;
  yield { row: 'backup', format: BACKUP_FORMAT, created_at: Date.now() };
  for (const name of names) {
    const record = await callTenant(env, tenant, (stub) => stub.backupRecord(name));
    if (record.taught !== null) {
      yield record.taught;
      rows++;
      for await (const { code, ...example } of examplesOf(env, tenant, name)) {
        yield { row: 'example', ...example, code: toBase64(code) };
        rows++;
      }
    }
    for (const { objectName, ...version } of record.versions) {
      const object = await env.HEADS.get(objectName);
      // Deleted a moment ago: the last line will say that something changed.
      if (object === null) continue;
      yield { row: 'version', ...version, file: toBase64(new Uint8Array(await object.arrayBuffer())) };
      rows++;
    }
    if (record.head !== null) {
      yield record.head;
      rows++;
    }
  }
  const after = await callTenant(env, tenant, (stub) => stub.backupSurvey());
  yield { row: 'end', rows, unchanged: after.stamp === stamp };
}

async function* examplesOf(env: Env, tenant: string, head: string): AsyncGenerator<ExampleRecord> {
  let after = '';
  for (;;) {
    const page = await callTenant(env, tenant, (stub) => stub.backupExamples(head, after, BACKUP_PAGE));
    yield* page;
    if (page.length < BACKUP_PAGE) return;
    after = page.at(-1)?.id ?? '';
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  // String.fromCharCode takes a bounded number of arguments.
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}
