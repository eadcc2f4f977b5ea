/** All codes of a head's examples at once, for training: read a stretch at a time, so that other requests have their turn. */
import type { Pause } from '../../src/learn/pacer.ts';
import type { TrainingSet } from '../../src/learn/train.ts';
import type { Examples, TaughtState } from './examples.ts';

/** A training set as it stood at one revision. */
export interface IdentifiedSet {
  readonly revision: number;
  readonly set: TrainingSet;
  /** Of the set's examples, in its order. */
  readonly ids: readonly string[];
}

/** Examples that are read between two pauses: less than a millisecond's work. */
const ROWS_AT_ONCE = 64;

export class TrainingSets {
  readonly #sql: SqlStorage;
  readonly #examples: Examples;

  constructor(sql: SqlStorage, examples: Examples) {
    this.#sql = sql;
    this.#examples = examples;
  }

  /**
   * With a pause between stretches; where something changes meanwhile, anew and in one go.
   * @returns undefined where the head was never taught.
   */
  async read(head: string, pause: Pause): Promise<IdentifiedSet | undefined> {
    const reading = this.#begin(head);
    while (reading?.next() === true) {
      await pause();
      if (this.#examples.revision(head) !== reading.revision) return this.#readAtOnce(head);
    }
    return reading;
  }

  #readAtOnce(head: string): IdentifiedSet | undefined {
    const reading = this.#begin(head);
    while (reading?.next() === true);
    return reading;
  }

  #begin(head: string): Reading | undefined {
    const state = this.#examples.state(head);
    return state && new Reading(this.#sql, head, state);
  }
}

/** Room for all codes of a head; each call of `next` fills in a stretch of them, until there is no more. */
class Reading implements IdentifiedSet {
  readonly revision: number;
  readonly set: TrainingSet;
  readonly ids: string[] = [];
  readonly #sql: SqlStorage;
  readonly #head: string;
  readonly #codeBytes: number;
  #after = '';

  constructor(sql: SqlStorage, head: string, { revision, origin, classes }: TaughtState) {
    const { taps, codeLength, base: _base, ...backbone } = origin;
    const n = classes.reduce((sum, { examples }) => sum + examples, 0);
    this.#sql = sql;
    this.#head = head;
    this.#codeBytes = codeLength * Float16Array.BYTES_PER_ELEMENT;
    this.revision = revision;
    this.set = {
      backbone,
      taps,
      labels: classes.map(({ label }) => label),
      codes: new Float16Array(n * codeLength),
      targets: new Uint16Array(n),
    };
  }

  next(): boolean {
    const { ids } = this;
    const { labels, codes, targets } = this.set;
    const bytes = new Uint8Array(codes.buffer);
    const before = ids.length;
    const rows = this.#sql.exec<{ id: string; label: string; picture: string; code: ArrayBuffer }>(
      'SELECT id, label, picture, code FROM examples WHERE head = ? AND picture > ? ORDER BY picture LIMIT ?',
      this.#head,
      this.#after,
      ROWS_AT_ONCE,
    );
    for (const { id, label, picture, code } of rows) {
      bytes.set(new Uint8Array(code), ids.length * this.#codeBytes);
      targets[ids.length] = labels.indexOf(label);
      ids.push(id);
      this.#after = picture;
    }
    return ids.length > before && ids.length < targets.length;
  }
}
