/** The tenant's API keys, for the Worker. */
import type { KeySummary } from '../../src/api/index.ts';
import type { FoundKey, NewKey, Rotated } from './keys.ts';
import type { Refused } from './refused.ts';
import { TenantTarget } from './target.ts';

export class KeyTarget extends TenantTarget {
  /** @param which a key's hash, or its id. */
  find(which: string): FoundKey {
    return this.rows.standing.exists ? this.rows.keys.find(which) : { status: 'unknown' };
  }

  list(): KeySummary[] {
    return this.exists ? this.rows.keys.list() : [];
  }

  create(key: NewKey): Promise<KeySummary | Refused> {
    return this.write((now) => this.rows.keys.create(key, now));
  }

  /** A new key in the place of another, which stops working. */
  rotate(id: string, key: Pick<NewKey, 'id' | 'hash'>): Promise<Rotated | Refused> {
    return this.write((now) => this.rows.keys.rotate(id, key, now));
  }

  revoke(id: string): Promise<{ hash: string } | Refused> {
    return this.write((now) => this.rows.keys.revoke(id, now));
  }
}
