/** The tenant's heads and their versions, for the Worker. What changes them is refused while a restore is under way. */
import type { HeadDetail, HeadList, HeadSettings, Routing } from '../../../src/api/index.ts';
import type { VersionReport } from '../../../src/api/report.ts';
import type { Pointer } from '../../stores/layout.ts';
import type { Refused } from '../refused.ts';
import type { Removal } from '../removal.ts';
import type { Rows } from '../rows.ts';
import { TenantTarget } from '../target.ts';
import type { Write } from '../writer.ts';
import { headDetail, headList, routing } from './describe.ts';
import type { Committed, Reservation, Upload } from './uploads.ts';

export class HeadTarget extends TenantTarget {
  readonly #removal: Removal;

  constructor(rows: Rows, write: Write, removal: Removal) {
    super(rows, write);
    this.#removal = removal;
  }

  list(after: string, limit: number): HeadList {
    return headList(this.exists ? this.rows.heads.list(after, limit + 1) : [], limit);
  }

  describe(head: string): HeadDetail | null {
    const row = this.exists ? this.rows.heads.live(head) : undefined;
    return row === undefined ? null : headDetail(this.rows.heads, row);
  }

  pointer(head: string): Pointer | null {
    return this.exists ? this.rows.heads.pointer(head) : null;
  }

  async delete(head: string): Promise<Pointer | Refused> {
    return this.rows.standing.headsLocked() ?? this.#removal.head(head);
  }

  configure(head: string, settings: HeadSettings): Promise<HeadSettings | Refused> {
    return this.write(() => this.rows.heads.configure(head, settings));
  }

  settings(head: string): HeadSettings | null {
    return this.#has(head) ? this.rows.heads.settings(head) : null;
  }

  routing(head: string): Routing | null {
    const pointer = this.#has(head) ? this.rows.heads.pointer(head) : null;
    return pointer && routing(pointer, (version) => this.rows.usage.shadow(head, version));
  }

  /** First step of an upload: a number and a name for the object. No reader gets it yet. */
  reserve(head: string, upload: Upload): Promise<Reservation | Refused> {
    return this.write((now) => this.rows.uploads.reserve(head, upload, now));
  }

  /** Last step of an upload, after the object was written: the version is there, and current. */
  commit(head: string, version: number): Promise<Committed | Refused> {
    return this.write((now) => this.rows.uploads.commit(head, version, now));
  }

  activate(head: string, version: number, percent: number): Promise<Pointer | Refused> {
    return this.write(() => this.rows.heads.activate(head, version, percent));
  }

  removeVersion(head: string, version: number): Promise<Pointer | Refused> {
    return this.write((now) => this.rows.heads.removeVersion(head, version, now));
  }

  nameVersion(head: string, name: string, version: number): Promise<Pointer | Refused> {
    return this.write(() => this.rows.heads.nameVersion(head, name, version));
  }

  unnameVersion(head: string, name: string): Promise<Pointer | Refused> {
    return this.write(() => this.rows.heads.unnameVersion(head, name));
  }

  /** @param version null ends it. */
  shadow(head: string, version: number | null): Promise<Pointer | Refused> {
    return this.write(() => {
      const changed = this.rows.heads.shadow(head, version);
      if (!('refused' in changed)) this.rows.usage.clearShadow(head);
      return changed;
    });
  }

  report(head: string, version: number): VersionReport | null {
    return this.exists ? this.rows.reports.find(head, version) : null;
  }

  #has(head: string): boolean {
    return this.exists && this.rows.heads.absent(head) === undefined;
  }
}
