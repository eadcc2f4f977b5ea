/**
 * One tenant's truth: a Durable Object with its own SQLite database, the single writer of keys, heads and versions. KV
 * and R2 hold what it says; a crash between the stores leaves notes from which its alarm does the rest (outbox.ts).
 *
 * Its methods answer RPC calls from the Worker. What can be expected to go wrong is answered as a value (call.ts).
 */
import { DurableObject } from 'cloudflare:workers';
import { DEFAULT_TENANT_SETTINGS, type TenantSettings } from '../../src/api/index.ts';
import type {
  BackupHead,
  BackupTaught,
  ExampleList,
  HeadDetail,
  HeadSettings,
  HeadSummary,
  KeySummary,
  ReviewItem,
  Routing,
  UsageDay,
} from '../../src/api/index.ts';
import type { VersionReport } from '../../src/api/report.ts';
import type { Env } from '../env.ts';
import { keyEntryName, pointerName, type Pointer } from '../stores/layout.ts';
import { step } from '../steps.ts';
import { refuse, type Refused } from './call.ts';
import { headDetail, headSummary } from './describe.ts';
import { Heads } from './heads.ts';
import { Backup, type ExampleRecord, type HeadRecord, type RestoredVersion } from './backup.ts';
import { Captures, type Capture } from './captures.ts';
import { Examples, type CodeOrigin } from './examples.ts';
import { Idempotency } from './idempotency.ts';
import { KeptPictures } from './kept-pictures.ts';
import { Keys, type FoundKey, type NewKey } from './keys.ts';
import { Outbox, type Render } from './outbox.ts';
import { Reports } from './report.ts';
import { hasTables, migrate } from './schema.ts';
import { Teaching, type Forgetting, type Lesson, type TaughtResult } from './teaching.ts';
import { Training, type Write } from './training.ts';
import { Uploads, type Committed, type Reservation, type Upload } from './uploads.ts';
import { Usage, type Counted } from './usage.ts';

interface TenantRow extends Record<string, SqlStorageValue> {
  id: string;
  name: string;
  created_at: number;
}

/** Of a name that no store knows. */
const NO_POINTER: Pointer = {
  revision: 0,
  current: null,
  versions: {},
  names: {},
  canary: null,
  shadow: null,
  capture: false,
};

export class Tenant extends DurableObject<Env> {
  readonly #outbox: Outbox;
  readonly #keys: Keys;
  readonly #heads: Heads;
  readonly #uploads: Uploads;
  readonly #pictures: KeptPictures;
  readonly #examples: Examples;
  readonly #idempotency: Idempotency;
  readonly #reports: Reports;
  readonly #teaching: Teaching;
  readonly #usage: Usage;
  readonly #backup: Backup;
  readonly #captures: Captures;
  #exists: boolean;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    this.#outbox = new Outbox(ctx.storage, env);
    this.#keys = new Keys(sql, this.#outbox);
    this.#heads = new Heads(sql, this.#outbox, () => this.#self().id);
    this.#uploads = new Uploads(sql, this.#outbox, this.#heads);
    this.#usage = new Usage(sql);
    this.#backup = new Backup(sql, this.#heads, this.#outbox, () => this.#self().id);
    this.#pictures = new KeptPictures(sql, this.#outbox, () => this.#self().id);
    this.#examples = new Examples(sql, this.#pictures);
    this.#idempotency = new Idempotency(sql);
    const write: Write = (change) => this.#write(change);
    this.#reports = new Reports(sql, this.#examples);
    this.#captures = new Captures(sql);
    const parts = {
      heads: this.#heads,
      uploads: this.#uploads,
      examples: this.#examples,
      idempotency: this.#idempotency,
      reports: this.#reports,
      captures: this.#captures,
      write,
    };
    const training = new Training({ ...parts, stores: env });
    this.#teaching = new Teaching({ ...parts, training, steps: env });
    // A name that no tenant has must not become a database because someone asked for it.
    this.#exists = hasTables(sql);
    if (this.#exists) migrate(ctx.storage);
  }

