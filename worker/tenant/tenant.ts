/**
 * One tenant's truth: a Durable Object with its own SQLite database, the single writer of keys, heads and versions. KV
 * and R2 hold what it says; a crash between the stores leaves notes from which its alarm does the rest (outbox.ts).
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
  HeadList,
  KeySummary,
  Rebase,
  ReviewItem,
  Routing,
  UsageDay,
} from '../../src/api/index.ts';
import type { VersionReport } from '../../src/api/report.ts';
import type { StoreBindings } from '../stores/bindings.ts';
import type { StepListener } from './steps.ts';
import type { Pointer } from '../stores/layout.ts';
import type { HeadRecord } from './backup/records.ts';
import type { ExampleRecord } from './teach/example.ts';
import { refuse, type Refused } from './refused.ts';
import type { Capture } from './teach/captures.ts';
import { headDetail, headList, routing } from './heads/describe.ts';
import type { CodeOrigin } from './code-origin.ts';
import type { Forgetting, TaughtState } from './teach/examples.ts';
import type { ExpectedPictures } from './teach/kept-pictures.ts';
import type { FoundKey, NewKey, Rotated } from './keys.ts';
import { Rebasing, type Moved, type RebasePage } from './rebase/rebase.ts';
import { Removal } from './removal.ts';
import { Restore, type RestoredVersion, type VersionFile } from './backup/restore.ts';
import { openRows } from './rows.ts';
import type { MadeCode } from './rebase/second-codes.ts';
import { Teaching, type Lesson, type SettledSpace, type TaughtResult } from './teach/teaching.ts';
import { Training } from './teach/training.ts';
import type { Committed, Reservation, Upload } from './heads/uploads.ts';
import type { Counted } from './usage.ts';
import { Writer } from './writer.ts';

export class Tenant extends DurableObject<StoreBindings & StepListener> {
  readonly #rows = openRows(this.ctx.storage, this.env);
  readonly #writer = new Writer(this.ctx.storage, this.#rows, this.env);
  readonly #write = this.#writer.write;
  readonly #training = new Training(this.#rows, this.#write, this.env);
  readonly #teaching = new Teaching(this.#rows, this.#write, this.#training, this.env);
  readonly #rebasing = new Rebasing(this.#rows, this.#write, this.#training, this.env);
  readonly #restore = new Restore(this.#rows, this.#write);
  readonly #removal = new Removal(this.#rows, this.#write, this.env);

  /** Makes the tenant with its first key. Repeating the call changes nothing. */
  async create(id: string, name: string, key: NewKey): Promise<KeySummary | Refused> {
    this.#rows.standing.found();
    return this.#write((now) => {
      this.#rows.standing.enter(id, name, now);
      this.#rows.outbox.add('tenant', id);
      return this.#rows.keys.create(key, now);
    });
  }

  settings(): TenantSettings {
    return this.#exists ? this.#rows.pictures.settings() : DEFAULT_TENANT_SETTINGS;
  }

  configure(settings: TenantSettings): Promise<TenantSettings | Refused> {
    return this.#write((now) => this.#rows.pictures.configure(settings, now));
  }

  /** Before pictures of examples are written to R2: their names there, or null where none are kept. */
  expectPictures(head: string, sizes: readonly number[]): Promise<ExpectedPictures | Refused> {
    if (this.#exists && !this.#rows.pictures.settings().keep_images) return Promise.resolve({ images: null });
    return this.#write((now) => this.#rows.pictures.expect(head, sizes, now));
  }

  exampleImage(head: string, id: string): string | null {
    return this.#exists ? this.#rows.pictures.find(head, id) : null;
  }

  findKey(which: string): FoundKey {
    return this.#rows.standing.exists ? this.#rows.keys.find(which) : { status: 'unknown' };
  }

  listKeys(): KeySummary[] {
    return this.#exists ? this.#rows.keys.list() : [];
  }

  createKey(key: NewKey): Promise<KeySummary | Refused> {
    return this.#write((now) => this.#rows.keys.create(key, now));
  }

  /** A new key in the place of another, which stops working. */
  rotateKey(id: string, key: Pick<NewKey, 'id' | 'hash'>): Promise<Rotated | Refused> {
    return this.#write((now) => this.#rows.keys.rotate(id, key, now));
  }

  revokeKey(id: string): Promise<{ hash: string } | Refused> {
    return this.#write((now) => this.#rows.keys.revoke(id, now));
  }

  listHeads(after: string, limit: number): HeadList {
    return headList(this.#exists ? this.#rows.heads.list(after, limit + 1) : [], limit);
  }

  describeHead(head: string): HeadDetail | null {
    const row = this.#exists ? this.#rows.heads.live(head) : undefined;
    return row === undefined ? null : headDetail(this.#rows.heads, row);
  }

  pointer(head: string): Pointer | null {
    return this.#exists ? this.#rows.heads.pointer(head) : null;
  }

  /** First step of an upload: a number and a name for the object. Nothing can be seen of it. */
  reserveVersion(head: string, upload: Upload): Promise<Reservation | Refused> {
    return this.#settled(() => this.#write((now) => this.#rows.uploads.reserve(head, upload, now)));
  }

  /** Last step of an upload, after the object was written: the version is there, and current. */
  commitVersion(head: string, version: number): Promise<Committed | Refused> {
    return this.#write((now) => this.#rows.uploads.commit(head, version, now));
  }

  activateVersion(head: string, version: number, percent: number): Promise<Pointer | Refused> {
    return this.#settled(() => this.#write(() => this.#rows.heads.activate(head, version, percent)));
  }

  removeVersion(head: string, version: number): Promise<Pointer | Refused> {
    return this.#settled(() => this.#write((now) => this.#rows.heads.removeVersion(head, version, now)));
  }

  nameVersion(head: string, name: string, version: number): Promise<Pointer | Refused> {
    return this.#settled(() => this.#write(() => this.#rows.heads.nameVersion(head, name, version)));
  }

  unnameVersion(head: string, name: string): Promise<Pointer | Refused> {
    return this.#settled(() => this.#write(() => this.#rows.heads.unnameVersion(head, name)));
  }

  shadowVersion(head: string, version: number | null): Promise<Pointer | Refused> {
    return this.#settled(() =>
      this.#write(() => {
        const changed = this.#rows.heads.shadow(head, version);
        if (!('refused' in changed)) this.#rows.usage.clearShadow(head);
        return changed;
      }),
    );
  }

  configureHead(head: string, settings: HeadSettings): Promise<HeadSettings | Refused> {
    return this.#settled(() => this.#write(() => this.#rows.heads.configure(head, settings)));
  }

  headSettings(head: string): HeadSettings | null {
    return this.#has(head) ? this.#rows.heads.settings(head) : null;
  }

  routing(head: string): Routing | null {
    const pointer = this.#has(head) ? this.#rows.heads.pointer(head) : null;
    return pointer && routing(pointer, (version) => this.#rows.usage.shadow(head, version));
  }

  /** What a backup holds; unfinished forgetting is finished first, so that no backup holds what was forgotten. */
  backupSurvey(): Promise<{ names: string[]; stamp: string } | Refused> {
    return this.#settled(async () => {
      await this.#teaching.resume();
      return this.#rows.backup.survey();
    });
  }

  backupRecord(head: string): HeadRecord {
    return this.#exists ? this.#rows.backup.record(head) : { head: null, taught: null, versions: [] };
  }

  backupExamples(head: string, after: string, limit: number): ExampleRecord[] {
    return this.#exists ? this.#rows.backup.examples(head, after, limit) : [];
  }

  restoreBegin(attempt: string): Promise<object | Refused> {
    return this.#restore.begin(attempt);
  }

  restoreRow(attempt: string, row: BackupTaught | BackupHead): Promise<object | Refused> {
    return row.row === 'taught' ? this.#restore.taught(attempt, row) : this.#restore.head(attempt, row);
  }

  restoreExamples(attempt: string, rows: readonly ExampleRecord[]): Promise<object | Refused> {
    return this.#restore.examples(attempt, rows);
  }

  expectVersion(attempt: string, version: VersionFile): Promise<{ objectName: string } | Refused> {
    return this.#restore.expectVersion(attempt, version);
  }

  restoreVersion(attempt: string, row: RestoredVersion): Promise<object | Refused> {
    return this.#restore.version(attempt, row);
  }

  restoreEnd(attempt: string, whole: boolean): Promise<{ whole: boolean } | Refused> {
    return this.#restore.end(attempt, whole);
  }

  /** Deletes the tenant. */
  destroy(): Promise<object | Refused> {
    return this.#removal.tenant();
  }

  /** What isolates counted since they told last. */
  addUsage(counted: Counted): void {
    if (this.#rows.standing.lasts) this.ctx.storage.transactionSync(() => this.#rows.usage.add(counted));
  }

  usage(since: string): UsageDay[] {
    return this.#exists ? this.#rows.usage.days(since) : [];
  }

  deleteHead(head: string): Promise<Pointer | Refused> {
    return this.#settled(() => this.#removal.head(head));
  }

  /** Stores labelled codes and trains the head with them: see teaching.ts. */
  teach(head: string, lesson: Lesson): Promise<TaughtResult | Refused> {
    return this.#settled(() => this.#teaching.teach(head, lesson));
  }

  /** What the codes of a head's examples are of, as far as that is settled. */
  codeSpace(head: string): SettledSpace {
    return this.#exists ? this.#teaching.settled(head) : {};
  }

  /** How far a head is on its way to the default code space: see rebase.ts, also for the four steps below. */
  rebase(head: string, origin: CodeOrigin): Promise<Rebase | Refused> {
    return this.#settled(() => Promise.resolve(this.#rebasing.look(head, origin)));
  }

  rebasePage(head: string, origin: CodeOrigin): Promise<RebasePage | Refused> {
    return this.#settled(() => this.#rebasing.page(head, origin));
  }

  storeRebased(head: string, origin: CodeOrigin, made: readonly MadeCode[]): Promise<Rebase | Refused> {
    return this.#settled(() => this.#rebasing.store(head, origin, made));
  }

  finishRebase(head: string, origin: CodeOrigin): Promise<Moved | Refused> {
    return this.#settled(() => this.#rebasing.finish(head, origin));
  }

  giveUpRebase(head: string, origin: CodeOrigin): Promise<Rebase | Refused> {
    return this.#settled(() => this.#rebasing.giveUp(head, origin));
  }

  train(head: string): Promise<TaughtResult | Refused> {
    return this.#settled(() => this.#teaching.train(head));
  }

  forget(head: string, which: Forgetting): Promise<TaughtResult | Refused> {
    return this.#settled(() => this.#teaching.forget(head, which));
  }

  relabel(head: string, id: string, label: string): Promise<TaughtResult | Refused> {
    return this.#settled(() => this.#teaching.relabel(head, id, label));
  }

  report(head: string, version: number): VersionReport | null {
    return this.#exists ? this.#rows.reports.find(head, version) : null;
  }

  capture(head: string, capture: Capture): void {
    if (!this.#exists || !this.#rows.heads.settings(head).capture) return;
    this.ctx.storage.transactionSync(() => this.#rows.captures.add(head, capture, Date.now()));
  }

  listCaptures(head: string): ReviewItem[] | null {
    return this.#exists && this.#rows.heads.live(head) !== undefined ? this.#rows.captures.list(head) : null;
  }

  /** What a person said of a captured prediction: its label, or null to take it off the queue. */
  feedback(
    head: string,
    id: string,
    label: string | null,
    origin: CodeOrigin,
  ): Promise<TaughtResult | Refused> {
    return this.#settled(() => this.#teaching.feedback(head, id, label, origin));
  }

  listExamples(
    head: string,
    label: string | undefined,
    after: string | undefined,
    limit: number,
  ): ExampleList | null {
    if (!this.#exists || this.#rows.examples.state(head) === undefined) return null;
    return this.#rows.examples.list(head, label, after, limit);
  }

  /** How many examples each class of a head has. */
  taughtClasses(head: string): TaughtState['classes'] {
    return (this.#exists ? this.#rows.examples.state(head)?.classes : undefined) ?? [];
  }

  override async alarm(): Promise<void> {
    const { standing } = this.#rows;
    if (!standing.exists) return;
    await this.#writer.advance();
    if (standing.isDeleting) await this.#removal.finish();
    else if (standing.exists) await this.#teaching.resume();
  }

  /** Of one that is being deleted nothing can be seen, though its rows are there to the end. */
  get #exists(): boolean {
    return this.#rows.standing.lasts;
  }

  #has(head: string): boolean {
    return this.#exists && this.#rows.heads.absent(head) === undefined;
  }

  /** What changes heads, which nothing but a restore does while there is one. */
  async #settled<T>(task: () => Promise<T | Refused>): Promise<T | Refused> {
    if (!this.#exists) return refuse('unauthorized', 'This tenant does not exist.');
    const { restoring, isUndoing } = this.#rows.standing;
    if (isUndoing)
      return refuse(
        'conflict',
        'A restore was given up, and its rows are being deleted. Try again in a moment.',
      );
    if (restoring === undefined) return task();
    return refuse('conflict', 'A restore is under way, or broke off: repeat it, or delete the tenant.');
  }
}
