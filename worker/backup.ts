/** A tenant as a file of lines, written as a stream that holds no more than a page of examples. restore.ts reads it. */
import { BACKUP_FORMAT, type BackupRow, type BackupVersion } from '../src/api/index.ts';
import type { Env } from './env.ts';
import { BACKUP_PAGE } from './limits.ts';
import type { Backup, ExampleRecord } from './tenant/backup.ts';
import { callTenant } from './tenant/call.ts';

/**
 * @returns lines, in pieces, as they are asked for.
 * @throws ApiError conflict while a restore is under way; overloaded
 */
export async function backup(env: Env, tenant: string): Promise<AsyncGenerator<string, void, undefined>> {
  return linesOf(env, tenant, await callTenant(env, tenant, (stub) => stub.backupSurvey()));
}

async function* linesOf(
  env: Env,
  tenant: string,
  { names, stamp }: ReturnType<Backup['survey']>,
): AsyncGenerator<string, void, undefined> {
  let rows = 1;
  yield line({ row: 'backup', format: BACKUP_FORMAT, created_at: Date.now() });
  for (const name of names) {
    const record = await callTenant(env, tenant, (stub) => stub.backupRecord(name));
    if (record.taught !== null) {
      yield line(record.taught);
      rows++;
      for await (const { code, ...example } of examplesOf(env, tenant, name)) {
        yield line({ row: 'example', ...example, code: code.toBase64() });
        rows++;
      }
    }
    for (const { objectName, ...version } of record.versions) {
      const object = await env.HEADS.get(objectName);
      // Deleted a moment ago: the last line will say that something changed.
      if (object === null) continue;
      yield* versionLine(version, object);
      rows++;
    }
    if (record.head !== null) {
      yield line(record.head);
      rows++;
    }
  }
  const after = await callTenant(env, tenant, (stub) => stub.backupSurvey());
  yield line({ row: 'end', rows, unchanged: after.stamp === stamp });
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

function line(row: BackupRow): string {
  return `${JSON.stringify(row)}\n`;
}

/** What a version's line ends with: its file is its last field. */
const LINE_END = '"}\n';

async function* versionLine(
  version: Omit<BackupVersion, 'row' | 'file'>,
  { body }: { readonly body: ReadableStream<Uint8Array> },
): AsyncGenerator<string> {
  yield line({ row: 'version', ...version, file: '' }).slice(0, -LINE_END.length);
  // Base64 has four letters for three bytes; what is over waits for the next chunk.
  let rest = new Uint8Array(0);
  for await (const chunk of body) {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    const whole = bytes.length - (bytes.length % 3);
    if (whole > 0) yield bytes.subarray(0, whole).toBase64();
    rest = bytes.slice(whole);
  }
  yield rest.toBase64() + LINE_END;
}
