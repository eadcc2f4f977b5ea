/** All codes of a head's examples at once, for training: read a stretch at a time, so that other requests have their turn. */
import type { Pause } from '../../../src/learn/pacer.ts';
import type { TrainingSet } from '../../../src/learn/ridge/train.ts';
import { codesRead } from '../../../src/learn/training-set.ts';
import type { Examples, TaughtState } from './examples.ts';
import type { SecondSpace } from '../rebase/second-codes.ts';

/** A training set as it stood at one revision. */
export interface IdentifiedSet {
  readonly revision: number;
  readonly set: TrainingSet;
  /** Of the set's examples, in its order. */
  readonly ids: readonly string[];
}

interface CodeRow extends Record<string, SqlStorageValue> {
  id: string;
  label: string;
  picture: string;
  code: ArrayBuffer;
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
   * @param space reads the second codes there, which all examples have; otherwise the codes that the head is trained with.
   * @returns undefined where the head was never taught.
   */
  async read(head: string, pause: Pause, space?: SecondSpace): Promise<IdentifiedSet | undefined> {
    const reading = this.#begin(head, space);
    while (reading?.next() === true) {
      await pause();
      if (this.#examples.revision(head) !== reading.revision) return this.#readAtOnce(head, space);
    }
    return reading;
  }

  #readAtOnce(head: string, space?: SecondSpace): IdentifiedSet | undefined {
    const reading = this.#begin(head, space);
    while (reading?.next() === true);
    return reading;
  }

  #begin(head: string, space?: SecondSpace): Reading | undefined {
    const state = this.#examples.state(head);
    return state && new Reading(this.#sql, head, state, space);
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
  readonly #space: SecondSpace | undefined;
  #after = '';

  constructor(sql: SqlStorage, head: string, state: TaughtState, space: SecondSpace | undefined) {
    const { revision, classes } = state;
    const { name, version, weightsSha256, codeLength, ...read } = space?.origin ?? state.origin;
    const n = classes.reduce((sum, { examples }) => sum + examples, 0);
    this.#sql = sql;
    this.#head = head;
    this.#space = space;
    this.#codeBytes = codeLength * Float16Array.BYTES_PER_ELEMENT;
    this.revision = revision;
    this.set = {
      ...codesRead({ backbone: { name, version, weightsSha256 }, ...read }),
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
    for (const { id, label, picture, code } of this.#stretch()) {
      bytes.set(new Uint8Array(code), ids.length * this.#codeBytes);
      targets[ids.length] = labels.indexOf(label);
      ids.push(id);
      this.#after = picture;
    }
    return ids.length > before && ids.length < targets.length;
  }

  #stretch(): SqlStorageCursor<CodeRow> {
    if (this.#space === undefined)
      return this.#sql.exec<CodeRow>(
        'SELECT id, label, picture, code FROM examples WHERE head = ? AND picture > ? ORDER BY picture LIMIT ?',
        this.#head,
        this.#after,
        ROWS_AT_ONCE,
      );
    return this.#sql.exec<CodeRow>(
      `SELECT id, label, picture, second_codes.code AS code FROM examples
         CROSS JOIN second_codes ON second_codes.example = examples.id AND space = ?
         WHERE head = ? AND picture > ? ORDER BY picture LIMIT ?`,
      this.#space.id,
      this.#head,
      this.#after,
      ROWS_AT_ONCE,
    );
  }
}
