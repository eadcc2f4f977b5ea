/**
 * What the other stores still have to hear of. A transaction that changes a head or a key records here which KV entry is
 * out of date, and an R2 object is recorded as garbage before it is written; so a crash at any point leaves a row, and an
 * alarm that does the rest. KV entries are computed when they are written, never stored, so the newest always wins.
 */
import { R2_DELETE_BATCH, RETRY_FIRST_MS, RETRY_MAX_MS } from '../limits.ts';
import { sqlOf, Table } from './sql.ts';

export type OutboxKind = 'head' | 'key' | 'tenant';

/** As much of the bindings as is used. */
export interface Stores {
  readonly POINTERS: {
    put(name: string, value: string): Promise<void>;
    delete(name: string): Promise<void>;
  };
  readonly HEADS: {
    get(name: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
    put(name: string, value: Uint8Array, options: { sha256: string }): Promise<unknown>;
    delete(names: string[]): Promise<void>;
  };
}

interface OutboxRow extends Record<string, SqlStorageValue> {
  kind: OutboxKind;
  subject: string;
  sequence: number;
}

/** What KV should hold now: a name and a value, or null to delete the name. */
export type Render = (
  kind: OutboxKind,
  subject: string,
) => { readonly name: string; readonly value: object | null };

export class Outbox extends Table {
  readonly #storage: DurableObjectStorage;
  readonly #stores: Stores;
  #delivered: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(storage: DurableObjectStorage, stores: Stores) {
    super(sqlOf(storage.sql));
    this.#storage = storage;
    this.#stores = stores;
  }

  /** Records that a KV entry is out of date. To be called in the transaction that made it so. */
  add(kind: OutboxKind, subject: string): void {
    this.sql`INSERT INTO outbox (kind, subject, sequence) VALUES (${kind}, ${subject}, 1)
      ON CONFLICT (kind, subject) DO UPDATE SET sequence = sequence + 1`;
  }

  /** Records that an object is to be deleted when due; recording it again moves the time. */
  discard(objectName: string, dueAt: number): void {
    this.sql`INSERT INTO garbage VALUES (${objectName}, ${dueAt})
      ON CONFLICT (object_name) DO UPDATE SET due_at = excluded.due_at`;
  }

  /** Takes an object off the garbage. */
  keep(objectName: string): void {
    this.sql`DELETE FROM garbage WHERE object_name = ${objectName}`;
  }

  /** Whether an object is recorded as garbage of a later time: one that is being written. */
  expects(objectName: string, now: number): boolean {
    return this.sql`SELECT 1 FROM garbage WHERE object_name = ${objectName} AND due_at > ${now}`.length > 0;
  }

  /** Whether there is nothing left to do, now or later. */
  get isEmpty(): boolean {
    return this.sql`SELECT 1 FROM outbox UNION ALL SELECT 1 FROM garbage LIMIT 1`.length === 0;
  }

  /** Whether something could be done now. */
  get pending(): boolean {
    const due = this.sql`
      SELECT 1 FROM outbox UNION ALL SELECT 1 FROM garbage WHERE due_at <= ${Date.now()} LIMIT 1`;
    return due.length > 0;
  }

  /**
   * Sets the alarm for the next thing to do. Called in the same turn as a transaction, it is stored with it, all or
   * nothing.
   */
  async schedule(now: number): Promise<void> {
    const [{ waiting, sweeping, due }] = this.sql<{ waiting: number; sweeping: number; due: number | null }>`
      SELECT EXISTS (SELECT 1 FROM outbox) OR
          EXISTS (SELECT 1 FROM taught_heads WHERE forgotten_from IS NOT NULL) OR
          EXISTS (SELECT 1 FROM versions WHERE summary IS NULL) AS waiting,
        EXISTS (SELECT 1 FROM tenant WHERE swept_head IS NOT NULL) OR
          EXISTS (SELECT 1 FROM marks WHERE name = 'undoing') AS sweeping,
        (SELECT min(due_at) FROM garbage) AS due`;
    const retryAt = now + Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures);
    // Garbage that is due but still there is a deletion that failed.
    const times = [
      ...(waiting > 0 ? [retryAt] : []),
      ...(sweeping > 0 ? [now] : []),
      ...[due, this.#sweepAt()].flatMap((at) => (at === null ? [] : [at > now ? at : retryAt])),
    ];
    if (times.length > 0) await this.#storage.setAlarm(Math.min(...times));
    else await this.#storage.deleteAlarm();
  }

  /** Sets the alarm for now. */
  async wake(): Promise<void> {
    await this.#storage.setAlarm(Date.now());
  }

  /** Of a tenant that is being deleted: when the rest of it goes. */
  #sweepAt(): number | null {
    const [{ at }] = this.sql<{ at: number | null }>`
      SELECT min(CAST(substr(name, 9) AS INTEGER)) AS at FROM marks
        WHERE name = 'deleting' OR name LIKE 'deleting %'`;
    return at;
  }

  /**
   * Writes what is out of date and deletes what is due. One delivery at a time, so that an older KV value can't overtake
   * a newer one. Never rejects for a store that fails: what failed stays recorded, and the alarm is set.
   */
  deliver(render: Render): Promise<void> {
    this.#delivered = this.#delivered.then(() => this.#deliverNow(render));
    return this.#delivered;
  }

  /** When no delivery is under way any more. */
  idle(): Promise<void> {
    return this.#delivered;
  }

  async #deliverNow(render: Render): Promise<void> {
    // One store's failure is no reason to keep the other waiting.
    const done = await Promise.allSettled([this.#writeEntries(render), this.#deleteGarbage()]);
    const reasons = done.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
    this.#failures = reasons.length === 0 ? 0 : this.#failures + 1;
    if (reasons.length > 0) {
      console.warn(
        JSON.stringify({
          message: 'delivery postponed',
          failures: this.#failures,
          reason: reasons.join('; '),
        }),
      );
    }
    await this.schedule(Date.now());
  }

  async #writeEntries(render: Render): Promise<void> {
    for (;;) {
      const [row] = this.sql<OutboxRow>`SELECT * FROM outbox LIMIT 1`;
      if (row === undefined) return;
      const { kind, subject, sequence } = row;
      const { name, value } = render(kind, subject);
      if (value === null) await this.#stores.POINTERS.delete(name);
      else await this.#stores.POINTERS.put(name, JSON.stringify(value));
      // Changed again meanwhile: the row stays and is written once more.
      this.sql`DELETE FROM outbox WHERE kind = ${kind} AND subject = ${subject} AND sequence = ${sequence}`;
    }
  }

  async #deleteGarbage(): Promise<void> {
    for (;;) {
      const now = Date.now();
      const due = this.sql<{ object_name: string }>`
        SELECT object_name FROM garbage WHERE due_at <= ${now} LIMIT ${R2_DELETE_BATCH}`;
      const names = due.map((row) => row.object_name);
      if (names.length === 0) return;
      await this.#stores.HEADS.delete(names);
      // One that is to be written again meanwhile stays recorded.
      for (const name of names)
        this.sql`DELETE FROM garbage WHERE object_name = ${name} AND due_at <= ${now}`;
    }
  }
}
