/**
 * The tenant's examples, as rows: labelled codes; for pixels see kept-pictures.ts, for all codes at once training-set.ts.
 * Each change of a head's examples has a number, its revision, and a version remembers at which one it was trained; so it
 * is known which versions were trained on an example. Every method runs within one transaction of its caller.
 */
import { ExampleSource, type ExampleList, type ExampleSummary } from '../../../src/api/index.ts';
import { normaliseLabel } from '../../../src/head/limits.ts';
import { newKeyId } from '../../access/api-key.ts';
import type { NewExample, ExampleRecord } from './example.ts';
import { conflict, overflow, sortNew, spaceMismatch, type ClassCount } from './admission.ts';
import { refuse, type Refused } from '../refused.ts';
import { CodeOrigin } from '../code-origin.ts';
import type { KeptPictures } from './kept-pictures.ts';
import type { SecondCodes } from '../rebase/second-codes.ts';
import { part, Table, type Sql, type SqlPart } from '../sql.ts';

export interface Added {
  readonly revision: number;
  readonly added: number;
  readonly duplicates: number;
}

export interface TaughtState {
  readonly revision: number;
  /** Where the count began: a head that was deleted and taught anew begins above all that it ever had. */
  readonly firstRevision: number;
  readonly origin: CodeOrigin;
  /** The earliest revision that a version may not know of any more; null where nothing is to be forgotten. */
  readonly forgottenFrom: number | null;
  /** By code unit. */
  readonly classes: readonly ClassCount[];
}

/** Which examples of a head are to be forgotten. */
export type Forgetting = { readonly ids: readonly string[] } | { readonly label: string };

interface TaughtRow extends Record<string, SqlStorageValue> {
  backbone: string;
  first_revision: number;
  revision: number;
  forgotten_from: number | null;
}

interface ExampleRow extends Record<string, SqlStorageValue> {
  id: string;
  label: string;
  picture: string;
  source: string;
  image: string | null;
  created_at: number;
}

const COLUMNS = part`id, label, picture, source, image, created_at`;

export class Examples extends Table {
  readonly #pictures: KeptPictures;
  readonly #second: SecondCodes;

  constructor(sql: Sql, pictures: KeptPictures, second: SecondCodes) {
    super(sql);
    this.#pictures = pictures;
    this.#second = second;
  }

  /** The examples of a head as they stand, or undefined where it was never taught. */
  state(head: string): TaughtState | undefined {
    const row = this.#row(head);
    if (row === undefined) return undefined;
    const classes = this.sql<{ label: string; examples: number }>`
      SELECT label, count(*) AS examples FROM examples WHERE head = ${head} GROUP BY label`;
    classes.sort((a, b) => (a.label < b.label ? -1 : 1));
    return {
      revision: row.revision,
      firstRevision: row.first_revision,
      origin: originOf(row),
      forgottenFrom: row.forgotten_from,
      classes,
    };
  }

  /** The number of the last change of a head's examples, or undefined where it was never taught. */
  revision(head: string): number | undefined {
    return this.#row(head)?.revision;
  }

  /**
   * Adds what is new; a picture known under the same label counts once. All or nothing.
   * @param target what the second codes are of that examples bring.
   */
  add(
    head: string,
    origin: CodeOrigin,
    examples: readonly NewExample[],
    now: number,
    target?: CodeOrigin,
  ): Added | Refused {
    const row = this.#row(head);
    const mismatch = row && spaceMismatch(originOf(row), origin);
    if (mismatch !== undefined) return refuse('backbone_mismatch', `Head '${head}' ${mismatch}`);
    if (examples.some(({ code }) => code.byteLength !== origin.codeLength * Float16Array.BYTES_PER_ELEMENT))
      return refuse(
        'backbone_mismatch',
        `Head '${head}' is taught with codes of ${origin.codeLength} numbers.`,
      );
    const sorted = sortNew(this.sql, head, examples);
    if (sorted.conflicts.length > 0) return conflict(sorted.conflicts);
    const full =
      overflow(this.sql, head, this.state(head)?.classes, sorted.fresh) ??
      this.#second.refusal(head, sorted.fresh, target);
    if (full !== undefined) return full;
    // Time only grows, so no number of an earlier life of the head comes back.
    const revision = row === undefined ? now : row.revision + Math.sign(sorted.fresh.length);
    this.sql`
      INSERT INTO taught_heads (head, backbone, first_revision, revision)
        VALUES (${head}, ${JSON.stringify(origin)}, ${revision}, ${revision})
        ON CONFLICT (head) DO UPDATE SET revision = excluded.revision`;
    for (const { label, picture, source, code } of sorted.fresh) {
      const when = { added_revision: revision, created_at: now };
      this.insert({ id: newKeyId(), head, label, picture, source, code, ...when });
    }
    for (const { picture, kept } of examples)
      if (kept !== undefined) this.#pictures.give(head, picture, kept, now);
    this.#second.bring(head, examples, target);
    return { revision, added: sorted.fresh.length, duplicates: examples.length - sorted.fresh.length };
  }

