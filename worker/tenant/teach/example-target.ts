/** What a head was taught, and the predictions that wait for a label, for the Worker. */
import type { ExampleList, ReviewItem } from '../../../src/api/index.ts';
import type { Refused } from '../refused.ts';
import { TenantTarget } from '../target.ts';
import type { Capture } from './captures.ts';
import type { TaughtState } from './examples.ts';
import type { ExpectedPictures } from './kept-pictures.ts';

export class ExampleTarget extends TenantTarget {
  list(
    head: string,
    label: string | undefined,
    after: string | undefined,
    limit: number,
  ): ExampleList | null {
    if (!this.exists || this.rows.examples.state(head) === undefined) return null;
    return this.rows.examples.list(head, label, after, limit);
  }

  /** How many examples each class of a head has. */
  classes(head: string): TaughtState['classes'] {
    return (this.exists ? this.rows.examples.state(head)?.classes : undefined) ?? [];
  }

  /** Before pictures of examples are written to R2: their names there, or null where none are kept. */
  async expectPictures(head: string, sizes: readonly number[]): Promise<ExpectedPictures | Refused> {
    if (this.exists && !this.rows.pictures.settings().keep_images) return { images: null };
    return this.write((now) => this.rows.pictures.expect(head, sizes, now));
  }

  /** The name of the object with an example's picture; null where it has none. */
  picture(head: string, id: string): string | null {
    return this.exists ? this.rows.pictures.find(head, id) : null;
  }

  capture(head: string, capture: Capture): void {
    if (!this.exists || !this.rows.heads.settings(head).capture) return;
    this.rows.storage.transactionSync(() => this.rows.captures.add(head, capture, Date.now()));
  }

  captures(head: string): ReviewItem[] | null {
    return this.exists && this.rows.heads.live(head) !== undefined ? this.rows.captures.list(head) : null;
  }
}
