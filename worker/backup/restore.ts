/**
 * A backup read back, as a stream that never holds more than one head file. Nothing in it is taken at its word: head files
 * are checked like uploaded ones, and every row against those before it.
 */
import type { BackupExample, BackupRow, BackupVersion } from '../../src/api/index.ts';
import { newKeyId, sha256Hex } from '../access/api-key.ts';
import type { Env } from '../env.ts';
import { BACKUP_PAGE } from '../limits.ts';
import { fromBase64 } from '../http/pictures.ts';
import { invalidBackup, RestoreChecks } from './checks.ts';
import { BackupReader } from './reader.ts';
import type { Lender } from '../isolate/leases.ts';
import type { Services } from '../isolate/services.ts';
import { writeHeadFile } from '../stores/head-files.ts';
import type { ExampleRecord } from '../tenant/teach/example.ts';
import { callTenant } from '../tenant/call.ts';
import { type TenantStub } from '../tenant/stub.ts';
import { describe } from '../tenant/heads/describe.ts';

export interface RestoredCounts {
  heads: number;
  versions: number;
  examples: number;
}

/**
 * All of it or nothing.
 * @throws ApiError invalid_request, limit_reached, conflict, overloaded, body_…; HeadwaterError for head files that are not
 *   valid here
 */
export async function restore(
  env: Env,
  tenant: string,
  services: Pick<Services, 'heads' | 'runtime'>,
  memory: Lender,
  body: ReadableStream<Uint8Array>,
): Promise<RestoredCounts> {
  const attempt = new Attempt(env, tenant, services);
  await attempt.begin();
  const reader = new BackupReader(body, memory);
  const takeNext = (): Promise<boolean> =>
    reader.next(async (row) => {
      if (row === undefined) throw invalidBackup('it breaks off before its last line');
      await attempt.take(row);
      return row.row !== 'end';
    });
  try {
    while (await takeNext());
  } catch (error) {
    if (!(await attempt.giveUp())) throw error;
  } finally {
    reader.release();
  }
  return attempt.counts;
}

/** One restore of a backup into a tenant, with a name of its own (tenant/backup/restore.ts). */
class Attempt {
  readonly counts: RestoredCounts = { heads: 0, versions: 0, examples: 0 };
  readonly #name = newKeyId();
  readonly #env: Env;
  readonly #tenant: string;
  readonly #heads: Services['heads'];
  readonly #checks: RestoreChecks;
  /** Those that were not handed over yet. */
  #examples: ExampleRecord[] = [];

  constructor(env: Env, tenant: string, { heads, runtime }: Pick<Services, 'heads' | 'runtime'>) {
    this.#env = env;
    this.#tenant = tenant;
    this.#heads = heads;
    this.#checks = new RestoreChecks(runtime);
  }

  async begin(): Promise<void> {
    await this.#call((stub, name) => stub.restore.begin(name));
  }

  /**
   * Where even this fails, the tenant waits for the next attempt, which begins with it.
   * @returns whether all came in nevertheless: the answer to its end may have been lost.
   */
  async giveUp(): Promise<boolean> {
    try {
      return (await this.#call((stub, name) => stub.restore.end(name, false))).whole;
    } catch (error) {
      console.warn(JSON.stringify({ message: 'restore not undone', reason: String(error) }));
      return false;
    }
  }

  async take(row: BackupRow): Promise<void> {
    await this.#checks.admit(row);
    if (row.row === 'example') return this.#takeExample(row);
    await this.#flush();
    switch (row.row) {
      case 'backup':
        return;
      case 'version':
        await this.#takeVersion(row);
        this.counts.versions++;
        return;
      case 'taught':
        await this.#call((stub, name) => stub.restore.taught(name, row));
        return;
      case 'head':
        await this.#call((stub, name) => stub.restore.head(name, row));
        this.counts.heads++;
        return;
      case 'end':
        await this.#call((stub, name) => stub.restore.end(name, true));
        return;
      default:
        row satisfies never;
    }
  }

  async #takeExample({ row: _kind, code, ...example }: BackupExample): Promise<void> {
    const bytes = fromBase64(code, 'code');
    this.#checks.admitCode(bytes);
    this.#examples.push({ ...example, code: bytes });
    if (this.#examples.length === BACKUP_PAGE) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#examples.length === 0) return;
    const page = this.#examples;
    this.#examples = [];
    await this.#call((stub, name) => stub.restore.examples(name, page));
    this.counts.examples += page.length;
  }

  async #takeVersion({ file, row: _kind, ...record }: BackupVersion): Promise<void> {
    const bytes = fromBase64(file, 'file');
    const head = await this.#heads.parse(bytes);
    const sha256 = await sha256Hex(bytes);
    this.#checks.admitHead(record.version, sha256, head);
    const { objectName } = await this.#call((stub, name) =>
      stub.restore.expectVersion(name, { ...record, sha256 }),
    );
    await writeHeadFile(this.#env.HEADS, objectName, bytes, sha256);
    const row = { ...record, sha256, bytes: bytes.byteLength, description: describe(head) };
    await this.#call((stub, name) => stub.restore.version(name, row));
  }

  #call<T>(task: (stub: TenantStub, name: string) => Promise<T>) {
    return callTenant(this.#env, this.#tenant, (stub) => task(stub, this.#name));
  }
}
