/** Whether the tenant is there, who it is, and what it is in the middle of. */
import { refuse, type Refused } from './refused.ts';
import { hasTables, migrate } from './schema.ts';
import { sqlOf, Table } from './sql.ts';

const DELETING = 'deleting';
/** Followed by the time of the second pass of a deletion. */
const SWEEP = 'deleting ';
const RESTORING = 'restoring ';
const RESTORED = 'restored ';
const UNDOING = 'undoing';

export class Standing extends Table {
  readonly #storage: DurableObjectStorage;
  #exists: boolean;

  constructor(storage: DurableObjectStorage) {
    super(sqlOf(storage.sql));
    this.#storage = storage;
    // A name that no tenant has must not become a database because someone called it.
    this.#exists = hasTables(storage.sql);
    if (this.#exists) migrate(storage);
  }

  get exists(): boolean {
    return this.#exists;
  }

  /** Whether it is there and not about to go. */
  get lasts(): boolean {
    return this.#exists && !this.isDeleting;
  }

  get id(): string {
    return this.sql<{ id: string }>`SELECT id FROM tenant`[0].id;
  }

  /** Makes its tables. */
  found(): void {
    migrate(this.#storage);
    this.#exists = true;
  }

  /** Repeating it changes nothing. */
  enter(id: string, name: string, now: number): void {
    this.sql`INSERT INTO tenant (id, name, created_at) VALUES (${id}, ${name}, ${now})
      ON CONFLICT (id) DO NOTHING`;
  }

  get isDeleting(): boolean {
    return this.#marks().some((mark) => mark === DELETING || mark.startsWith(SWEEP));
  }

  /** @param sweepAt when what came in meanwhile is deleted, and then the database. */
  beginDeleting(sweepAt: number): void {
    this.sql`INSERT INTO marks VALUES (${SWEEP + sweepAt})`;
  }

  get sweepAt(): number {
    return Number(this.#marked(SWEEP) ?? 0);
  }

  /** The name of the restore that is under way, or that broke off and nobody gave up. */
  get restoring(): string | undefined {
    return this.#marked(RESTORING);
  }

  beginRestore(attempt: string): void {
    this.sql`INSERT INTO marks VALUES (${RESTORING + attempt})`;
  }

  /** The name of the one that came to its end. */
  get restored(): string | undefined {
    return this.#marked(RESTORED);
  }

  /** All of it came in. */
  endRestore(): void {
    this.#turnRestoring((attempt) => RESTORED + attempt);
  }

  /** Why heads can't be changed now, or undefined: while there is a restore, nothing else does. */
  headsLocked(): Refused | undefined {
    if (!this.lasts) return refuse('unauthorized', 'This tenant does not exist.');
    if (this.isUndoing)
      return refuse(
        'conflict',
        'A restore was given up, and its rows are being deleted. Try again in a moment.',
      );
    return this.restoring === undefined
      ? undefined
      : refuse('conflict', 'A restore is under way, or broke off: repeat it, or delete the tenant.');
  }

  /** Whether what a restore brought is being taken back: see RestoreUndo. */
  get isUndoing(): boolean {
    return this.#marks().includes(UNDOING);
  }

  /** The restore under way is given up. */
  beginUndo(): void {
    this.#turnRestoring(() => UNDOING);
  }

  endUndo(): void {
    this.sql`DELETE FROM marks WHERE name = ${UNDOING}`;
  }

  #turnRestoring(into: (attempt: string) => string): void {
    const attempt = this.restoring;
    if (attempt === undefined) return;
    this.sql`UPDATE marks SET name = ${into(attempt)} WHERE name = ${RESTORING + attempt}`;
  }

  #marked(kind: string): string | undefined {
    return this.#marks()
      .find((mark) => mark.startsWith(kind))
      ?.slice(kind.length);
  }

  /** What takes more than one transaction, and is known from its beginning to its end. */
  #marks(): string[] {
    if (!this.#exists) return [];
    return this.sql<{ name: string }>`SELECT name FROM marks`.map(({ name }) => name);
  }

  /** Nothing is left of it. */
  async vanish(): Promise<void> {
    this.#exists = false;
    await this.#storage.deleteAlarm();
    await this.#storage.deleteAll();
  }
}
