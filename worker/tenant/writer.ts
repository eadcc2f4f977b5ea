/** Changes of the tenant's truth, and what KV is to hold after them. */
import { keyEntryName, pointerName, tenantEntryName } from '../stores/layout.ts';
import { giveWay } from '../isolate/right-of-way.ts';
import { refuse, type Refused } from './refused.ts';
import type { Render } from './outbox.ts';
import type { Rows } from './rows.ts';

/** One change, or why there was none. */
export type Write = <T extends object>(change: (now: number) => T | Refused) => Promise<T | Refused>;

export class Writer {
  readonly #storage: DurableObjectStorage;
  readonly #rows: Rows;

  constructor(storage: DurableObjectStorage, rows: Rows) {
    this.#storage = storage;
    this.#rows = rows;
  }

  /**
   * A transaction, the alarm that would finish its errands after a crash (the same turn, so the same write to disk), then
   * the errands themselves. The answer waits for the first try, so that its caller finds KV up to date.
   */
  readonly write: Write = async (change) => {
    if (!this.#rows.standing.lasts) return refuse('unauthorized', 'This tenant does not exist.');
    const now = Date.now();
    const result = this.#storage.transactionSync(() => change(now));
    await this.#rows.outbox.schedule(now);
    if (this.#rows.outbox.pending) {
      await giveWay();
      await this.deliver();
    }
    return result;
  };

  /** The same for what changes heads, which nothing but a restore does while there is one. */
  readonly writeHeads: Write = async (change) => this.#rows.standing.headsLocked() ?? this.write(change);

  /** A step of what takes many, as the alarm does it: one transaction of bounded size, and its errands. */
  async advance(): Promise<void> {
    this.#storage.transactionSync(() => {
      const now = Date.now();
      this.#rows.heads.descriptions.bringUp();
      this.#rows.pictures.sweep(now);
      this.#rows.undo.step(now);
    });
    await this.deliver();
  }

  /** What other stores still have to hear of. */
  deliver(): Promise<void> {
    return this.#rows.outbox.deliver(this.#render);
  }

  readonly #render: Render = (kind, subject) => {
    const { id } = this.#rows.standing;
    switch (kind) {
      case 'tenant':
        return { name: tenantEntryName(subject), value: this.#rows.standing.isDeleting ? null : {} };
      case 'key':
        return { name: keyEntryName(subject), value: this.#rows.keys.entry(id, subject) };
      case 'head': {
        const pointer = this.#rows.standing.isDeleting ? null : this.#rows.heads.pointer(subject);
        return { name: pointerName(id, subject), value: pointer?.current == null ? null : pointer };
      }
      default:
        return kind satisfies never;
    }
  };
}
