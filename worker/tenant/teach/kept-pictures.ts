/**
 * Pictures of examples, where the tenant wants them kept: objects in R2, each under a name that is used once. A name is
 * recorded as garbage before it is written and taken off when its example is stored, so that no crash leaves pixels behind.
 * Names are of a generation, `<generation>-<id>`, and pictures of the tenant's present one are shown: ending it hides all.
 * Every method runs within one transaction of its caller.
 */
import { DEFAULT_TENANT_SETTINGS, TenantSettings } from '../../../src/api/index.ts';
import { newKeyId } from '../../access/api-key.ts';
import {
  MAX_KEPT_PICTURE_BYTES,
  RESERVATION_MARGIN_MS,
  RESERVATION_MS,
  SWEPT_AT_ONCE,
} from '../../limits.ts';
import { imageObjectName } from '../../stores/layout.ts';
import { refuse, type Refused } from '../refused.ts';
import type { Outbox } from '../outbox.ts';
import type { Standing } from '../standing.ts';
import { part, Table, type Sql, type SqlPart } from '../sql.ts';

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

interface State extends Record<string, SqlStorageValue> {
  settings: string | null;
  generation: number;
  held: number;
  head: string | null;
  image: string | null;
}

export class KeptPictures extends Table {
  readonly #outbox: Outbox;
  readonly #tenant: Standing;

  constructor(sql: Sql, outbox: Outbox, tenant: Standing) {
    super(sql);
    this.#outbox = outbox;
    this.#tenant = tenant;
  }

  settings(): TenantSettings {
    return this.#state().settings;
  }

  /**
   * Not to keep pictures means none: from now on nobody reads one that came before, also when pictures are kept again right
   * after. The first of them go at once, the others with each turn of the alarm.
   */
  configure(settings: TenantSettings, now: number): TenantSettings {
    this.sql`UPDATE tenant SET settings = ${JSON.stringify(settings)}`;
    if (settings.keep_images) return settings;
    this.sql`UPDATE tenant SET image_generation = image_generation + 1, swept_head = '', swept_image = ''`;
    this.sweep(now);
    return settings;
  }

  /**
   * One step over the kept pictures, in the order of an index, from where the last one ended: those of former generations
   * go. Without a sweep under way it does nothing; schedule() sets the alarm as long as there is one.
   */
  sweep(now: number): void {
    const { generation, head, image } = this.#state();
    if (head === null) return;
    const rows = this.sql<{ head: string; image: string }>`
      SELECT head, image FROM examples WHERE image IS NOT NULL AND (head, image) > (${head}, ${image})
        ORDER BY head, image LIMIT ${SWEPT_AT_ONCE}`;
    for (const each of rows.filter((row) => generationOf(row.image) !== generation)) {
      this.#outbox.discard(this.#name(each.head, each.image), now);
      this.sql`UPDATE examples SET image = NULL, image_bytes = NULL
        WHERE head = ${each.head} AND image = ${each.image}`;
    }
    const last = rows.length < SWEPT_AT_ONCE ? undefined : rows.at(-1);
    const [sweptHead, sweptImage] = [last?.head ?? null, last?.image ?? null];
    this.sql`UPDATE tenant SET swept_head = ${sweptHead}, swept_image = ${sweptImage}`;
  }

  /**
   * Before pictures are written: names for their objects, or null where none are kept.
   * @param sizes in bytes.
   */
  expect(head: string, sizes: readonly number[], now: number): ExpectedPictures | Refused {
    const { settings, generation, held } = this.#state();
    if (!settings.keep_images) return { images: null };
    if (sizes.reduce((sum, size) => sum + size, held) > MAX_KEPT_PICTURE_BYTES) {
      return refuse(
        'limit_reached',
        `This tenant keeps ${held} bytes of pictures of at most ${MAX_KEPT_PICTURE_BYTES}. Forget examples, switch keep_images off, or send codes.`,
      );
    }
    const prefix = generation === 0 ? '' : `${generation}-`;
    const images = sizes.map(() => prefix + newKeyId());
    for (const image of images) this.#outbox.discard(this.#name(head, image), now + RESERVATION_MS);
    return { images };
  }

  /** Gives an example its picture, unless it has one, or the picture came too late or is not wanted any more. */
  give(head: string, picture: string, { image, bytes }: KeptPicture, now: number): void {
    const name = this.#name(head, image);
    const { settings, generation } = this.#state();
    const wanted = settings.keep_images && generationOf(image) === generation;
    if (!wanted || !this.#outbox.expects(name, now + RESERVATION_MARGIN_MS)) return;
    const [known] = this.sql<{ id: string; image: string | null }>`
      SELECT id, image FROM examples WHERE head = ${head} AND picture = ${picture}`;
    if (known === undefined) return;
    if (known.image !== null) {
      if (generationOf(known.image) === generation) return;
      this.#outbox.discard(this.#name(head, known.image), now);
    }
    this.sql`UPDATE examples SET image = ${image}, image_bytes = ${bytes} WHERE id = ${known.id}`;
    this.#outbox.keep(name);
  }

  /** Tells which of the images that examples have are shown. */
  shown(): (image: string | null) => image is string {
    const { generation } = this.#state();
    return (image): image is string => image !== null && generationOf(image) === generation;
  }

  /** The same as a condition on `image` in a query over examples. */
  get isShown(): SqlPart {
    const { generation } = this.#state();
    return generation === 0 ? part`image NOT LIKE '%-%'` : part`image GLOB ${`${generation}-*`}`;
  }

  /** Before examples of a head are deleted: their pictures go. @param these which, as a condition. */
  discard(these: SqlPart, head: string, now: number): void {
    const rows = this.sql<{ image: string }>`SELECT image FROM examples WHERE ${these} AND image IS NOT NULL`;
    for (const { image } of rows) this.#outbox.discard(this.#name(head, image), now);
  }

  /** The name of the object with an example's picture; null where it has none. */
  find(head: string, id: string): string | null {
    const [row] = this.sql<{ image: string | null }>`
      SELECT image FROM examples WHERE head = ${head} AND id = ${id}`;
    const image = row?.image ?? null;
    return this.shown()(image) ? this.#name(head, image) : null;
  }

  #state() {
    const [{ settings, ...state }] = this.sql<State>`
      SELECT settings, image_generation AS generation, image_bytes AS held, swept_head AS head,
        swept_image AS image FROM tenant`;
    return {
      ...state,
      settings: settings === null ? DEFAULT_TENANT_SETTINGS : TenantSettings.parse(JSON.parse(settings)),
    };
  }

  #name(head: string, image: string): string {
    return imageObjectName(this.#tenant.id, head, image);
  }
}

/** Of names that begin with it; those without are of generation 0. */
function generationOf(image: string): number {
  const end = image.indexOf('-');
  return end < 0 ? 0 : Number(image.slice(0, end));
}
