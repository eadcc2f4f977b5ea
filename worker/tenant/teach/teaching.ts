/**
 * Teaching and forgetting within the tenant's Durable Object. A request's examples and its Idempotency-Key are stored in
 * one transaction; training follows. A crash between leaves examples that the repeat of the request finds, or that the
 * next request trains with; a head that must forget is trained by the alarm if by nobody else.
 */
import { Taught } from '../../../src/api/index.ts';
import { sameSpace, spaceOf } from '../../../src/head/index.ts';
import type { Pointer } from '../../stores/layout.ts';
import type { NewExample } from './example.ts';
import { refuse, type Refused } from '../refused.ts';
import { TenantTarget } from '../target.ts';
import { parse } from '../heads/describe.ts';
import type { Found } from './captures.ts';
import type { CodeOrigin } from '../code-origin.ts';
import type { Added, Forgetting } from './examples.ts';
import type { IdempotencyKey } from './idempotency.ts';
import { afterMove } from './moved-batch.ts';
import type { Rows } from '../rows.ts';
import { taughtAnswer, type Counts } from './taught.ts';
import type { Training } from './training.ts';
import type { Write } from '../writer.ts';

export interface TeachRequest {
  readonly origin: CodeOrigin;
  /** What the second codes of its examples are of, where they have some: see SecondCodes. */
  readonly target?: CodeOrigin | undefined;
  readonly examples: readonly NewExample[];
  readonly train: boolean;
  readonly idempotency: IdempotencyKey | undefined;
}

/** The answer, and what the caller's isolate should know from now on. */
export interface TaughtResult {
  readonly answer: Taught;
  readonly pointer: Pointer | null;
  /** Whether this is the answer to an earlier arrival of the same request. */
  readonly repeated: boolean;
}

/** What is known of the codes that a head is taught with: nothing before its first example, or its upload. */
export interface KnownSpace {
  /** Of its examples. */
  readonly origin?: CodeOrigin;
  /** The uploaded head whose codes they are, or will be. */
  readonly base?: CodeOrigin['base'];
  /** Where the head is being moved to, where it is: see SecondCodes. */
  readonly target?: CodeOrigin | undefined;
}

const OTHER_CODES = 'reads other codes than its examples are. Teach the picture itself.';

type Stored =
  | { readonly state: 'stored'; readonly added: Added }
  | { readonly state: 'answered'; readonly answer: string };

export class Teaching extends TenantTarget {
  readonly #training: Training;

  constructor(rows: Rows, write: Write, training: Training) {
    super(rows, write);
    this.#training = training;
  }

  async teach(head: string, request: TeachRequest): Promise<TaughtResult | Refused> {
    const stored = await this.write((now) => this.#store(head, request, now));
    if ('refused' in stored) return stored;
    if (stored.state === 'answered') {
      const answer = Taught.parse(JSON.parse(stored.answer));
      return { answer, pointer: this.rows.heads.pointer(head), repeated: true };
    }
    const { revision, added, duplicates } = stored.added;
    const result = await this.#answer(head, revision, { added, duplicates }, request.train);
    if ('refused' in result || request.idempotency === undefined) return result;
    const { key } = request.idempotency;
    await this.write(() => {
      this.rows.idempotency.answered(key, JSON.stringify(result.answer));
      return {};
    });
    return result;
  }

  /** Trains on what is stored. Without any change since the last training it only answers. */
  async train(head: string): Promise<TaughtResult | Refused> {
    const locked = this.rows.standing.headsLocked();
    if (locked !== undefined) return locked;
    const state = this.rows.examples.state(head);
    if (state === undefined) return untaught(head);
    return this.#answer(head, state.revision, {}, true);
  }

  /** Forgets examples, all in one transaction, and trains once without them before it answers. */
  async forget(head: string, which: Forgetting): Promise<TaughtResult | Refused> {
    const forgotten = await this.write((now) => {
      if (this.rows.examples.state(head) === undefined) return untaught(head);
      const count = this.rows.examples.forget(head, which, now);
      if (count > 0) return { count };
      if ('ids' in which)
        return refuse(
          'example_not_found',
          `Head '${head}' has no example '${which.ids.join("', '").slice(0, 200)}'.`,
        );
      return this.#uploadedLabels(head).includes(which.label)
        ? refuse(
            'conflict',
            `The class '${which.label}' of '${head}' was uploaded with it: its examples are not here to be forgotten. Train a head without it and upload that.`,
          )
        : refuse('class_not_found', `Head '${head}' has no examples of a class '${which.label}'.`);
    });
    if ('refused' in forgotten) return forgotten;
    const revision = this.rows.examples.revision(head) ?? 0;
    return this.#answer(head, revision, { forgotten: forgotten.count }, true);
  }

  /** Gives an example another of the head's labels, and trains with it before it answers. */
  async relabel(head: string, id: string, label: string): Promise<TaughtResult | Refused> {
    const changed = await this.write(() => {
      const state = this.rows.examples.state(head);
      if (state === undefined) return untaught(head);
      const uploaded = this.#uploadedLabels(head);
      if (!uploaded.includes(label) && !state.classes.some((known) => known.label === label)) {
        return refuse('class_not_found', `Head '${head}' has no class '${label}'. Teach it first.`);
      }
      const revision = this.rows.examples.relabel(head, id, label);
      if (revision === undefined)
        return refuse('example_not_found', `Head '${head}' has no example '${id}'.`);
      return { revision };
    });
    return 'refused' in changed ? changed : this.#answer(head, changed.revision, {}, true);
  }

  /** A captured prediction becomes an example, or is dismissed. */
  async feedback(
    head: string,
    id: string,
    label: string | null,
    origin: CodeOrigin,
  ): Promise<TaughtResult | Refused> {
    const stored = await this.write<{ added: Added | null } | Refused>((now) => {
      const capture = this.rows.captures.find(head, id);
      if (capture === undefined) {
        return refuse('prediction_not_found', `No prediction '${id}' of '${head}' waits for review.`);
      }
      if (label === null) {
        this.rows.captures.remove(id);
        return { added: null };
      }
      const examples = [{ ...capture, label, source: 'feedback' as const }];
      const added =
        this.#otherUpload(head, origin) ??
        this.#otherReader(head, capture, origin) ??
        this.rows.examples.add(head, origin, examples, now);
      if ('refused' in added) return added;
      this.rows.captures.remove(id);
      return { added };
    });
    if ('refused' in stored) return stored;
    if (stored.added === null) {
      const state = this.rows.examples.state(head);
      const answer =
        state === undefined
          ? { head, examples: 0, classes: [] }
          : taughtAnswer(this.rows.heads, head, state, {}, false);
      return { answer, pointer: this.rows.heads.pointer(head), repeated: false };
    }
    const { revision, added, duplicates } = stored.added;
    return this.#answer(head, revision, { added, duplicates }, true);
  }

  /** What a crash left: heads that were to forget something. */
  async resume(): Promise<void> {
    for (const head of this.rows.examples.unfinishedForgetting()) {
      const result = await this.#training.reach(head, this.rows.examples.revision(head) ?? 0);
      if ('refused' in result)
        console.warn(JSON.stringify({ message: 'forgetting postponed', code: result.refused.code }));
    }
  }

  #store(head: string, request: TeachRequest, now: number): Stored | Refused {
    const { idempotency } = request;
    if (idempotency !== undefined) {
      const known = this.rows.idempotency.recall(idempotency, now);
      if ('refused' in known || known.state !== 'new') return known;
    }
    const refusal = this.#otherUpload(head, request.origin);
    if (refusal !== undefined) return refusal;
    const { examples: rows, secondCodes } = this.rows;
    const known = rows.state(head)?.origin;
    const moved = afterMove(head, request, known, secondCodes.former(head)?.origin);
    if ('refused' in moved) return moved;
    const added = rows.add(head, moved.origin, moved.examples, now, moved.target);
    if ('refused' in added) return added;
    if (idempotency !== undefined) this.rows.idempotency.remember(idempotency, head, added, now);
    return { state: 'stored', added };
  }