  /** Makes the tenant with its first key. Repeating the call changes nothing. */
  async create(id: string, name: string, key: NewKey): Promise<KeySummary | Refused> {
    migrate(this.ctx.storage);
    this.#exists = true;
    return this.#write((now) => {
      this.ctx.storage.sql.exec(
        'INSERT INTO tenant (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
        id,
        name,
        now,
      );
      return this.#keys.create(key, now);
    });
  }

  settings(): TenantSettings {
    return this.#exists ? this.#pictures.settings() : DEFAULT_TENANT_SETTINGS;
  }

  configure(settings: TenantSettings): Promise<TenantSettings | Refused> {
    return this.#write((now) => this.#pictures.configure(settings, now));
  }

  /** Before pictures of examples are written to R2: their names there, or null where none are kept. */
  expectPictures(
    head: string,
    sizes: readonly number[],
  ): Promise<{ images: readonly string[] | null } | Refused> {
    if (this.#exists && !this.#pictures.settings().keep_images) return Promise.resolve({ images: null });
    return this.#write((now) => this.#pictures.expect(head, sizes, now));
  }

  /** The object that holds an example's picture, or null. */
  exampleImage(head: string, id: string): string | null {
    return this.#exists ? this.#pictures.find(head, id) : null;
  }

  findKey(hash: string): FoundKey {
    return this.#exists ? this.#keys.find(hash) : { status: 'unknown' };
  }

  listKeys(): KeySummary[] {
    return this.#exists ? this.#keys.list() : [];
  }

  createKey(key: NewKey): Promise<KeySummary | Refused> {
    return this.#write((now) => this.#keys.create(key, now));
  }

  /** A new key in the place of another, which stops working. */
  rotateKey(
    id: string,
    key: Pick<NewKey, 'id' | 'hash'>,
  ): Promise<{ summary: KeySummary; hash: string } | Refused> {
    return this.#write((now) => this.#keys.rotate(id, key, now));
  }

  revokeKey(id: string): Promise<{ hash: string } | Refused> {
    return this.#write((now) => this.#keys.revoke(id, now));
  }

  listHeads(): HeadSummary[] {
    return this.#exists ? this.#heads.list().map(headSummary) : [];
  }

  describeHead(head: string): HeadDetail | null {
    const row = this.#exists ? this.#heads.live(head) : undefined;
    return row === undefined ? null : headDetail(row, this.#heads.versions(head));
  }

  pointer(head: string): Pointer | null {
    return this.#exists ? this.#heads.pointer(head) : null;
  }

  /** First step of an upload: a number and a name for the object. Nothing can be seen of it. */
  reserveVersion(head: string, upload: Upload): Promise<Reservation | Refused> {
    return this.#write((now) => this.#uploads.reserve(head, upload, now));
  }

  /** Last step of an upload, after the object was written: the version is there, and current. */
  commitVersion(head: string, version: number): Promise<Committed | Refused> {
    return this.#write((now) => this.#uploads.commit(head, version, now));
  }

  activateVersion(head: string, version: number, percent: number): Promise<Pointer | Refused> {
    return this.#write(() => this.#heads.activate(head, version, percent));
  }

  removeVersion(head: string, version: number): Promise<Pointer | Refused> {
    return this.#write((now) => this.#heads.removeVersion(head, version, now));
  }

  nameVersion(head: string, name: string, version: number): Promise<Pointer | Refused> {
    return this.#write(() => this.#heads.nameVersion(head, name, version));
  }

  unnameVersion(head: string, name: string): Promise<Pointer | Refused> {
    return this.#write(() => this.#heads.unnameVersion(head, name));
  }

  shadowVersion(head: string, version: number | null): Promise<Pointer | Refused> {
    return this.#write(() => {
      if (version !== null) this.#usage.restartShadow(head);
      return this.#heads.shadow(head, version);
    });
  }

  configureHead(head: string, settings: HeadSettings): Promise<HeadSettings | Refused> {
    return this.#write(() => this.#heads.configure(head, settings));
  }

  headSettings(head: string): HeadSettings | null {
    return this.#exists && this.#heads.absent(head) === undefined ? this.#heads.settings(head) : null;
  }

  routing(head: string): Routing | null {
    const pointer = this.#exists ? this.#heads.pointer(head) : null;
    if (pointer === null || this.#heads.absent(head) !== undefined) return null;
    const { current, canary, shadow, names } = pointer;
    return {
      version: current,
      names,
      ...(canary === null ? {} : { canary }),
      ...(shadow === null ? {} : { shadow: { version: shadow, ...this.#usage.shadow(head, shadow) } }),
    };
  }

  /** What a backup holds; unfinished forgetting is finished first, so that nothing forgotten leaves the house. */
  async backupSurvey(): Promise<{ names: string[]; stamp: string }> {
    if (!this.#exists) return { names: [], stamp: '' };
    await this.#teaching.resume();
    return this.#backup.survey();
  }

  backupRecord(head: string): HeadRecord {
    return this.#backup.record(head);
  }

  backupExamples(head: string, after: string, limit: number): ExampleRecord[] {
    return this.#backup.examples(head, after, limit);
  }

  restoreBegin(): Promise<object | Refused> {
    return this.#write(() => {
      const { sql } = this.ctx.storage;
      const fault = this.#backup.assertEmpty();
      if (fault !== undefined) return fault;
      sql.exec("INSERT INTO marks VALUES ('restoring') ON CONFLICT DO NOTHING");
      return {};
    });
  }

  restoreTaught(row: BackupTaught): Promise<object | Refused> {
    return this.#restoring(() => this.#backup.restoreTaught(row));
  }

  restoreExamples(rows: readonly ExampleRecord[]): Promise<object | Refused> {
    return this.#restoring(() => this.#backup.restoreExamples(rows));
  }

  expectVersion(head: string, version: number, sha256: string): Promise<{ objectName: string } | Refused> {
    return this.#write((now) => ({ objectName: this.#backup.expectVersion(head, version, sha256, now) }));
  }

  restoreVersion(row: RestoredVersion): Promise<object | Refused> {
    return this.#restoring(() => this.#backup.restoreVersion(row));
  }

  restoreHead(row: BackupHead): Promise<object | Refused> {
    return this.#restoring(() => this.#backup.restoreHead(row));
  }

  restoreEnd(): Promise<object | Refused> {
    return this.#write(() => {
      this.ctx.storage.sql.exec("DELETE FROM marks WHERE name = 'restoring'");
      return {};
    });
  }

  /** A row of a backup; one that contradicts what came before is refused as the file's fault. */
  #restoring(change: () => Refused | undefined | void): Promise<object | Refused> {
    if (!this.#marked('restoring'))
      return Promise.resolve(refuse('conflict', 'No restore is under way here.'));
    return this.#write<object>(() => change() ?? {}).catch((error: unknown) => {
      if (!String(error).includes('constraint')) throw error;
      return refuse('invalid_request', 'The backup holds a row twice, or one that contradicts another.');
    });
  }

  #marked(name: 'restoring' | 'deleting'): boolean {
    return (
      this.#exists &&
      this.ctx.storage.sql.exec('SELECT 1 FROM marks WHERE name = ?', name).toArray().length > 0
    );
  }

  /**
   * Deletes the tenant: from now on no key works and nothing can be seen; objects and KV entries go right after, or by
   * the alarm, and the database as the last.
   */
  async destroy(): Promise<object | Refused> {
    if (!this.#exists || this.#marked('deleting'))
      return refuse('tenant_not_found', 'There is no such tenant.');
    const result = await this.#write((now) => {
      const { sql } = this.ctx.storage;
      sql.exec("INSERT INTO marks VALUES ('deleting')");
      sql.exec('UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?)', now);
      for (const { hash } of sql.exec<{ hash: string }>('SELECT hash FROM api_keys').toArray())
        this.#outbox.add('key', hash);
      for (const name of this.#backup.survey().names) {
        this.#examples.clear(name, now);
        this.#captures.clear(name);
        this.#heads.remove(name, now);
      }
      return {};
    });
    await this.#finishDeletion();
    return result;
  }

  /** The last step: uploads on their way may still leave objects, until their reservations end. */
  async #finishDeletion(): Promise<void> {
    const { sql } = this.ctx.storage;
    const left = sql.exec('SELECT 1 FROM outbox UNION ALL SELECT 1 FROM garbage LIMIT 1').toArray();
    if (left.length > 0) return;
    this.#exists = false;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  /** What isolates counted since they told last. */
  addUsage(counted: Counted): void {
    if (this.#exists) this.ctx.storage.transactionSync(() => this.#usage.add(counted));
  }

  usage(since: string): UsageDay[] {
    return this.#exists ? this.#usage.days(since) : [];
  }

  deleteHead(head: string): Promise<Pointer | Refused> {
    return this.#write((now) => {
      const live = this.#heads.live(head) !== undefined;
      if (!this.#examples.clear(head, now) && !live)
        return refuse('head_not_found', `There is no head '${head}'.`);
      this.#idempotency.forgetHead(head);
      this.#captures.clear(head);
      const pointer = this.#heads.remove(head, now);
      // Taught, but never trained: there was nothing for other stores to know.
      return 'refused' in pointer ? NO_POINTER : pointer;
    });
  }

  /** Stores labelled codes and trains the head with them: see teaching.ts. */
  teach(head: string, lesson: Lesson): Promise<TaughtResult | Refused> {
    return this.#known(() => this.#teaching.teach(head, lesson));
  }

  /** The uploaded head with whose codes a head is taught; null where those of the built-in backbone are wanted. */
  codeSpace(head: string): NonNullable<CodeOrigin['base']> | null {
    return (this.#exists ? this.#teaching.base(head) : undefined) ?? null;
  }

  train(head: string): Promise<TaughtResult | Refused> {
    return this.#known(() => this.#teaching.train(head));
  }

  forget(head: string, which: Forgetting): Promise<TaughtResult | Refused> {
    return this.#known(() => this.#teaching.forget(head, which));
  }

  relabel(head: string, id: string, label: string): Promise<TaughtResult | Refused> {
    return this.#known(() => this.#teaching.relabel(head, id, label));
  }

  report(head: string, version: number): VersionReport | null {
    return this.#exists ? this.#reports.find(head, version) : null;
  }

  capture(head: string, capture: Capture): void {
    if (!this.#exists || !this.#heads.settings(head).capture) return;
    this.ctx.storage.transactionSync(() => this.#captures.add(head, capture, Date.now()));
  }

  listCaptures(head: string): ReviewItem[] | null {
    return this.#exists && this.#heads.live(head) !== undefined ? this.#captures.list(head) : null;
  }

  /** What a person said of a captured prediction: its label, or null to take it off the queue. */
  feedback(
    head: string,
    id: string,
    label: string | null,
    origin: CodeOrigin,
  ): Promise<TaughtResult | Refused> {
    return this.#known(() => this.#teaching.feedback(head, id, label, origin));
  }

  listExamples(
    head: string,
    label: string | undefined,
    after: string | undefined,
    limit: number,
  ): ExampleList | null {
    if (!this.#exists || this.#examples.state(head) === undefined) return null;
    return this.#examples.list(head, label, after, limit);
  }

  override async alarm(): Promise<void> {
    if (!this.#exists) return;
    await this.#outbox.deliver(this.#render);
    if (this.#marked('deleting')) await this.#finishDeletion();
    else await this.#teaching.resume();
  }

  async #known<T>(task: () => Promise<T | Refused>): Promise<T | Refused> {
    return this.#exists ? task() : refuse('unauthorized', 'This tenant does not exist.');
  }

  /**
   * One change: a transaction, the alarm that would finish its errands after a crash (the same turn, so the same write
   * to disk), then the errands themselves. The answer waits for the first try, so that its caller finds KV up to date.
   */
  async #write<T extends object>(change: (now: number) => T | Refused): Promise<T | Refused> {
    if (!this.#exists || this.#marked('deleting'))
      return refuse('unauthorized', 'This tenant does not exist.');
    const now = Date.now();
    const result = this.ctx.storage.transactionSync(() => change(now));
    await this.#outbox.schedule(now);
    if (this.#outbox.pending) {
      await step(this.env, 'before the pointer');
      await this.#outbox.deliver(this.#render);
    }
    return result;
  }

  readonly #render: Render = (kind, subject) => {
    const { id } = this.#self();
    switch (kind) {
      case 'key':
        return { name: keyEntryName(subject), value: this.#keys.entry(id, subject) };
      case 'head': {
        const pointer = this.#heads.pointer(subject);
        return { name: pointerName(id, subject), value: pointer?.current == null ? null : pointer };
      }
      default:
        return kind satisfies never;
    }
  };

  #self(): TenantRow {
    return this.ctx.storage.sql.exec<TenantRow>('SELECT * FROM tenant').one();
  }
}
