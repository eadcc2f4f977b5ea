/**
 * Codes of examples in a second code space, as rows. A head that is being moved has one space that it moves to, which
 * fills up while everything else goes on in the old one. After the switch, the spaces that older versions were trained in
 * stay with their codes until the last of these versions is deleted. Rows go with their example, head or space by
 * triggers. Every method runs within one transaction of its caller.
 */
import type { NewExample } from '../teach/example.ts';
import { MAX_SECOND_CODES_PER_TENANT, NAMED_FAULTS } from '../../limits.ts';
import { refuse, type Refused } from '../refused.ts';
import { CodeOrigin, sameOrigin } from '../code-origin.ts';
import { Table, type SqlPart } from '../sql.ts';

/** A code space that a head's examples have second codes in. */
export interface SecondSpace {
  readonly id: number;
  readonly origin: CodeOrigin;
}

/** The space that older versions of a head were trained in, with the revisions of the first and the last of them. */
export interface FormerSpace extends SecondSpace {
  readonly first: number;
  readonly last: number;
}

/** What was made of an example's picture: a code in half precision, or why there is none. */
export type MadeCode =
  | { readonly example: string; readonly code: Uint8Array }
  | { readonly example: string; readonly fault: string };

export interface FaultyPicture {
  readonly example: string;
  readonly label: string;
  readonly fault: string;
}

interface SpaceRow extends Record<string, SqlStorageValue> {
  id: number;
  origin: string;
  moving: number;
  first_revision: number | null;
  last_revision: number | null;
}

export class SecondCodes extends Table {
  /** Where a head is being moved to, or undefined. */
  target(head: string): SecondSpace | undefined {
    const row = this.#spaces(head).find(({ moving }) => moving === 1);
    return row && spaceOf(row);
  }

  /** The same, if it is that space. */
  targetIn(head: string, origin: CodeOrigin): SecondSpace | undefined {
    const target = this.target(head);
    return target !== undefined && sameOrigin(target.origin, origin) ? target : undefined;
  }

  /** The space before the present one, where versions of it are left. */
  former(head: string): FormerSpace | undefined {
    return this.#spaces(head)
      .flatMap((row) => {
        const { first_revision: first, last_revision: last } = row;
        return first === null || last === null ? [] : [{ ...spaceOf(row), first, last }];
      })
      .sort((a, b) => b.last - a.last)[0];
  }

  /** From now on the head is being moved to this space; codes that it has there already count. */
  begin(head: string, origin: CodeOrigin): SecondSpace {
    this.giveUp(head);
    const known = this.#spaces(head).find((row) => sameOrigin(spaceOf(row).origin, origin));
    if (known === undefined)
      this.sql`INSERT INTO code_spaces (head, origin, moving) VALUES (${head}, ${JSON.stringify(origin)}, 1)`;
    else this.sql`UPDATE code_spaces SET moving = 1 WHERE id = ${known.id}`;
    const target = this.target(head);
    if (target === undefined) throw new Error(`The head '${head}' has no space that it is being moved to.`);
    // What could not be read is tried again.
    this.sql`DELETE FROM second_codes WHERE space = ${target.id} AND fault IS NOT NULL`;
    return target;
  }

  /** The head stays where it is. Codes that no version was trained with go. @returns whether it was being moved. */
  giveUp(head: string): boolean {
    const moved = this.sql`UPDATE code_spaces SET moving = 0 WHERE head = ${head} AND moving RETURNING 1`;
    if (moved.length > 0) this.#dropUnread(head);
    return moved.length > 0;
  }

  /** How many examples have a code there, and of how many the picture cannot be read. */
  count({ id }: SecondSpace): { done: number; faulty: number } {
    const [counts] = this.sql<{ done: number; faulty: number }>`
      SELECT count(*) - count(fault) AS done, count(fault) AS faulty FROM second_codes WHERE space = ${id}`;
    return counts;
  }

  /** Examples, by id, of which nothing is there. */
  lacking(head: string, { id }: SecondSpace, limit: number): { id: string; picture: string }[] {
    return this.sql<{ id: string; picture: string }>`
      SELECT id, picture FROM examples WHERE head = ${head} AND NOT EXISTS
        (SELECT 1 FROM second_codes WHERE example = examples.id AND space = ${id}) ORDER BY id LIMIT ${limit}`;
  }

  /** Of how many examples nothing is there, but a picture that a code can be made of. @param shown see KeptPictures. */
  readable(head: string, space: SecondSpace | undefined, shown: SqlPart): number {
    const [{ readable }] = this.sql<{ readable: number }>`
      SELECT count(*) AS readable FROM examples INDEXED BY examples_with_image
        WHERE head = ${head} AND image IS NOT NULL AND ${shown} AND NOT EXISTS
          (SELECT 1 FROM second_codes WHERE example = examples.id AND space = ${space?.id ?? null})`;
    return readable;
  }

