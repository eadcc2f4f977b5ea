/**
 * Teaching and forgetting within the tenant's Durable Object. A lesson's examples and its Idempotency-Key are stored in
 * one transaction; training follows. A crash between leaves examples that the repeat of the request finds, or that the
 * next lesson trains with; a head that must forget is trained by the alarm if by nobody else.
 */
import { Taught } from '../../src/api/index.ts';
import type { Pointer } from '../stores/layout.ts';
import type { NewExample } from '../teach/embed-lessons.ts';
import { step, type StepListener } from '../steps.ts';
import { refuse, type Refused } from './call.ts';
import type { Captures } from './captures.ts';
import { parse } from './describe.ts';
import type { Added, CodeOrigin, Examples } from './examples.ts';
import type { Heads } from './heads.ts';
import type { Idempotency, IdempotencyKey } from './idempotency.ts';
import { taughtAnswer, type Counts } from './taught.ts';
import type { Training, Write } from './training.ts';

export interface Lesson {
  readonly origin: CodeOrigin;
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

export type Forgetting = { readonly id: string } | { readonly label: string };

type Stored =
  | { readonly state: 'stored'; readonly added: Added }
  | { readonly state: 'answered'; readonly answer: string };

export class Teaching {
  readonly #heads: Heads;
  readonly #examples: Examples;
  readonly #idempotency: Idempotency;
  readonly #captures: Captures;
  readonly #training: Training;
  readonly #write: Write;
  readonly #steps: StepListener;

  constructor(parts: {
    heads: Heads;
    examples: Examples;
    idempotency: Idempotency;
    captures: Captures;
    training: Training;
    write: Write;
    steps: StepListener;
  }) {
    this.#heads = parts.heads;
    this.#examples = parts.examples;
    this.#idempotency = parts.idempotency;
    this.#captures = parts.captures;
    this.#training = parts.training;
    this.#write = parts.write;
    this.#steps = parts.steps;
  }

  async teach(head: string, lesson: Lesson): Promise<TaughtResult | Refused> {
    const stored = await this.#write((now) => this.#store(head, lesson, now));
    if ('refused' in stored) return stored;
    if (stored.state === 'answered') {
      const answer = Taught.parse(JSON.parse(stored.answer));
      return { answer, pointer: this.#heads.pointer(head), repeated: true };
    }
    await step(this.#steps, 'examples stored');
    const { revision, added, duplicates } = stored.added;
    const result = await this.#answer(head, revision, { added, duplicates }, lesson.train);
    if ('refused' in result || lesson.idempotency === undefined) return result;
    const { key } = lesson.idempotency;
    await this.#write(() => {
      this.#idempotency.answered(key, JSON.stringify(result.answer));
      return {};
    });
    await step(this.#steps, 'before the answer');
    return result;
  }

  /** Trains on what is stored. Without any change since the last training it only answers. */
  async train(head: string): Promise<TaughtResult | Refused> {
    const state = this.#examples.state(head);
    if (state === undefined) return untaught(head);
    return this.#answer(head, state.revision, {}, true);
  }

  /** Forgets examples and trains without them before it answers. */
  async forget(head: string, which: Forgetting): Promise<TaughtResult | Refused> {
    const forgotten = await this.#write((now) => {
      if (this.#examples.state(head) === undefined) return untaught(head);
      const count = this.#examples.forget(head, which, now);
      if (count > 0) return { count };
      if ('id' in which) return refuse('example_not_found', `Head '${head}' has no example '${which.id}'.`);
      return this.#uploadedLabels(head).includes(which.label)
        ? refuse(
            'conflict',
            `The class '${which.label}' of '${head}' was uploaded with it: its examples are not here to be forgotten. Train a head without it and upload that.`,
          )
        : refuse('class_not_found', `Head '${head}' has no examples of a class '${which.label}'.`);
    });
    if ('refused' in forgotten) return forgotten;
    const revision = this.#examples.state(head)?.revision ?? 0;
    return this.#answer(head, revision, { forgotten: forgotten.count }, true);
  }