  /** What the codes of a head's examples are of, as far as that is fixed. */
  codeSpace(head: string): KnownSpace {
    return this.exists ? this.#knownSpace(head) : {};
  }

  #knownSpace(head: string): KnownSpace {
    const origin = this.rows.examples.state(head)?.origin;
    if (origin !== undefined) {
      const target = this.rows.secondCodes.target(head)?.origin;
      return { origin, base: origin.base, target };
    }
    const current = this.rows.heads.live(head)?.current;
    const row = current === undefined ? undefined : this.rows.heads.version(head, current);
    return { base: row && { version: row.version, sha256: row.sha256 } };
  }

  /** The first examples of an uploaded head are taught on top of what is current: codes of anything else are refused. */
  #otherUpload(head: string, origin: CodeOrigin): Refused | undefined {
    if (this.rows.examples.state(head) !== undefined) return undefined;
    if (this.#knownSpace(head).base?.sha256 === origin.base?.sha256) return undefined;
    return refuse('conflict', `Head '${head}' was uploaded or deleted at this moment. Repeat the request.`);
  }

  /** Whether a version that made a prediction read other codes than those that examples are. */
  #otherReader(head: string, { version, space }: Found, origin: CodeOrigin): Refused | undefined {
    const { base, codeLength } = origin;
    const row = this.rows.heads.version(head, version);
    const isOurs =
      row === undefined ||
      row.trained_revision !== null ||
      row.version === base?.version ||
      base === undefined;
    if (!isOurs)
      return refuse(
        'conflict',
        `Version ${version} of '${head}', which made this prediction, ${OTHER_CODES}`,
      );
    const described = row && parse(this.rows.heads.descriptions.find(head, version));
    // A code of before its space was written down, whose version is gone, was read as all were then.
    const { statistics: _, input: __, ...before } = origin;
    const reads = space ?? (described === undefined ? before : spaceOf({ ...described, codeLength }));
    return sameSpace(reads, origin)
      ? undefined
      : refuse(
          'backbone_mismatch',
          `Version ${version} of '${head}', which made this prediction, ${OTHER_CODES}`,
        );
  }

  #uploadedLabels(head: string): readonly string[] {
    const base = this.rows.examples.state(head)?.origin.base?.version;
    if (base === undefined || this.rows.heads.version(head, base) === undefined) return [];
    return parse(this.rows.heads.descriptions.find(head, base)).labels;
  }

  async #answer(
    head: string,
    revision: number,
    counts: Counts,
    train: boolean,
  ): Promise<TaughtResult | Refused> {
    if (train) {
      const reached = await this.#training.reach(head, revision);
      if ('refused' in reached) return reached;
    }
    const state = this.rows.examples.state(head);
    if (state === undefined) return untaught(head);
    const answer = taughtAnswer(this.rows.heads, head, state, counts, train);
    return { answer, pointer: this.rows.heads.pointer(head), repeated: false };
  }
}

function untaught(head: string): Refused {
  return refuse('head_not_found', `Head '${head}' was never taught here.`);
}