  /** Some of those whose pictures cannot be read. */
  faults(head: string, { id }: SecondSpace): FaultyPicture[] {
    return this.sql<{ example: string; label: string; fault: string }>`
      SELECT example, label, fault FROM second_codes JOIN examples ON examples.id = example
        WHERE space = ${id} AND fault IS NOT NULL AND head = ${head} ORDER BY example LIMIT ${NAMED_FAULTS}`;
  }

  /** Nothing is stored of an example that was forgotten meanwhile. A code takes the place of a fault, and of no other code. */
  store(head: string, { id }: SecondSpace, made: MadeCode): void {
    const fault = 'fault' in made ? made.fault : null;
    const code = 'code' in made ? made.code.slice().buffer : null;
    this.sql`
      INSERT INTO second_codes (example, space, fault, code) SELECT id, ${id}, ${fault}, ${code}
        FROM examples WHERE id = ${made.example} AND head = ${head}
        ON CONFLICT (example, space) DO UPDATE SET fault = excluded.fault, code = excluded.code
          WHERE second_codes.fault IS NOT NULL`;
  }

  /** Why new examples of a head that is being moved can't come along, or undefined. @param target what their second codes are of. */
  refusal(head: string, fresh: readonly NewExample[], target?: CodeOrigin): Refused | undefined {
    const moving = this.target(head);
    if (moving === undefined || fresh.length === 0) return undefined;
    const ours = target !== undefined && sameOrigin(moving.origin, target);
    const left = fresh.filter(({ second, kept }) => kept === undefined && (second === undefined || !ours));
    if (left.length === 0) return this.overflow(fresh.length);
    const { name, version } = moving.origin;
    const why = left.every(({ source }) => source === 'code' || source === 'feedback')
      ? `${left.length} of these examples come as codes alone. Teach the pictures themselves`
      : `${left.length} of these examples have no code of it: reading their pictures for both is too much for one request. Teach fewer at once`;
    return refuse(
      'conflict',
      `Head '${head}' is being moved to the codes of backbone ${name} ${version}, and ${why}; or go on with POST /v1/heads/${head}/rebase until it is moved, or give the move up with DELETE.`,
    );
  }

  /** Second codes that came with examples, new or known. @param target what they are of. */
  bring(head: string, examples: readonly NewExample[], target?: CodeOrigin): void {
    const moving = target && this.targetIn(head, target);
    if (moving === undefined) return;
    for (const { picture, second } of examples) {
      if (second === undefined) continue;
      const [known] = this.sql<{ id: string }>`
        SELECT id FROM examples WHERE head = ${head} AND picture = ${picture}`;
      if (known !== undefined) this.store(head, moving, { example: known.id, code: second });
    }
  }

  /** Why there is no room for so many more second codes, or undefined. */
  overflow(more: number): Refused | undefined {
    const [{ held }] = this.sql<{ held: number }>`SELECT second_code_count AS held FROM tenant`;
    if (held + more <= MAX_SECOND_CODES_PER_TENANT) return undefined;
    return refuse(
      'limit_reached',
      `This tenant has ${held} codes of examples in second code spaces, of at most ${MAX_SECOND_CODES_PER_TENANT}. Delete versions that heads had before they were moved.`,
    );
  }

  /**
   * The codes there become those of the examples, and the others stay as the former space's while a version reads them.
   * @param from space of the codes until now, and its first and last revision.
   */
  exchange(head: string, to: SecondSpace, from: Omit<FormerSpace, 'id'>): void {
    const [{ id }] = this.sql<{ id: number }>`
      INSERT INTO code_spaces (head, origin, moving, first_revision, last_revision)
        VALUES (${head}, ${JSON.stringify(from.origin)}, 0, ${from.first}, ${from.last}) RETURNING id`;
    this.sql`
      INSERT INTO second_codes (example, space, code)
        SELECT id, ${id}, code FROM examples WHERE head = ${head}`;
    this.sql`
      UPDATE examples SET
        code = (SELECT code FROM second_codes WHERE example = examples.id AND space = ${to.id})
        WHERE head = ${head}`;
    this.sql`DELETE FROM code_spaces WHERE id = ${to.id}`;
    this.#dropUnread(head);
  }

  /** Spaces that no version of the head was trained in go, with all codes there; a trigger does it where a version goes. */
  #dropUnread(head: string): void {
    this.sql`DELETE FROM code_spaces WHERE head = ${head} AND NOT moving AND NOT EXISTS
         (SELECT 1 FROM versions WHERE versions.head = code_spaces.head AND committed
            AND trained_revision BETWEEN first_revision AND last_revision)`;
  }

  #spaces(head: string): SpaceRow[] {
    return this.sql<SpaceRow>`
      SELECT id, origin, moving, first_revision, last_revision FROM code_spaces WHERE head = ${head}`;
  }
}

function spaceOf({ id, origin }: SpaceRow): SecondSpace {
  return { id, origin: CodeOrigin.parse(JSON.parse(origin)) };
}
