/**
 * A typed client of the HTTP API. No dependencies: it needs fetch, FormData and AbortSignal, which Node, browsers and
 * Workers all have. Calls that may be repeated without harm are: after 429, 502 to 504 and lost connections, with
 * growing pauses or as late as the Worker asks.
 */
import type {
  Classification,
  HeadDetail,
  HeadList,
  HeadStored,
  HeadSummary,
  KeyCreated,
  KeyList,
  KeySummary,
  Scope,
  VersionActivated,
} from '../src/api/index.ts';
import type { z } from 'zod';
import { isObject } from './errors.ts';
import { Transport, type Call, type CallOptions, type ClientOptions } from './transport.ts';

export { ApiError } from './errors.ts';
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

/** What teach answers; fields that a later Worker adds pass through. */
export interface Taught {
  readonly head: string;
  readonly version?: number;
  readonly [field: string]: unknown;
}

export interface ClassifyOptions extends CallOptions {
  readonly topK?: number;
  /** The current one where absent. */
  readonly version?: number | undefined;
  /** Adds where in the picture this label's score comes from; `label` for the most probable one's. */
  readonly explain?: string | undefined;
}

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

  /** Makes a version current: here at once, everywhere within 60 s. */
  async activateVersion(
    head: string,
    version: number,
    options?: CallOptions,
  ): Promise<z.infer<typeof VersionActivated>> {
    const path = `${headPath(head)}/versions/${version}/activate`;
    return this.#transport.json(isActivated, { method: 'POST', path, repeatable: true }, options);
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

  /** Adds labelled pictures to a head, and retrains it unless `train` is false. */
  async teach(
    head: string,
    pictures: readonly Upload[],
    { idempotencyKey, train = true, ...options }: TeachOptions,
  ): Promise<Taught> {
    const form = new FormData();
    for (const { label, name, bytes } of pictures) {
      form.append(label, bytes instanceof Blob ? bytes : new Blob([bytes]), name);
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

  /** Forgets a class with its examples; the head becomes the one that never saw them. */
  async forgetClass(head: string, label: string, options?: CallOptions): Promise<void> {
    const path = `${headPath(head)}/classes/${encodeURIComponent(label)}`;
    await this.#transport.send({ method: 'DELETE', path, repeatable: true }, options);
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
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, scopes }),
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

type Kind = 'string' | 'number' | 'array' | 'object';

/** Tells an answer of the Worker from a stranger's page: by the fields that every answer of its kind has. */
function has(value: unknown, fields: Readonly<Record<string, Kind>>): boolean {
  return isObject(value) && Object.entries(fields).every(([name, kind]) => isKind(value[name], kind));
}

function isKind(value: unknown, kind: Kind): boolean {
  if (kind === 'array') return Array.isArray(value);
  return kind === 'object' ? isObject(value) : typeof value === kind;
}

function isHeadList(value: unknown): value is z.infer<typeof HeadList> {
  return has(value, { heads: 'array' });
}

function isHeadDetail(value: unknown): value is HeadDetail {
  return has(value, { head: 'string', classes: 'array', versions: 'array' });
}

function isHeadStored(value: unknown): value is HeadStored {
  return has(value, { head: 'string', version: 'number' });
}

function isActivated(value: unknown): value is z.infer<typeof VersionActivated> {
  return has(value, { head: 'string', version: 'number' });
}

function isClassification(value: unknown): value is Classification {
  return has(value, { predictions: 'array', unknown: 'object', image: 'object' });
}

function isTaught(value: unknown): value is Taught {
  return has(value, { head: 'string' });
}

function isKeyList(value: unknown): value is z.infer<typeof KeyList> {
  return has(value, { keys: 'array' });
}

function isKeyCreated(value: unknown): value is z.infer<typeof KeyCreated> {
  return has(value, { id: 'string', key: 'string' });
}
