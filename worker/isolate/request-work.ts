/**
 * A request's budget of parsing, decoding and runs of backbones, over all its pictures. A picture is charged by its header,
 * before a decoder reads it, and a run by its plan, so that a body of a few kilobytes can't keep the isolate busy; training is
 * bounded by counts of its own. Between pictures, between runs and in the middle of long pictures others have their turn.
 */
import type { DecodeOptions } from '../../src/image/index.ts';
import type { Lender } from './leases.ts';
import { memory } from './memory.ts';
import { INFLATE_BYTE_NS, MAX_REQUEST_WORK_MS } from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import { giveWay } from './right-of-way.ts';

const NS_PER_MS = 1e6;

/** A backbone at a size. */
interface Runnable {
  readonly plan: { readonly name: string };
  readonly input: { readonly height: number; readonly width: number };
  /** What it takes for one picture. */
  readonly workNs: number;
}

export class RequestWork {
  readonly #answering: RequestWork | undefined;
  #silent: RequestWork | undefined;
  #spentNs = 0;
  #pictures = 0;
  /** Whether a backbone has run since others had their turn. */
  #ran = false;
  #memory: Lender | undefined;
  /** The tenant for whom it is done. */
  owner = '';
  /** Predictions that it is a part of, and does not wait for: 1 in a request for one, 0 where pictures are taught. */
  predictions = 0;

  /** @param answering the budget of the answers, where this is that of versions in the shadow. */
  constructor(answering?: RequestWork) {
    this.#answering = answering;
  }

  /** As much again for versions in the shadow: what they take is never missing to the answers. */
  get silent(): RequestWork {
    return (this.#silent ??= new RequestWork(this));
  }

  /** Lends to this request, for its body and whatever is made of it, in the share of its owner. */
  get memory(): Lender {
    return (this.#memory ??= memory.of(this.owner));
  }

  /** Begins the next picture, after a pause if there was one before. @returns what its decoder is to be told. */
  async nextPicture(): Promise<DecodeOptions> {
    const pause = (): Promise<void> => this.rest();
    if (this.#pictures++ > 0) await pause();
    return {
      allow: (workNs) => this.decode(workNs),
      pause,
      hold: (bytes, task) =>
        this.memory.with(bytes, async (grow) => {
          await grow(bytes);
          return task();
        }),
    };
  }

  /** Charges decoding of the present picture. @throws ApiError too_much_work */
  decode(workNs: number): void {
    this.#spend(workNs, `Picture ${this.#pictures} of this request`);
  }

  /**
   * Begins a backbone's run on a picture, after a pause if there was a run just before.
   * @throws ApiError too_much_work
   */
  async nextRun({ plan, input, workNs }: Runnable): Promise<void> {
    if (this.#ran) await this.rest();
    this.#ran = true;
    this.#spend(
      workNs,
      `Running ${plan.name} at ${input.height}×${input.width} pixels on picture ${this.#pictures} of this request`,
    );
  }

  /** Others have their turn, and predictions of others go first. */
  rest(): Promise<void> {
    this.#ran = false;
    return giveWay((this.#answering ?? this).predictions);
  }

  /** Bytes that may still be unpacked. */
  get inflatableBytes(): number {
    return Math.max(0, Math.floor((MAX_REQUEST_WORK_MS * NS_PER_MS - this.#spentNs) / INFLATE_BYTE_NS));
  }

  /** Charges what was unpacked. It was done, so that it counts also where it is too much. @throws ApiError too_much_work */
  inflated(bytes: number, what: string): void {
    const workNs = bytes * INFLATE_BYTE_NS;
    try {
      this.#spend(workNs, what);
    } catch (error) {
      this.#spentNs += workNs;
      throw error;
    }
  }

  #spend(workNs: number, what: string): void {
    const spentNs = this.#spentNs + workNs;
    if (spentNs > MAX_REQUEST_WORK_MS * NS_PER_MS) {
      throw new ApiError(
        'too_much_work',
        `${what} takes about ${ms(workNs)} ms, besides ${ms(this.#spentNs)} ms for what came before; one request may take ${MAX_REQUEST_WORK_MS} ms. Send fewer pictures at once, or smaller ones (the backbone looks at a few hundred pixels a side), or ask fewer heads.`,
      );
    }
    this.#spentNs = spentNs;
  }
}

/** The part of a request's context that keeps its budget. */
export interface Working {
  readonly req: { readonly raw: Request };
  // Not `var`, which Hono makes anew each time.
  get(key: 'work'): RequestWork | undefined;
  set(key: 'work', work: RequestWork): void;
}

/** Budgets of requests that are not their own. */
const charged = new WeakMap<Request, RequestWork>();

/** The budget of a request, the same for all that is done for it. */
export function workOf(c: Working): RequestWork {
  const known = c.get('work');
  if (known !== undefined) return known;
  const work = charged.get(c.req.raw) ?? new RequestWork();
  c.set('work', work);
  return work;
}

/** Calls of our own API on behalf of a request are charged to that request. */
export function chargeTo(c: Working, inner: Request): void {
  charged.set(inner, workOf(c));
}

function ms(ns: number): number {
  return Math.ceil(ns / NS_PER_MS);
}
