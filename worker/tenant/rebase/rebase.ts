/**
 * Moves a head to another code space, a page of pictures at a time. Second codes fill up while the head goes on in its old
 * space; when all examples have one, the head is trained on them, and one transaction makes that the new version and the
 * second codes the examples'. Until then no answer changes, so that a crash at any point costs a page
 * or a training, which the next request repeats.
 */
import type { Rebase } from '../../../src/api/index.ts';
import { MAX_TRAINING_ATTEMPTS, REBASE_PAGE } from '../../limits.ts';
import { giveWay } from '../../isolate/right-of-way.ts';
import { writeHeadFile } from '../../stores/head-files.ts';
import type { Pointer } from '../../stores/layout.ts';
import { refuse, type Refused } from '../refused.ts';
import { TenantTarget } from '../target.ts';
import type { CodeOrigin } from '../code-origin.ts';
import type { TaughtState } from '../teach/examples.ts';
import type { Stores } from '../outbox.ts';
import { gone, isThere, progressOf, untaughtProgress } from './progress.ts';
import type { Rows } from '../rows.ts';
import type { MadeCode, SecondSpace } from './second-codes.ts';
import { sizeOf, trained, withinMemory, type Training } from '../teach/training.ts';
import type { Reservation } from '../heads/uploads.ts';
import type { Write } from '../writer.ts';

/** A picture that a code is wanted of. */
export interface WantedPicture {
  readonly example: string;
  /** Its SHA-256. */
  readonly picture: string;
  readonly objectName: string;
}

/** What is to be read next; nothing where all is done, or where all examples have their codes. */
export interface RebasePage {
  readonly progress: Rebase;
  readonly pictures: readonly WantedPicture[];
}

/** Of a head that was moved, and what the caller's isolate should know of it from now on. */
export interface Moved {
  readonly progress: Rebase;
  readonly pointer: Pointer | null;
}

/** Something changed since the training began: once more. */
interface Again {
  readonly state: 'again';
}
const AGAIN: Again = { state: 'again' };

export class Rebasing extends TenantTarget {
  readonly #training: Training;
  readonly #stores: Stores;

  constructor(rows: Rows, write: Write, training: Training, stores: Stores) {
    super(rows, write);
    this.#training = training;
    this.#stores = stores;
  }

  /** How far it is. @param origin the default code space, here and below. */
  look(head: string, origin: CodeOrigin): Rebase | Refused {
    const locked = this.rows.standing.headsLocked();
    if (locked !== undefined) return locked;
    const state = this.rows.examples.state(head);
    return state === undefined
      ? untaughtProgress(this.rows, head, origin)
      : progressOf(this.rows, head, state, origin);
  }

  /** Begins where nothing is under way to that space, and tells which pictures are to be read next. */
  page(head: string, origin: CodeOrigin): Promise<RebasePage | Refused> {
    return this.write(() => {
      const state = this.rows.examples.state(head);
      if (state === undefined) {
        const untaught = untaughtProgress(this.rows, head, origin);
        if ('refused' in untaught) return untaught;
        return untaught.state === 'done' ? { progress: untaught, pictures: [] } : obstructed(untaught);
      }
      if (isThere(state.origin, origin))
        return { progress: progressOf(this.rows, head, state, origin), pictures: [] };
      const { secondCodes } = this.rows;
      const known = secondCodes.targetIn(head, origin);
      const target = known ?? secondCodes.begin(head, origin);
      const progress = progressOf(this.rows, head, state, origin);
      if (progress.obstacle !== undefined) {
        if (known === undefined) secondCodes.giveUp(head);
        return obstructed(progress);
      }
      const pictures = secondCodes.lacking(head, target, REBASE_PAGE).flatMap(({ id, picture }) => {
        const objectName = this.rows.pictures.find(head, id);
        return objectName === null ? [] : [{ example: id, picture, objectName }];
      });
      return { progress, pictures };
    });
  }

  /** Keeps what was made of a page's pictures. Of examples that were forgotten meanwhile nothing is kept. */
  store(head: string, origin: CodeOrigin, made: readonly MadeCode[]): Promise<Rebase | Refused> {
    return this.write(() => {
      const state = this.rows.examples.state(head);
      if (state === undefined) return gone(head);
      // Another client was faster to the end.
      if (isThere(state.origin, origin)) return progressOf(this.rows, head, state, origin);
      const target = this.rows.secondCodes.targetIn(head, origin);
      if (target === undefined)
        return refuse('conflict', `Moving '${head}' was given up meanwhile. POST begins it anew.`);
      const full = this.rows.secondCodes.overflow(made.length);
      if (full !== undefined) return full;
      for (const each of made) this.rows.secondCodes.store(head, target, each);
      return progressOf(this.rows, head, state, origin);
    });
  }

