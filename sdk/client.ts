/**
 * A typed client of the HTTP API. No dependencies: it needs fetch, FormData and AbortSignal, which Node, browsers and
 * Workers all have. Calls that may be repeated without harm are: after 429, 502 to 504 and lost connections, with
 * growing pauses or as late as the Worker asks.
 */
import type {
  BatchLine,
  Classification,
  HeadDetail,
  HeadSettings,
  HeadStored,
  HeadSummary,
  KeyCreated,
  KeySummary,
  Routing,
  Scope,
  Taught,
  VersionActivated,
} from '../src/api/index.ts';
import type { VersionReport } from '../src/api/report.ts';
import type { Feedback, ReviewItem } from '../src/api/review.ts';
import type { Usage } from '../src/api/usage.ts';
import type { z } from 'zod';
import { batchForm, batchLines } from './batch.ts';
import { canNameField } from './fields.ts';
import {
  isActivated,
  isClassification,
  isHeadDetail,
  isHeadList,
  isHeadStored,
  isKeyCreated,
  isKeyList,
  isReport,
  isReviewQueue,
  isRouting,
  isSettings,
  isTaught,
  isUsage,
} from './shapes.ts';
import { Transport, type Call, type CallOptions, type ClientOptions } from './transport.ts';

export { ApiError } from './errors.ts';
export type { Taught } from '../src/api/index.ts';
export type { CallOptions, ClientOptions } from './transport.ts';
export type { UploadProgress } from './upload.ts';

export interface Upload {
  readonly label: string;
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer> | Blob;
}

export interface Picture {
  readonly bytes: Uint8Array<ArrayBuffer> | Blob;
  readonly type: string;
}

export interface ClassifyOptions extends CallOptions {
  readonly topK?: number;
  /** The current one where absent. */
  readonly version?: number | undefined;
  /** Adds where in the picture this label's score comes from; `label` for the most probable one's. */
  readonly explain?: string | undefined;
}

export type BatchOptions = Pick<ClassifyOptions, 'topK' | 'version'> & CallOptions;

export interface TeachOptions extends CallOptions {
  /** Makes a repeat answer the same instead of teaching twice. */
  readonly idempotencyKey: string;
  /** False only stores the examples. */
  readonly train?: boolean;
}

export class HeadwaterClient {
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  async listHeads(options?: CallOptions): Promise<HeadSummary[]> {
    const call: Call = { method: 'GET', path: 'v1/heads', repeatable: true };
    return (await this.#transport.json(isHeadList, call, options)).heads;
  }

  async describeHead(head: string, options?: CallOptions): Promise<HeadDetail> {
    return this.#transport.json(
      isHeadDetail,
      { method: 'GET', path: headPath(head), repeatable: true },
      options,
    );
  }

  /** Deletes a head with all its versions and examples. */
  async deleteHead(head: string, options?: CallOptions): Promise<void> {
    await this.#transport.send({ method: 'DELETE', path: headPath(head), repeatable: true }, options);
  }

  /** Uploads a head file; the answer names its version. Repeating it is safe: versions are found by content. */
  async putHead(head: string, file: Uint8Array<ArrayBuffer>, options?: CallOptions): Promise<HeadStored> {
    const headers = { 'content-type': 'application/octet-stream' };
    const call: Call = { method: 'PUT', path: headPath(head), headers, body: file, repeatable: true };
    return this.#transport.json(isHeadStored, call, options);
  }

