/** Deleting a head with all that belongs to it, or the tenant with all its heads. */
import type { StoreBindings } from '../stores/bindings.ts';
import { DELETION_SWEEP_MS } from '../limits.ts';
import { deleteBelow } from '../stores/delete-below.ts';
import { headFolder, imageFolder, Pointer } from '../stores/layout.ts';
import { refuse, type Refused } from './refused.ts';
import type { Rows } from './rows.ts';
import type { Write } from './writer.ts';

/** Where objects of a tenant are in R2: the beginning of their names. */
export type Folder = (tenant: string) => string;

/** Of a name that no store knows. */
const NO_POINTER = Pointer.parse({ revision: 0, current: null, versions: {} });

export class Removal {
  readonly #rows: Rows;
  readonly #write: Write;
  readonly #stores: Pick<StoreBindings, 'HEADS'>;
  readonly #folders: readonly Folder[];

  /** @param others what goes with the tenant besides head files and pictures. */
  constructor(
    rows: Rows,
    write: Write,
    stores: Pick<StoreBindings, 'HEADS'>,
    others: readonly Folder[] = [],
  ) {
    this.#rows = rows;
    this.#write = write;
    this.#stores = stores;
    this.#folders = [headFolder, imageFolder, ...others];
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
   * From now on no key works and nothing can be read. A page of each kind of objects and KV entries go right after, the
   * rest by the alarm, and the database as a whole as the last: no transaction touches what there may be very many of.
   */
  async tenant(): Promise<object | Refused> {
    if (!this.#rows.standing.lasts) return refuse('tenant_not_found', 'There is no such tenant.');
    const result = await this.#write((now) => {
      this.#rows.standing.beginDeleting(now + DELETION_SWEEP_MS);
      this.#rows.outbox.add('tenant', this.#rows.standing.id);
      this.#rows.keys.revokeAll(now);
      this.#rows.heads.retractAll();
      // No alarm waits for this any more.
      this.#rows.sql`UPDATE taught_heads SET forgotten_from = NULL WHERE forgotten_from IS NOT NULL`;
      this.#rows.sql`UPDATE tenant SET swept_head = NULL`;
      this.#rows.standing.endUndo();
      return {};
    });
    if (!(await this.finish(1))) await this.#rows.outbox.wake();
    return result;
  }

  /**
   * Deletes the objects, at once and by the alarm again, when nobody can write any more who was let in before the deletion;
   * then the database. Uploads on their way may leave objects until their reservations end. After a crash the alarm begins
   * with whatever is left.
   * @param pages of each kind of objects, at the most.
   * @returns false where there are more.
   */
  async finish(pages = Infinity): Promise<boolean> {
    const { outbox, standing } = this.#rows;
    const isLast = Date.now() >= standing.sweepAt;
    // Errands that wait for their time.
    if (isLast && !outbox.isEmpty) return true;
    try {
      for (const folder of this.#folders)
        if (!(await deleteBelow(this.#stores.HEADS, folder(standing.id), pages))) return false;
    } catch (error) {
      // The alarm is set as long as the tenant is being deleted.
      console.warn(JSON.stringify({ message: 'deletion postponed', reason: String(error) }));
      return true;
    }
    if (isLast) await standing.vanish();
    return true;
  }

  #clear(head: string, now: number): Pointer | Refused {
    this.#rows.examples.clear(head, now);
    this.#rows.idempotency.forgetHead(head);
    this.#rows.captures.clear(head);
    this.#rows.usage.clearShadow(head);
    return this.#rows.heads.remove(head, now);
  }
}
