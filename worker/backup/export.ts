/** A tenant as a file of lines, written as a stream that holds no more than a page of examples. restore.ts reads it. */
import {
  BACKUP_FORMAT,
  MAX_MISSING_NAMED,
  type BackupRow,
  type BackupVersion,
  type Missing,
} from '../../src/api/index.ts';
import type { Env } from '../env.ts';
import { BACKUP_PAGE } from '../limits.ts';
import { openHeadFile, type StoredFile } from '../stores/head-files.ts';
import type { Backup } from '../tenant/backup/records.ts';
import type { ExampleRecord } from '../tenant/teach/example.ts';
import { callTenant } from '../tenant/call.ts';

/**
 * @returns lines, in pieces, made as they are read.
 * @throws ApiError conflict while a restore is under way; overloaded
 */
export async function backup(env: Env, tenant: string): Promise<AsyncGenerator<string, void, undefined>> {
  return linesOf(env, tenant, await callTenant(env, tenant, (stub) => stub.backup.survey()));
}

async function* linesOf(
  env: Env,
  tenant: string,
  { names, stamp }: ReturnType<Backup['survey']>,
): AsyncGenerator<string, void, undefined> {
  let rows = 1;
  const missing: Missing['versions'] = [];
  yield line({ row: 'backup', format: BACKUP_FORMAT, created_at: Date.now() });
  for (const name of names) {
    const record = await callTenant(env, tenant, (stub) => stub.backup.record(name));
    if (record.taught !== null) {
      yield line(record.taught);
      rows++;
      for await (const { code, ...example } of examplesOf(env, tenant, name)) {
        yield line({ row: 'example', ...example, code: code.toBase64() });
        rows++;
      }
    }
    for (const { objectName, ...version } of record.versions) {
      const file = { head: name, version: version.version, objectName };
      const written = yield* versionLine(env, version, file);
      if (written !== 'nothing') rows++;
      if (written !== 'all') missing.push({ head: name, version: version.version });
    }
    if (record.head !== null) {
      yield line(record.head);
      rows++;
    }
  }
  const after = await callTenant(env, tenant, (stub) => stub.backup.survey());
  const lacking = { total: missing.length, versions: missing.slice(0, MAX_MISSING_NAMED) };
  yield line({
    row: 'end',
    rows,
    unchanged: after.stamp === stamp,
    missing: missing.length === 0 ? undefined : lacking,
  });
}

async function* examplesOf(env: Env, tenant: string, head: string): AsyncGenerator<ExampleRecord> {
  let after = '';
  for (;;) {
    const page = await callTenant(env, tenant, (stub) => stub.backup.examples(head, after, BACKUP_PAGE));
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

/** @returns what was written: no line, one that holds only a part of the file, or all of it. */
async function* versionLine(
  env: Env,
  version: Omit<BackupVersion, 'row' | 'file'>,
  file: StoredFile,
): AsyncGenerator<string, 'nothing' | 'part' | 'all'> {
  const object = await openOrNull(env, file);
  if (object === null) return 'nothing';
  yield line({ row: 'version', ...version, file: '' }).slice(0, -LINE_END.length);
  let written: 'part' | 'all' = 'all';
  try {
    yield* inBase64(bytesOf(env, file.objectName, object));
  } catch (error) {
    warn(error);
    written = 'part';
  }
  yield LINE_END;
  return written;
}

/** A file that can't be read counts as missing, so that the rest of the backup is still written. */
async function openOrNull(env: Env, file: StoredFile): Promise<R2ObjectBody | null> {
  try {
    return await openHeadFile(env.HEADS, file);
  } catch (error) {
    warn(error);
    return null;
  }
}

/** An object's bytes. A stream that breaks off is continued once from there. */
async function* bytesOf({ HEADS }: Env, name: string, { body }: R2ObjectBody): AsyncGenerator<Uint8Array> {
  let offset = 0;
  try {
    for await (const chunk of body) {
      yield chunk;
      offset += chunk.length;
    }
  } catch {
    const rest = await HEADS.get(name, { range: { offset } });
    if (rest === null) throw new Error('The object went while it was read.');
    yield* rest.body;
  }
}

async function* inBase64(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  // Base64 has four letters for three bytes; what is over waits for the next chunk.
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    const whole = bytes.length - (bytes.length % 3);
    if (whole > 0) yield bytes.subarray(0, whole).toBase64();
    rest = bytes.slice(whole);
  }
  yield rest.toBase64();
}

function warn(error: unknown): void {
  console.warn(JSON.stringify({ message: 'a file is missing in a backup', reason: String(error) }));
}