  /** A row as it is. The caller knows that it may be there. */
  insert(row: ExampleRecord): void {
    const { id, head, label, picture, source, added_revision: revision, created_at: at } = row;
    const code = row.code.slice().buffer;
    this.sql`
      INSERT INTO examples (id, head, label, picture, source, code, added_revision, created_at)
        VALUES (${id}, ${head}, ${label}, ${picture}, ${source}, ${code}, ${revision}, ${at})`;
  }

  /**
   * Forgets examples: they are gone, and which versions knew them is recorded until the head is trained without.
   * @returns how many they were.
   */
  forget(head: string, which: Forgetting, now: number): number {
    const known = 'ids' in which ? which : { label: this.#known(head, which.label) };
    const these = part`head = ${head} AND ${isOneOf(known)}`;
    const [{ count, first }] = this.sql<{ count: number; first: number | null }>`
      SELECT count(*) AS count, min(added_revision) AS first FROM examples WHERE ${these}`;
    if (first === null) return 0;
    this.#pictures.discard(these, head, now);
    this.sql`DELETE FROM examples WHERE ${these}`;
    this.sql`
      UPDATE taught_heads SET revision = revision + 1,
        forgotten_from = min(coalesce(forgotten_from, ${first}), ${first})
        WHERE head = ${head}`;
    return count;
  }

  /**
   * Gives an example another of the head's labels. Nothing is forgotten: versions that learned the old one stay.
   * @returns the revision from which on it has it, or undefined where there is no such example.
   */
  relabel(head: string, id: string, label: string): number | undefined {
    const changed = this.sql`
      UPDATE examples SET label = ${label}
        WHERE head = ${head} AND id = ${id} AND label <> ${label} RETURNING 1`;
    if (changed.length > 0) this.sql`UPDATE taught_heads SET revision = revision + 1 WHERE head = ${head}`;
    return this.find(head, id) === undefined ? undefined : this.revision(head);
  }

  /** From now on the head's examples are codes of another space: see SecondCodes. @returns the revision of that change. */
  move(head: string, origin: CodeOrigin): number {
    const [{ revision }] = this.sql<{ revision: number }>`
      UPDATE taught_heads SET backbone = ${JSON.stringify(origin)}, revision = revision + 1
        WHERE head = ${head} RETURNING revision`;
    return revision;
  }

  find(head: string, id: string): ExampleSummary | undefined {
    const rows = this.sql<ExampleRow>`SELECT ${COLUMNS} FROM examples WHERE head = ${head} AND id = ${id}`;
    return rows.map(this.#summariser())[0];
  }

  /** The versions that knew what was forgotten are gone. */
  endForgetting(head: string): void {
    this.sql`UPDATE taught_heads SET forgotten_from = NULL WHERE head = ${head}`;
  }

  /** Heads that something was forgotten of and that are not yet trained without it. */
  unfinishedForgetting(): string[] {
    const rows = this.sql<{ head: string }>`SELECT head FROM taught_heads WHERE forgotten_from IS NOT NULL`;
    return rows.map(({ head }) => head);
  }

  /** All of a head's examples and that it was ever taught. */
  clear(head: string, now: number): void {
    this.#pictures.discard(part`head = ${head}`, head, now);
    this.sql`DELETE FROM examples WHERE head = ${head}`;
    this.sql`DELETE FROM taught_heads WHERE head = ${head}`;
  }

  /** @param after an id; the page begins behind it. */
  list(head: string, label: string | undefined, after: string | undefined, limit: number): ExampleList {
    const where =
      label === undefined
        ? part`head = ${head}`
        : part`head = ${head} AND label = ${this.#known(head, label)}`;
    const [{ total }] = this.sql<{ total: number }>`SELECT count(*) AS total FROM examples WHERE ${where}`;
    const rows = this.sql<ExampleRow>`
      SELECT ${COLUMNS} FROM examples WHERE ${where} AND id > ${after ?? ''} ORDER BY id LIMIT ${limit + 1}`;
    const page = rows.slice(0, limit);
    const next = rows.length > limit ? page.at(-1)?.id : undefined;
    return { examples: page.map(this.#summariser()), total, next };
  }

  /** The label as it came where examples have it (some were taught before labels were normalised), otherwise normalised. */
  #known(head: string, label: string): string {
    const [found] = this.sql`SELECT 1 FROM examples WHERE head = ${head} AND label = ${label} LIMIT 1`;
    return found === undefined ? normaliseLabel(label) : label;
  }

  #summariser(): (row: ExampleRow) => ExampleSummary {
    const shown = this.#pictures.shown();
    return (row) => summaryOf(row, shown(row.image));
  }

  #row(head: string): TaughtRow | undefined {
    return this.sql<TaughtRow>`SELECT * FROM taught_heads WHERE head = ${head}`[0];
  }
}

function summaryOf(row: ExampleRow, hasImage: boolean): ExampleSummary {
  return {
    id: row.id,
    label: row.label,
    picture: row.picture,
    source: ExampleSource.parse(row.source),
    has_image: hasImage,
    created_at: new Date(row.created_at).toISOString(),
  };
}

/** A condition. */
function isOneOf(which: Forgetting): SqlPart {
  return 'ids' in which
    ? part`id IN (SELECT value FROM json_each(${JSON.stringify(which.ids)}))`
    : part`label = ${which.label}`;
}

function originOf({ backbone }: TaughtRow): CodeOrigin {
  return CodeOrigin.parse(JSON.parse(backbone));
}