  /** Trains on the second codes, which all examples have, and switches to them. Where that was done, it only answers. */
  async finish(head: string, origin: CodeOrigin): Promise<Moved | Refused> {
    for (let attempt = 0; attempt < MAX_TRAINING_ATTEMPTS; attempt++) {
      const progress = this.look(head, origin);
      if ('refused' in progress) return progress;
      if (progress.state === 'done') return { progress, pointer: this.rows.heads.pointer(head) };
      // Pictures were taught meanwhile: a page comes first.
      if (progress.obstacle === undefined && progress.done < progress.total)
        return { progress, pointer: this.rows.heads.pointer(head) };
      // So that both are judged on the same examples, and nothing is left to be forgotten.
      const reached = await this.#training.reach(head, this.rows.examples.revision(head) ?? 0);
      if ('refused' in reached) return reached;
      const result = await this.#training.alone(() => this.#train(head, origin));
      if ('refused' in result) return result;
    }
    return refuse('conflict', `Examples of '${head}' changed while it was trained, again and again. Repeat.`);
  }

  /** The head stays where it is. */
  giveUp(head: string, origin: CodeOrigin): Promise<Rebase | Refused> {
    return this.write(() => {
      this.rows.secondCodes.giveUp(head);
      return this.look(head, origin);
    });
  }

  async #train(head: string, origin: CodeOrigin): Promise<object | Refused> {
    const state = this.rows.examples.state(head);
    if (state === undefined) return gone(head);
    const target = this.rows.secondCodes.targetIn(head, origin);
    if (target === undefined) return AGAIN;
    const progress = progressOf(this.rows, head, state, origin);
    if (progress.obstacle !== undefined) return obstructed(progress);
    if (progress.done < progress.total) return AGAIN;
    return withinMemory(head, sizeOf(state.classes, origin.codeLength), () => this.#trainNow(head, target));
  }

  async #trainNow(head: string, target: SecondSpace): Promise<object | Refused> {
    const found = await this.rows.trainingSets.read(head, giveWay, target);
    if (found === undefined || found.ids.length < found.set.targets.length) return AGAIN;
    const { revision } = found;
    const { bytes, upload, report } = await trained({ ...found, revision: revision + 1 });
    await giveWay();
    const reserved = await this.write<Reservation | Again>((now) => {
      const state = this.#unchanged(head, target, revision);
      if (state === undefined) return AGAIN;
      const fault = this.#training.guard(head, upload);
      if (fault !== undefined) return worse(head, fault);
      const reservation = this.rows.uploads.reserve(head, upload, now);
      if ('state' in reservation && reservation.state === 'exists') this.#switch(head, target, state);
      return reservation;
    });
    if ('refused' in reserved || reserved.state !== 'reserved') return reserved;
    await writeHeadFile(this.#stores.HEADS, reserved.objectName, bytes, upload.sha256);
    return this.write((now) => {
      const state = this.#unchanged(head, target, revision);
      // Left as it is: the reservation ends and its object is deleted.
      if (state === undefined) return AGAIN;
      const committed = this.rows.uploads.commit(head, reserved.version, now);
      if ('refused' in committed) return committed;
      this.#switch(head, target, state);
      this.rows.reports.store(head, committed.version, report);
      return committed;
    });
  }

  /** The examples as they were trained with, or undefined where anything has changed since. */
  #unchanged(head: string, target: SecondSpace, revision: number): TaughtState | undefined {
    const state = this.rows.examples.state(head);
    const isSo =
      state?.revision === revision &&
      state.forgottenFrom === null &&
      this.rows.secondCodes.target(head)?.id === target.id;
    return isSo ? state : undefined;
  }

  #switch(head: string, target: SecondSpace, { origin, firstRevision, revision }: TaughtState): void {
    const former = this.rows.secondCodes.former(head);
    const first = former === undefined ? firstRevision : former.last + 1;
    this.rows.secondCodes.exchange(head, target, { origin, first, last: revision });
    this.rows.examples.move(head, target.origin);
  }
}

function obstructed({ head, obstacle }: Rebase): Refused {
  return refuse('conflict', `Head '${head}' cannot be moved: ${obstacle ?? 'it is there already.'}`);
}

function worse(head: string, fault: string): Refused {
  return refuse(
    'conflict',
    `Head '${head}' was not moved, and its codes are kept. ${fault} Repeat the request when guard_margin allows it (PUT /v1/heads/${head}/settings), or give the move up with DELETE.`,
  );
}