  /** @returns the version's head file. */
  async downloadVersion(head: string, version: number, options?: CallOptions): Promise<Blob> {
    const path = `${headPath(head)}/versions/${version}`;
    return (await this.#transport.send({ method: 'GET', path, repeatable: true }, options)).blob();
  }

  /**
   * Makes a version current: here at once, everywhere within 60 s.
   * @param percent of the requests only, as a canary.
   */
  async activateVersion(
    head: string,
    version: number,
    { percent, ...options }: CallOptions & { readonly percent?: number | undefined } = {},
  ): Promise<z.infer<typeof VersionActivated>> {
    const path = `${headPath(head)}/versions/${version}/activate`;
    const part = percent === undefined ? {} : json({ percent });
    return this.#transport.json(isActivated, { method: 'POST', path, ...part, repeatable: true }, options);
  }

  async deleteVersion(head: string, version: number, options?: CallOptions): Promise<void> {
    const path = `${headPath(head)}/versions/${version}`;
    await this.#transport.send({ method: 'DELETE', path, repeatable: true }, options);
  }

  /** Which versions answer: current, canary, shadow, names. */
  async routing(head: string, options?: CallOptions): Promise<Routing> {
    const call: Call = { method: 'GET', path: `${headPath(head)}/routing`, repeatable: true };
    return this.#transport.json(isRouting, call, options);
  }

  async settings(head: string, options?: CallOptions): Promise<HeadSettings> {
    const call: Call = { method: 'GET', path: `${headPath(head)}/settings`, repeatable: true };
    return this.#transport.json(isSettings, call, options);
  }

  async configure(head: string, settings: HeadSettings, options?: CallOptions): Promise<HeadSettings> {
    const path = `${headPath(head)}/settings`;
    const call: Call = { method: 'PUT', path, ...json(settings), repeatable: true };
    return this.#transport.json(isSettings, call, options);
  }

  /** What was taken for what, how sure the version was, and which examples look wrong. */
  async versionReport(head: string, version: number, options?: CallOptions): Promise<VersionReport> {
    const path = `${headPath(head)}/versions/${version}/report`;
    return this.#transport.json(isReport, { method: 'GET', path, repeatable: true }, options);
  }

  async classify(
    head: string,
    picture: Picture,
    { topK, version, explain, ...options }: ClassifyOptions = {},
  ): Promise<Classification> {
    const call: Call = {
      method: 'POST',
      path: `${headPath(head)}/classify`,
      query: { top_k: topK, version, explain },
      headers: { 'content-type': picture.type },
      body: picture.bytes,
      repeatable: true,
    };
    return this.#transport.json(isClassification, call, options);
  }

  /**
   * Classifies up to 100 pictures in one request; each line comes as soon as the Worker has it, a picture that can't be
   * read as one with a `problem`, and a summary as the last.
   * @param pictures files with names, or a ZIP of them.
   */
  async *classifyBatch(
    head: string,
    pictures: readonly File[] | Blob,
    { topK, version, ...options }: BatchOptions = {},
  ): AsyncGenerator<BatchLine, void, undefined> {
    const call: Call = {
      method: 'POST',
      path: `${headPath(head)}/classify-batch`,
      query: { top_k: topK, version },
      ...(pictures instanceof Blob
        ? { headers: { 'content-type': 'application/zip' }, body: pictures }
        : { body: batchForm(pictures) }),
      repeatable: true,
      streamed: true,
    };
    yield* batchLines(await this.#transport.send(call, options), options.signal);
  }

  /** Adds labelled pictures to a head, and retrains it unless `train` is false. */
  async teach(
    head: string,
    pictures: readonly Upload[],
    { idempotencyKey, train = true, ...options }: TeachOptions,
  ): Promise<Taught> {
    const form = new FormData();
    for (const { label, name, bytes } of pictures) {
      const file = bytes instanceof Blob ? bytes : new Blob([bytes]);
      if (canNameField(label)) {
        form.append(label, file, name);
      } else {
        form.append('label', label);
        form.append('image', file, name);
      }
    }
    const call: Call = {
      method: 'POST',
      path: `${headPath(head)}/teach`,
      query: { train: train ? undefined : false },
      headers: { 'idempotency-key': idempotencyKey },
      body: form,
      repeatable: true,
    };
    return this.#transport.json(isTaught, call, options);
  }

  /** Gives an example another label; the head is retrained. */
  async relabelExample(head: string, id: string, label: string, options?: CallOptions): Promise<Taught> {
    const path = `${headPath(head)}/examples/${encodeURIComponent(id)}`;
    const call: Call = { method: 'PATCH', path, ...json({ label }), repeatable: true };
    return this.#transport.json(isTaught, call, options);
  }

  /** Forgets an example; the head becomes the one that never saw it. */
  async forgetExample(head: string, id: string, options?: CallOptions): Promise<void> {
    const path = `${headPath(head)}/examples/${encodeURIComponent(id)}`;
    await this.#transport.send({ method: 'DELETE', path, repeatable: true }, options);
  }

  /** Forgets a class with its examples; the head becomes the one that never saw them. */
  async forgetClass(head: string, label: string, options?: CallOptions): Promise<void> {
    const path = `${headPath(head)}/classes/${encodeURIComponent(label)}`;
    await this.#transport.send({ method: 'DELETE', path, repeatable: true }, options);
  }

  /** Predictions that a person should look at, those whose label would help most first. */
  async review(head: string, options?: CallOptions): Promise<ReviewItem[]> {
    const call: Call = { method: 'GET', path: `${headPath(head)}/review`, repeatable: true };
    return (await this.#transport.json(isReviewQueue, call, options)).items;
  }

  /** The right label of a prediction makes it an example; null takes it off the queue. */
  async feedback(head: string, feedback: Feedback, options?: CallOptions): Promise<void> {
    const path = `${headPath(head)}/feedback`;
    await this.#transport.send({ method: 'POST', path, ...json(feedback), repeatable: true }, options);
  }

  async usage(options?: CallOptions): Promise<Usage> {
    return this.#transport.json(isUsage, { method: 'GET', path: 'v1/usage', repeatable: true }, options);
  }

  async listKeys(options?: CallOptions): Promise<KeySummary[]> {
    const call: Call = { method: 'GET', path: 'v1/keys', repeatable: true };
    return (await this.#transport.json(isKeyList, call, options)).keys;
  }

  /** The key itself is in this answer and never again. Not repeated: a second arrival would make a second key. */
  async createKey(
    name: string,
    scopes: readonly Scope[],
    options?: CallOptions,
  ): Promise<z.infer<typeof KeyCreated>> {
    const call: Call = {
      method: 'POST',
      path: 'v1/keys',
      ...json({ name, scopes }),
      repeatable: false,
    };
    return this.#transport.json(isKeyCreated, call, options);
  }

  /** Revoked here at once, everywhere within 60 s. */
  async revokeKey(id: string, options?: CallOptions): Promise<void> {
    const path = `v1/keys/${encodeURIComponent(id)}`;
    await this.#transport.send({ method: 'DELETE', path, repeatable: true }, options);
  }
}

function headPath(head: string): string {
  return `v1/heads/${encodeURIComponent(head)}`;
}

function json(value: unknown): Pick<Call, 'headers' | 'body'> {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
