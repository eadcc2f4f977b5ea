/**
 * Trains heads on the examples that a tenant's store holds. One training at a time within the tenant, and within the
 * memory that an isolate lends to all of them; requests that wait for the same head share one training. A version is
 * committed only if nothing that it was trained on was forgotten meanwhile.
 */
import linalg from '../../../build/wasm/linalg.wasm?module';
import { HeadwaterError } from '../../../src/errors.ts';
import { readHead, writeHead } from '../../../src/head/index.ts';
import { isContinuable } from '../../../src/learn/further/continue.ts';
import { teachFurther } from '../../../src/learn/further/teach-further.ts';
import { trainWithMetrics } from '../../../src/learn/ridge/train.ts';
import { trainingBytes, type TrainingSize } from '../../../src/learn/ridge/training-memory.ts';
import { sha256Hex } from '../../access/api-key.ts';
import { memory } from '../../isolate/memory.ts';
import {
  MAX_EXAMPLES_PER_HEAD,
  MAX_HEAD_BYTES,
  MAX_TRAINING_ATTEMPTS,
  TRAINING_TERMS,
} from '../../limits.ts';
import { ApiError } from '../../http/problem.ts';
import { giveWay } from '../../isolate/right-of-way.ts';
import { writeHeadFile, headDamaged, readHeadFile } from '../../stores/head-files.ts';
import { refuse, type Refused } from '../refused.ts';
import { describe, parse } from '../heads/describe.ts';
import type { TaughtState } from './examples.ts';
import { guardFault } from '../heads/guard.ts';
import type { VersionRow } from '../heads/head-rows.ts';
import type { Stores } from '../outbox.ts';
import { reportOf, type StoredReport } from './report.ts';
import type { Rows } from '../rows.ts';
import type { IdentifiedSet } from './training-set.ts';
import type { Reservation, Upload } from '../heads/uploads.ts';
import type { Write } from '../writer.ts';

/** There is nothing to do, or nothing more. */
interface Done {
  readonly state: 'done';
}
const DONE: Done = { state: 'done' };

export class Training {
  readonly #rows: Rows;
  readonly #write: Write;
  readonly #stores: Stores;
  /** What is being trained, or the last that was. */
  #last: Promise<unknown> = Promise.resolve();
  /** Trainings that have not begun: whoever comes now may join. */
  readonly #waiting = new Map<string, Promise<object | Refused>>();

  constructor(rows: Rows, write: Write, stores: Stores) {
    this.#rows = rows;
    this.#write = write;
    this.#stores = stores;
  }

  /** Until a version is there that knows the examples of a revision, or later ones, and none that was forgotten. */
  async reach(head: string, revision: number): Promise<object | Refused> {
    for (let attempt = 0; attempt < MAX_TRAINING_ATTEMPTS; attempt++) {
      const state = this.#rows.examples.state(head);
      if (state === undefined) return refuse('head_not_found', `Head '${head}' was deleted meanwhile.`);
      const trained = this.#rows.heads.newestTrained(head)?.trained_revision ?? 0;
      if (state.forgottenFrom === null && (trained >= revision || !canBeTrained(state))) return DONE;
      const result = await this.#join(head);
      if ('refused' in result) return result;
    }
    return refuse(
      'conflict',
      `Examples of '${head}' were forgotten while it was trained, again and again. Repeat.`,
    );
  }

