/** Whether the tenant is there, who it is, and what it is in the middle of. */
import { hasTables, migrate } from './schema.ts';

/** What takes more than one transaction, and is known from its beginning to its end. */
export type Undertaking = 'restoring' | 'deleting';

export class Standing {
  readonly #storage: DurableObjectStorage;
  #exists: boolean;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    // A name that no tenant has must not become a database because someone asked for it.
    this.#exists = hasTables(storage.sql);
    if (this.#exists) migrate(storage);
  }

  get exists(): boolean {
    return this.#exists;
  }

  /** Whether it is there and not about to go. */
  get lasts(): boolean {
    return this.#exists && !this.is('deleting');
  }

  get id(): string {
    return this.#storage.sql.exec<{ id: string }>('SELECT id FROM tenant').one().id;
  }

  /** Makes its tables. */
  found(): void {
    migrate(this.#storage);
    this.#exists = true;
  }

  /** Repeating it changes nothing. */
  enter(id: string, name: string, now: number): void {
    this.#storage.sql.exec(
      'INSERT INTO tenant (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
      id,
      name,
      now,
    );
  }

  is(undertaking: Undertaking): boolean {
    const { sql } = this.#storage;
    return this.#exists && sql.exec('SELECT 1 FROM marks WHERE name = ?', undertaking).toArray().length > 0;
  }

  begin(undertaking: Undertaking): void {
    this.#storage.sql.exec('INSERT INTO marks VALUES (?) ON CONFLICT DO NOTHING', undertaking);
  }

  end(undertaking: Undertaking): void {
    this.#storage.sql.exec('DELETE FROM marks WHERE name = ?', undertaking);
  }

  /** Nothing is left of it. */
  async vanish(): Promise<void> {
    this.#exists = false;
    await this.#storage.deleteAlarm();
    await this.#storage.deleteAll();
  }
}
