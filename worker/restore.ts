/**
 * A backup read back, as a stream that never holds more than one head file. Nothing in it is taken at its word: head files
 * are checked like uploaded ones, and every row against those before it.
 */
import { BackupRow, type BackupVersion } from '../src/api/index.ts';
import { newKeyId, sha256Hex } from './api-key.ts';
import { invalidInput } from './body.ts';
import type { Env } from './env.ts';
import { parseJson } from './json.ts';
import { BACKUP_PAGE, MAX_BACKUP_LINE_BYTES, MAX_JSON_PARTS } from './limits.ts';
import { fromBase64 } from './pictures.ts';
import { ApiError } from './problem.ts';
import { invalidBackup, RestoreChecks } from './restore-checks.ts';
import type { Services } from './services.ts';
import type { ExampleRecord } from './tenant/backup.ts';
import { callTenant, type TenantStub } from './tenant/call.ts';
import { describe } from './tenant/describe.ts';

export interface RestoredCounts {
  heads: number;
  versions: number;
  examples: number;
}

/** Calls the Durable Object of the tenant that is restored, in the name of this attempt. */
type Call = <T>(task: (stub: TenantStub, attempt: string) => Promise<T>) => Promise<unknown>;

/**
 * All of it or nothing.
 * @throws ApiError invalid_request, limit_reached, conflict, body_…; HeadwaterError for head files that are not valid here
 */
export async function restore(
  env: Env,
  tenant: string,
  { heads, runtime }: Pick<Services, 'heads' | 'runtime'>,
  body: ReadableStream<Uint8Array>,
): Promise<RestoredCounts> {
  const attempt = newKeyId();
  const call: Call = (task) => callTenant(env, tenant, (stub) => task(stub, attempt));
  await call((stub) => stub.restoreBegin(attempt));
  const counts: RestoredCounts = { heads: 0, versions: 0, examples: 0 };
  try {
    await restoreRows(env, call, heads, new RestoreChecks(runtime), body, counts);
  } catch (error) {
    await giveUp(call);
    throw error;
  }
  return counts;
}

/** Where even this fails, the tenant waits for the next attempt, which begins with it. */
async function giveUp(call: Call): Promise<void> {
  try {
    await call((stub, attempt) => stub.restoreEnd(attempt, false));
  } catch (error) {
    console.warn(JSON.stringify({ message: 'restore not undone', reason: String(error) }));
  }
}

async function restoreRows(
  env: Env,
  call: Call,
  heads: Services['heads'],
  checks: RestoreChecks,
  body: ReadableStream<Uint8Array>,
  counts: RestoredCounts,
): Promise<void> {
  let examples: ExampleRecord[] = [];
  const flush = async (): Promise<void> => {
    if (examples.length === 0) return;
    const page = examples;
    examples = [];
    await call((stub, attempt) => stub.restoreExamples(attempt, page));
    counts.examples += page.length;
  };
  for await (const line of linesOf(body)) {
    const row = parseRow(line, checks.rows + 1);
    checks.admit(row);
    if (row.row !== 'example') await flush();
    switch (row.row) {
      case 'backup':
        break;
      case 'taught':
        await call((stub, attempt) => stub.restoreRow(attempt, row));
        break;
      case 'example': {
        const { row: _kind, code, ...example } = row;
        const bytes = fromBase64(code, 'code');
        checks.admitCode(bytes);
        examples.push({ ...example, code: bytes });
        if (examples.length === BACKUP_PAGE) await flush();
        break;
      }
      case 'version':
        await restoreVersion(env, heads, call, checks, row);
        counts.versions++;
        break;
      case 'head':
        await call((stub, attempt) => stub.restoreRow(attempt, row));
        counts.heads++;
        break;
      case 'end':
        await call((stub, attempt) => stub.restoreEnd(attempt, true));
        return;
      default:
        row satisfies never;
    }
  }
  throw invalidBackup('it breaks off before its last line');
}

async function restoreVersion(
  env: Env,
  heads: Services['heads'],
  call: Call,
  checks: RestoreChecks,
  { file, row: _kind, ...record }: BackupVersion,
): Promise<void> {
  const bytes = fromBase64(file, 'file');
  const head = await heads.parse(bytes);
  const sha256 = await sha256Hex(bytes);
  checks.admitHead(record.version, sha256, head);
  let objectName = '';
  await call(async (stub, attempt) => {
    const expected = await stub.expectVersion(attempt, { ...record, sha256 });
    if ('objectName' in expected) ({ objectName } = expected);
    return expected;
  });
  await env.HEADS.put(objectName, bytes, { sha256 });
  const row = { ...record, sha256, bytes: bytes.byteLength, description: describe(head) };
  await call((stub, attempt) => stub.restoreVersion(attempt, row));
}

function parseRow(line: string, number: number): BackupRow {
  let value: unknown;
  try {
    value = parseJson(line, MAX_JSON_PARTS, `Line ${number} of the backup`);
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError('invalid_request', `Line ${number} of the backup is not JSON.`, { cause });
  }
  const parsed = BackupRow.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidInput(parsed.error, `line ${number} of the backup`);
}

/** Lines of a stream, each of bounded length. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let parts: string[] = [];
  let length = 0;
  for await (const text of textOf(body)) {
    for (const [i, piece] of text.split('\n').entries()) {
      if (i > 0) {
        yield parts.join('');
        parts = [];
        length = 0;
      }
      length += piece.length;
      if (length > MAX_BACKUP_LINE_BYTES) throw invalidBackup('it holds a line that is too long');
      parts.push(piece);
    }
  }
  const rest = parts.join('');
  if (rest !== '') yield rest;
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new ApiError('body_incomplete', 'The backup broke off before its end.', { cause });
      });
      if (done) return;
      yield decode(decoder, value);
    }
  } finally {
    // That its sender has gone already is no concern here.
    await reader.cancel().catch(() => undefined);
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: true });
  } catch {
    throw invalidBackup('it is not in UTF-8');
  }
}