  #join(head: string): Promise<object | Refused> {
    const waiting = this.#waiting.get(head);
    if (waiting !== undefined) return waiting;
    const training = this.alone(() => {
      this.#waiting.delete(head);
      return this.#train(head);
    });
    this.#waiting.set(head, training);
    return training;
  }

  /** Runs a task while no training of this tenant is under way. */
  alone<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #train(head: string): Promise<object | Refused> {
    const state = this.#rows.examples.state(head);
    if (state === undefined) return DONE;
    if (!canBeTrained(state)) return this.#write((now) => this.#untrain(head, now));
    const base = this.#base(head, state);
    const size = this.#size(head, state, base);
    // What was forgotten must go, also where what is left cannot be trained on.
    if (state.forgottenFrom !== null && trainingBytes(size) > memory.largest)
      await this.#write((now) => this.#untrain(head, now));
    return withinMemory(head, size, () => this.#trainNow(head, base));
  }

  async #trainNow(head: string, base: VersionRow | undefined): Promise<object | Refused> {
    const found = await this.#rows.trainingSets.read(head, giveWay);
    if (found === undefined) return DONE;
    const { revision } = found;
    const { bytes, upload, report } = await trained(found, base && (await this.#read(head, base)));
    await giveWay();
    const reserved = await this.#write<Reservation | Done>((now) => {
      if (this.#outdated(head, revision)) return DONE;
      const reservation = this.#rows.uploads.reserve(head, upload, now);
      if ('state' in reservation && reservation.state === 'exists') this.#endForgetting(head, revision, now);
      return reservation;
    });
    if ('refused' in reserved || reserved.state !== 'reserved') return reserved;
    await writeHeadFile(this.#stores.HEADS, reserved.objectName, bytes, upload.sha256);
    return this.#write((now) => {
      // Left as it is: the reservation ends and its object is deleted.
      if (this.#outdated(head, revision)) return DONE;
      const committed = this.#rows.uploads.commit(head, reserved.version, now, this.guard(head, upload));
      if ('refused' in committed) return committed;
      this.#endForgetting(head, revision, now);
      this.#rows.reports.store(head, committed.version, report);
      return committed;
    });
  }

  /** The version that the head is taught on top of, if there is one: it stays as long as there are examples. */
  #base(head: string, { origin: { base } }: TaughtState): VersionRow | undefined {
    if (base === undefined) return undefined;
    const row = this.#rows.heads.version(head, base.version);
    if (row?.sha256 !== base.sha256)
      throw new Error(`Version ${base.version} of '${head}' is missing though it is taught on top of it.`);
    return row;
  }

  #size(head: string, { classes, origin }: TaughtState, base: VersionRow | undefined): TrainingSize {
    const size = sizeOf(classes, origin.codeLength);
    if (base === undefined) return size;
    const known = parse(this.#rows.heads.descriptions.find(head, base.version));
    const labels = new Set([...known.labels, ...classes.map(({ label }) => label)]);
    return {
      ...size,
      classes: labels.size,
      base: { bytes: base.bytes, isContinuable: isContinuable(known) },
    };
  }

  /** The file of a version: it is there as long as its row is. */
  async #read(head: string, { version, sha256 }: VersionRow): Promise<Uint8Array> {
    const file = { head, version, objectName: this.#rows.heads.objectName(head, version, sha256) };
    const bytes = await readHeadFile(this.#stores.HEADS, file);
    if (bytes === null) throw headDamaged(file, 'missing');
    return bytes;
  }

  /** Whether what was trained at a revision knows something that was forgotten since. */
  #outdated(head: string, revision: number): boolean {
    const state = this.#rows.examples.state(head);
    if (state === undefined || revision < state.firstRevision) return true;
    return state.forgottenFrom !== null && state.forgottenFrom <= revision && state.revision !== revision;
  }

  /** Deletes the versions that knew what was forgotten: there is a clean one now. */
  #endForgetting(head: string, revision: number, now: number): void {
    const from = this.#rows.examples.state(head)?.forgottenFrom ?? null;
    if (from === null) return;
    this.#rows.heads.dropTrained(head, from, revision, now);
    this.#rows.examples.endForgetting(head);
  }

  /** With too little left there is nothing to train; what knew more must go all the same. An uploaded head answers again. */
  #untrain(head: string, now: number): object {
    const state = this.#rows.examples.state(head);
    if (state === undefined || state.forgottenFrom === null) return DONE;
    this.#rows.heads.dropTrained(head, state.forgottenFrom, state.revision, now, state.origin.base?.version);
    this.#rows.examples.endForgetting(head);
    return DONE;
  }

  /** Why a new version must not answer: it is worse than the current one by more than the head's settings allow. */
  guard(head: string, upload: Upload): string | undefined {
    const margin = this.#rows.heads.settings(head).guard_margin;
    const current = this.#rows.heads.live(head)?.current;
    // What was forgotten must go, whatever that costs.
    if (margin === null || current === undefined || this.#rows.examples.state(head)?.forgottenFrom !== null)
      return undefined;
    const before = this.#rows.heads.version(head, current);
    // What was uploaded was judged on other pictures: there is nothing to compare.
    if (before === undefined || before.trained_revision === null) return undefined;
    return guardFault(this.#rows.heads.descriptions.find(head, current), upload.description, margin);
  }
}

/** Two classes, or one on top of an uploaded head's. */
export function canBeTrained({ classes, origin }: TaughtState): boolean {
  return classes.length >= (origin.base === undefined ? 2 : 1);
}

/** Of a training on a head's examples alone. */
export function sizeOf(classes: TaughtState['classes'], codeLength: number): TrainingSize {
  const examples = classes.reduce((sum, each) => sum + each.examples, 0);
  return { examples, codeLength, classes: classes.length };
}

/**
 * Runs a training when the isolate has memory for it. What is expected to go wrong comes back as a refusal, as does a training
 * that takes more memory than there is for all.
 */
export async function withinMemory<T>(
  head: string,
  size: TrainingSize,
  task: () => Promise<T>,
): Promise<T | Refused> {
  const bytes = trainingBytes(size);
  if (bytes > memory.largest) return tooMuchMemory(head, size, bytes);
  try {
    return await memory.with(bytes, task, TRAINING_TERMS);
  } catch (error) {
    // Errors lose their class on the way out of a Durable Object.
    if (error instanceof HeadwaterError || error instanceof ApiError)
      return refuse(error.code, error.message);
    throw error;
  }
}

function tooMuchMemory(
  head: string,
  { examples, classes, codeLength }: TrainingSize,
  bytes: number,
): Refused {
  const [needed, most] = [Math.ceil(bytes / 1e6), Math.floor(memory.largest / 1e6)];
  return refuse(
    'training_data_too_large',
    `Training '${head}' on ${examples} examples of ${codeLength} numbers, with ${classes} classes in all, takes ${needed} MB of memory; at the edge ${most} are the most. Its examples are stored, and the head answers as before. Delete some of them, or train it with \`headwater train DIR --out FILE\` and upload it with \`headwater push FILE --head ${head}\`.`,
  );
}

/**
 * Trains, in turns with the other requests of the isolate.
 * @param base the file of the head that is taught further; none: the head is trained on the set alone.
 * @throws HeadwaterError training_data_…, head_too_large
 */
export async function trained(
  found: IdentifiedSet,
  base?: Uint8Array,
): Promise<{ bytes: Uint8Array; upload: Upload; report: StoredReport | null }> {
  const { set, ids, revision } = found;
  const options = { linalg, pause: giveWay };
  const training =
    base === undefined
      ? await trainWithMetrics(set, { ...options, maxExamples: MAX_EXAMPLES_PER_HEAD })
      : await teachFurther(readHead(base), set, options);
  const bytes = writeHead(training.head);
  if (bytes.byteLength > MAX_HEAD_BYTES)
    throw new HeadwaterError(
      'head_too_large',
      `The head would take ${bytes.byteLength} bytes with these classes; ${MAX_HEAD_BYTES} are the most.`,
    );
  const sha256 = await sha256Hex(bytes);
  const description = describe(training.head);
  return {
    bytes,
    upload: { sha256, bytes: bytes.byteLength, description, trainedRevision: revision },
    report: reportOf(set, ids, training),
  };
}
