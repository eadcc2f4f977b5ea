/**
 * Pictures of examples, where the tenant wants them kept: objects in R2, each under a name that is used once. A name is
 * noted as garbage before it is written and taken off when its example is stored, so that no crash leaves pixels behind.
 * Every method runs within one transaction of its caller.
 */
import { DEFAULT_TENANT_SETTINGS, TenantSettings } from '../../src/api/index.ts';
import { newKeyId } from '../api-key.ts';
import { MAX_KEPT_PICTURE_BYTES, RESERVATION_MARGIN_MS, RESERVATION_MS } from '../limits.ts';
import { imageObjectName } from '../stores/layout.ts';
import { refuse, type Refused } from './call.ts';
import type { Outbox } from './outbox.ts';
import type { Standing } from './standing.ts';

/** A picture that was written. */
export interface KeptPicture {
  /** The last part of its object's name. */
  readonly image: string;
  readonly bytes: number;
}

/** Names for pictures that are to be written; null where none are kept. */
export interface ExpectedPictures {
  readonly images: readonly string[] | null;
}

/** Which examples of a head. */
export type Which = { readonly ids: readonly string[] } | { readonly label: string } | 'all';

export class KeptPictures {
  readonly #sql: SqlStorage;
  readonly #outbox: Outbox;
  readonly #tenant: Standing;

  constructor(sql: SqlStorage, outbox: Outbox, tenant: Standing) {
    this.#sql = sql;
    this.#outbox = outbox;
    this.#tenant = tenant;
  }

  settings(): TenantSettings {
    const { settings } = this.#sql.exec<{ settings: string | null }>('SELECT settings FROM tenant').one();
    return settings === null ? DEFAULT_TENANT_SETTINGS : TenantSettings.parse(JSON.parse(settings));
  }

  /** Not to keep pictures means none: those that are there go. */
  configure(settings: TenantSettings, now: number): TenantSettings {
    this.#sql.exec('UPDATE tenant SET settings = ?', JSON.stringify(settings));
    if (settings.keep_images) return settings;
    const heads = this.#sql.exec<{ head: string }>(
      'SELECT DISTINCT head FROM examples WHERE image IS NOT NULL',
    );
    for (const { head } of heads.toArray()) this.discard(head, 'all', now);
    this.#sql.exec('UPDATE examples SET image = NULL, image_bytes = NULL WHERE image IS NOT NULL');
    return settings;
  }

  /**
   * Before pictures are written: names for their objects, or null where none are kept.
   * @param sizes in bytes.
   */
  expect(head: string, sizes: readonly number[], now: number): ExpectedPictures | Refused {
    if (!this.settings().keep_images) return { images: null };
    const { held } = this.#sql
      .exec<{ held: number }>(
        'SELECT coalesce(sum(image_bytes), 0) AS held FROM examples WHERE image IS NOT NULL',
      )
      .one();
    if (sizes.reduce((sum, size) => sum + size, held) > MAX_KEPT_PICTURE_BYTES) {
      return refuse(
        'limit_reached',
        `This tenant keeps ${held} bytes of pictures of at most ${MAX_KEPT_PICTURE_BYTES}. Forget examples, switch keep_images off, or send codes.`,
      );
    }
    const images = sizes.map(() => newKeyId());
    for (const image of images) this.#outbox.discard(this.#name(head, image), now + RESERVATION_MS);
    return { images };
  }

  /** Gives an example its picture, unless it has one, or the picture came too late or is not wanted any more. */
  give(head: string, picture: string, { image, bytes }: KeptPicture, now: number): void {
    const name = this.#name(head, image);
    if (!this.settings().keep_images || !this.#outbox.expects(name, now + RESERVATION_MARGIN_MS)) return;
    const { rowsWritten } = this.#sql.exec(
      'UPDATE examples SET image = ?, image_bytes = ? WHERE head = ? AND picture = ? AND image IS NULL',
      image,
      bytes,
      head,
      picture,
    );
    if (rowsWritten > 0) this.#outbox.keep(name);
  }

  /** Before examples are deleted: their pictures go. */
  discard(head: string, which: Which, now: number): void {
    const [where, values] =
      which === 'all'
        ? ['', []]
        : 'ids' in which
          ? [' AND id IN (SELECT value FROM json_each(?))', [JSON.stringify(which.ids)]]
          : [' AND label = ?', [which.label]];
    const rows = this.#sql.exec<{ image: string }>(
      `SELECT image FROM examples WHERE head = ? AND image IS NOT NULL${where}`,
      head,
      ...values,
    );
    for (const { image } of rows.toArray()) this.#outbox.discard(this.#name(head, image), now);
  }

  /** The name of the object with an example's picture; null where it has none. */
  find(head: string, id: string): string | null {
    const [row] = this.#sql
      .exec<{ image: string | null }>('SELECT image FROM examples WHERE head = ? AND id = ?', head, id)
      .toArray();
    return row?.image == null ? null : this.#name(head, row.image);
  }

  #name(head: string, image: string): string {
    return imageObjectName(this.#tenant.id, head, image);
  }
}
