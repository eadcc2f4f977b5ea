/** A tenant as a file of lines, written and read as a stream: neither side ever holds more than one head file. */
import { BACKUP_FORMAT, BackupRow, type BackupVersion } from '../src/api/index.ts';
import { sha256Hex } from './api-key.ts';
import { invalidInput } from './body.ts';
import type { Env } from './env.ts';
import { BACKUP_PAGE, MAX_BACKUP_LINE_BYTES } from './limits.ts';
import { fromBase64 } from './pictures.ts';
import { ApiError } from './problem.ts';
import type { HeadStore } from './stores/heads.ts';
import type { ExampleRecord } from './tenant/backup.ts';
import { callTenant, type TenantStub } from './tenant/call.ts';
import { describe } from './tenant/describe.ts';

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

export interface RestoredCounts {
  heads: number;
  versions: number;
  examples: number;
}

/** @throws ApiError invalid_request, conflict; HeadwaterError for head files that are not valid here */
export async function restore(
  env: Env,
  tenant: string,
  heads: HeadStore,
  body: ReadableStream<Uint8Array>,
): Promise<RestoredCounts> {
  const call = <T>(task: (stub: TenantStub) => Promise<T>) => callTenant(env, tenant, task);
  await call((stub) => stub.restoreBegin());
  const counts: RestoredCounts = { heads: 0, versions: 0, examples: 0 };
  let examples: ExampleRecord[] = [];
  const flush = async (): Promise<void> => {
    if (examples.length === 0) return;
    const page = examples;
    examples = [];
    await call((stub) => stub.restoreExamples(page));
    counts.examples += page.length;
  };
  let rows = 0;
  for await (const line of linesOf(body)) {
    const row = parseRow(line, rows + 1);
    if ((rows === 0) !== (row.row === 'backup')) throw invalid('it does not begin with its header');
    if (row.row !== 'example') await flush();
    switch (row.row) {
      case 'backup':
        break;
      case 'taught':
        await call((stub) => stub.restoreTaught(row));
        break;
      case 'example': {
        const { row: _kind, code, ...example } = row;
        examples.push({ ...example, code: fromBase64(code, 'code') });
        if (examples.length === BACKUP_PAGE) await flush();
        break;
      }
      case 'version':
        await restoreVersion(env, heads, call, row);
        counts.versions++;
        break;
      case 'head':
        await call((stub) => stub.restoreHead(row));
        counts.heads++;
        break;
      case 'end':
        if (row.rows !== rows) throw invalid(`it says that it has ${row.rows} rows and has ${rows}`);
        if (!row.unchanged) throw invalid('something changed while it was made; make another one');
        await call((stub) => stub.restoreEnd());
        return counts;
      default:
        row satisfies never;
    }
    rows++;
  }
  throw invalid('it breaks off before its last line');
}

async function restoreVersion(
  env: Env,
  heads: HeadStore,
  call: <T>(task: (stub: TenantStub) => Promise<T>) => Promise<unknown>,
  { file, row: _kind, ...record }: BackupVersion,
): Promise<void> {
  const bytes = fromBase64(file, 'file');
  const head = await heads.parse(bytes);
  const sha256 = await sha256Hex(bytes);
  let objectName = '';
  await call(async (stub) => {
    const expected = await stub.expectVersion(record.head, record.version, sha256);
    if ('objectName' in expected) ({ objectName } = expected);
    return expected;
  });
  await env.HEADS.put(objectName, bytes, { sha256 });
  const row = { ...record, sha256, bytes: bytes.byteLength, description: describe(head) };
  await call((stub) => stub.restoreVersion(row));
}

function parseRow(line: string, number: number): BackupRow {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new ApiError('invalid_request', `Line ${number} of the backup is not JSON.`, { cause });
  }
  const parsed = BackupRow.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidInput(parsed.error, `line ${number} of the backup`);
}

/** Lines of a stream, each of bounded length. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of body) {
    const pieces = decoder.decode(chunk, { stream: true }).split('\n');
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) {
        yield parts.join('');
        parts = [];
        length = 0;
      }
      length += piece.length;
      if (length > MAX_BACKUP_LINE_BYTES) throw invalid('it holds a line that is too long');
      parts.push(piece);
    }
  }
  const rest = parts.join('');
  if (rest !== '') yield rest;
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  // String.fromCharCode takes a bounded number of arguments.
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

function invalid(what: string): ApiError {
  return new ApiError('invalid_request', `The backup cannot be restored: ${what}.`);
}
