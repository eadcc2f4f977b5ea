/** What calls take besides names: pictures, and how they are to be looked at or learned. */
import type { CallOptions } from './transport.ts';

export interface Upload {
  readonly label: string;
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer> | Blob;
}

export interface Picture {
  readonly bytes: Uint8Array<ArrayBuffer> | Blob;
  readonly type: string;
}

/** How any call that classifies is to answer. */
export interface AnswerOptions extends CallOptions {
  readonly topK?: number;
  /** What a canary's share is drawn by in the picture's place: a user's id, who should always meet the same version. */
  readonly routingKey?: string | undefined;
}

export interface BatchOptions extends AnswerOptions {
  /** Its number, or a name that it was given; the current one where absent. */
  readonly version?: number | string | undefined;
}

export interface ClassifyOptions extends BatchOptions {
  /** Adds where in the picture this label's score comes from; `label` for the most probable one's. */
  readonly explain?: string | undefined;
}

export interface EmbedOptions extends CallOptions {
  /** Codes that this head is taught with; those that new heads read where absent. */
  readonly head?: string;
  /** Codes of this backbone, by name; not together with `head`. */
  readonly backbone?: string;
  /** Side in pixels of the square that pictures are brought to, one at which the backbone is run; not together with `head`. */
  readonly size?: number;
  /** Pixel rules, 1 or 2; those of new heads on the backbone where absent; not together with `head`. */
  readonly rules?: 1 | 2;
  /** `float`: numbers, the default. `base64`: little-endian half precision, a fifth of the size. */
  readonly encoding?: 'float' | 'base64';
}

export interface TeachOptions extends CallOptions {
  /** Makes a repeat answer the same instead of teaching twice. */
  readonly idempotencyKey: string;
  /** False only stores the examples. */
  readonly train?: boolean;
}

export interface PageOptions extends CallOptions {
  /** Of a page: 100 where absent, 500 at most. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
}

export interface ExamplesOptions extends PageOptions {
  /** Of this class only. */
  readonly label?: string;
}
