/** Deleting a head with all that belongs to it, or the tenant with all its heads. */
import type { Env } from '../env.ts';
import { Records } from '../protocols/custom-vision/records.ts';
import { DELETION_SWEEP_MS } from '../limits.ts';
import type { Pointer } from '../stores/layout.ts';
import { refuse, type Refused } from './call.ts';
import type { Rows } from './rows.ts';
import type { Write } from './writer.ts';

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

export class Removal {
  readonly #rows: Rows;
  readonly #write: Write;
  readonly #stores: Pick<Env, 'HEADS'>;

  constructor(rows: Rows, write: Write, stores: Pick<Env, 'HEADS'>) {
    this.#rows = rows;
    this.#write = write;
    this.#stores = stores;
  }

  head(head: string): Promise<Pointer | Refused> {
    return this.#write((now) => {
      if (this.#rows.heads.live(head) === undefined && this.#rows.examples.revision(head) === undefined)
        return refuse('head_not_found', `There is no head '${head}'.`);
      const pointer = this.#clear(head, now);
      this.#rows.deletedHeads.prune();
      // Taught, but never trained: there was nothing for other stores to know.
      return 'refused' in pointer ? NO_POINTER : pointer;
    });
  }

  /**
   * From now on no key works and nothing can be seen; objects and KV entries go right after, or by the alarm, and the
   * database as the last.
   */
  async tenant(): Promise<object | Refused> {
    if (!this.#rows.standing.lasts) return refuse('tenant_not_found', 'There is no such tenant.');
    const result = await this.#write((now) => {
      this.#rows.standing.beginDeleting(now + DELETION_SWEEP_MS);
      this.#rows.outbox.add('tenant', this.#rows.standing.id);
      this.#rows.keys.revokeAll(now);
      for (const head of this.#rows.heads.everyName()) this.#clear(head, now);
      return {};
    });
    await this.finish();
    return result;
  }

  /**
   * Deletes the records, at once and by the alarm again, when nobody can write any more who was let in before the deletion;
   * then the database. Uploads on their way may leave objects until their reservations end.
   */
  async finish(): Promise<void> {
    const { outbox, standing } = this.#rows;
    if (!outbox.isEmpty) return;
    try {
      await new Records(this.#stores, standing.id).deleteAll();
    } catch (error) {
      // The alarm is set as long as the tenant is being deleted.
      console.warn(JSON.stringify({ message: 'deletion postponed', reason: String(error) }));
      return;
    }
    if (Date.now() >= standing.sweepAt) await standing.vanish();
  }

  #clear(head: string, now: number): Pointer | Refused {
    this.#rows.examples.clear(head, now);
    this.#rows.idempotency.forgetHead(head);
    this.#rows.captures.clear(head);
    this.#rows.usage.clearShadow(head);
    return this.#rows.heads.remove(head, now);
  }
}
