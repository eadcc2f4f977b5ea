/** The tenant itself: made, set up and deleted. */
import { DEFAULT_TENANT_SETTINGS, type KeySummary, type TenantSettings } from '../../src/api/index.ts';
import type { NewKey } from './keys.ts';
import type { Refused } from './refused.ts';
import type { Removal } from './removal.ts';
import type { Rows } from './rows.ts';
import { TenantTarget } from './target.ts';
import type { Write } from './writer.ts';

export class Lifecycle extends TenantTarget {
  readonly #removal: Removal;

  constructor(rows: Rows, write: Write, removal: Removal) {
    super(rows, write);
    this.#removal = removal;
  }

  /** Makes the tenant with its first key. Repeating the call changes nothing. */
  async create(id: string, name: string, key: NewKey): Promise<KeySummary | Refused> {
    this.rows.standing.found();
    return this.write((now) => {
      this.rows.standing.enter(id, name, now);
      this.rows.outbox.add('tenant', id);
      return this.rows.keys.create(key, now);
    });
  }

  destroy(): Promise<object | Refused> {
    return this.#removal.tenant();
  }

  settings(): TenantSettings {
    return this.exists ? this.rows.pictures.settings() : DEFAULT_TENANT_SETTINGS;
  }

  configure(settings: TenantSettings): Promise<TenantSettings | Refused> {
    return this.write((now) => this.rows.pictures.configure(settings, now));
  }
}
