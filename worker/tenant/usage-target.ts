/** What the tenant did, for the Worker. */
import type { UsageDay } from '../../src/api/index.ts';
import { TenantTarget } from './target.ts';
import type { Counted } from './usage.ts';

export class UsageTarget extends TenantTarget {
  /** What isolates counted since they told last. */
  add(counted: Counted): void {
    if (this.exists) this.rows.storage.transactionSync(() => this.rows.usage.add(counted));
  }

  /** @param since a day, YYYY-MM-DD; it and later ones, oldest first. */
  days(since: string): UsageDay[] {
    return this.exists ? this.rows.usage.days(since) : [];
  }
}