  /** Gives an example another of the head's labels, and trains with it before it answers. */
  async relabel(head: string, id: string, label: string): Promise<TaughtResult | Refused> {
    const changed = await this.#write(() => {
      const state = this.#examples.state(head);
      if (state === undefined) return untaught(head);
      const uploaded = this.#uploadedLabels(head);
      if (!uploaded.includes(label) && !state.classes.some((known) => known.label === label)) {
        return refuse('class_not_found', `Head '${head}' has no class '${label}'. Teach it first.`);
      }
      const revision = this.#examples.relabel(head, id, label);
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
    const stored = await this.#write<{ added: Added | null } | Refused>((now) => {
      const capture = this.#captures.find(head, id);
      if (capture === undefined) {
        return refuse('prediction_not_found', `No prediction '${id}' of '${head}' waits for review.`);
      }
      if (label === null) {
        this.#captures.remove(id);
        return { added: null };
      }
      const examples = [{ ...capture, label, source: 'feedback' as const }];
      const added =
        this.#otherUpload(head, origin) ??
        this.#otherReader(head, capture.version, origin) ??
        this.#examples.add(head, origin, examples, now);
      if ('refused' in added) return added;
      this.#captures.remove(id);
      return { added };
    });
    if ('refused' in stored) return stored;
    if (stored.added === null) {
      const state = this.#examples.state(head);
      const answer =
        state === undefined
          ? { head, examples: 0, classes: [] }
          : taughtAnswer(this.#heads, head, state, {}, false);
      return { answer, pointer: this.#heads.pointer(head), repeated: false };
    }
    const { revision, added, duplicates } = stored.added;
    return this.#answer(head, revision, { added, duplicates }, true);
  }

  /** What a crash left: heads that were to forget something. */
  async resume(): Promise<void> {
    for (const head of this.#examples.unsettled()) {
      const result = await this.#training.reach(head, this.#examples.state(head)?.revision ?? 0);
      if ('refused' in result)
        console.warn(JSON.stringify({ message: 'forgetting postponed', code: result.refused.code }));
    }
  }

  #store(head: string, lesson: Lesson, now: number): Stored | Refused {
    const { idempotency } = lesson;
    if (idempotency !== undefined) {
      const known = this.#idempotency.recall(idempotency, now);
      if ('refused' in known || known.state !== 'new') return known;
    }
    const refusal = this.#otherUpload(head, lesson.origin);
    if (refusal !== undefined) return refusal;
    const added = this.#examples.add(head, lesson.origin, lesson.examples, now);
    if ('refused' in added) return added;
    if (idempotency !== undefined) this.#idempotency.remember(idempotency, head, added, now);
    return { state: 'stored', added };
  }

  /** The uploaded head whose codes the head's examples are, or would be; undefined: the backbone's own. */
  base(head: string): CodeOrigin['base'] {
    const state = this.#examples.state(head);
    if (state !== undefined) return state.base;
    const current = this.#heads.live(head)?.current;
    const row = this.#heads.versions(head).find(({ version }) => version === current);
    return row && { version: row.version, sha256: row.sha256 };
  }

  /** The first examples of an uploaded head are taught on top of what is current: codes of anything else are refused. */
  #otherUpload(head: string, origin: CodeOrigin): Refused | undefined {
    if (this.#examples.state(head) !== undefined) return undefined;
    if (this.base(head)?.sha256 === origin.base?.sha256) return undefined;
    return refuse('conflict', `Head '${head}' was uploaded or deleted at this moment. Repeat the request.`);
  }

  /** Whether a version that made a prediction read other codes than those that examples are. */
  #otherReader(head: string, version: number, { base, taps }: CodeOrigin): Refused | undefined {
    const row = this.#heads.versions(head).find((known) => known.version === version);
    const reads = row && parse(row.description).taps;
    const isOurs =
      row === undefined ||
      row.trained_revision !== null ||
      row.version === base?.version ||
      base === undefined;
    if (isOurs && (reads === undefined || reads.join('\n') === taps.join('\n'))) return undefined;
    return refuse(
      'conflict',
      `Version ${version} of '${head}', which made this prediction, reads other codes than its examples are. Teach the picture itself.`,
    );
  }

  #uploadedLabels(head: string): readonly string[] {
    const base = this.#examples.state(head)?.base?.version;
    const row = this.#heads.versions(head).find(({ version }) => version === base);
    return row === undefined ? [] : parse(row.description).labels;
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
    const state = this.#examples.state(head);
    if (state === undefined) return untaught(head);
    const answer = taughtAnswer(this.#heads, head, state, counts, train);
    return { answer, pointer: this.#heads.pointer(head), repeated: false };
  }
}

function untaught(head: string): Refused {
  return refuse('head_not_found', `Head '${head}' was never taught here.`);
}
