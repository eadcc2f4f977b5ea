/**
 * A typed client of the HTTP API. No dependencies: it needs fetch, FormData and Web Crypto's random UUIDs, which
 * Node, browsers and Workers all have.
 */
import type { Classification, HeadStored } from '../src/api/index.ts';

export interface ClientOptions {
  /** Where the Worker answers, for example https://headwater.example.workers.dev. */
  readonly url: string | URL;
  readonly key: string;
  /** For hosts with a fetch of their own. */
  readonly fetch?: typeof fetch;
}

export interface Upload {
  readonly label: string;
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What teach answers; fields that a later Worker adds pass through. */
export interface Taught {
  readonly head: string;
  readonly version?: number;
  readonly [field: string]: unknown;
}

/** What is sent; headers are a plain object here, so that the client can add its own. */
type Init = Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> };

/** An answer that is an error: RFC 9457 problem details where the Worker wrote them. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Stable; `unreachable` when no answer came. */
  readonly code: string;
  readonly requestId: string | undefined;

  constructor(
    message: string,
    details: { status: number; code: string; requestId?: string | undefined },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = details.status;
    this.code = details.code;
    this.requestId = details.requestId;
  }
}

/** Attempts at a request that may be repeated without harm, and the first pause between two, doubled each time. */
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 500;
/** A Worker may ask for longer pauses with Retry-After, up to this. */
const MAX_PAUSE_MS = 60_000;

export class HeadwaterClient {
  readonly #base: URL;
  readonly #key: string;
  readonly #fetch: typeof fetch;

  constructor({ url, key, fetch: fetcher = fetch }: ClientOptions) {
    this.#base = new URL(url);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
    this.#key = key;
    this.#fetch = (...args) => fetcher(...args);
  }

  /** Uploads a head file; the answer names its version. Repeating it is safe: versions are found by content. */
  async putHead(head: string, file: Uint8Array<ArrayBuffer>): Promise<HeadStored> {
    return this.#send(isHeadStored, `v1/heads/${encodeURIComponent(head)}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: file,
    });
  }

  async classify(
    head: string,
    picture: { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string },
    { topK }: { readonly topK?: number } = {},
  ): Promise<Classification> {
    const query = topK === undefined ? '' : `?top_k=${topK}`;
    return this.#send(isClassification, `v1/heads/${encodeURIComponent(head)}/classify${query}`, {
      method: 'POST',
      headers: { 'content-type': picture.type },
      body: picture.bytes,
    });
  }

  /**
   * Adds labelled pictures to a head, and retrains it unless `train` is false.
   * @param idempotencyKey makes a repeat answer the same instead of teaching twice.
   */
  async teach(
    head: string,
    pictures: readonly Upload[],
    { idempotencyKey, train = true }: { readonly idempotencyKey: string; readonly train?: boolean },
  ): Promise<Taught> {
    const form = new FormData();
    for (const { label, name, bytes } of pictures) form.append(label, new Blob([bytes]), name);
    return this.#send(isTaught, `v1/heads/${encodeURIComponent(head)}/teach${train ? '' : '?train=false'}`, {
      method: 'POST',
      headers: { 'idempotency-key': idempotencyKey },
      body: form,
    });
  }

  /** Every call here may be repeated without harm, so that a lost connection or a busy Worker costs only time. */
  async #send<T>(isExpected: (value: unknown) => value is T, path: string, init: Init): Promise<T> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#key}`, accept: 'application/json' };
    for (let attempt = 1; ; attempt++) {
      const last = attempt === ATTEMPTS;
      const response = await this.#attempt(path, { ...init, headers }, last);
      if (response?.ok === true) return readAnswer(response, isExpected);
      if (response !== undefined && (last || !isPassing(response.status))) throw await problemOf(response);
      await pause(response, attempt);
    }
  }

  /** @returns undefined when no answer came and another attempt is worth it. */
  async #attempt(path: string, init: Init, last: boolean): Promise<Response | undefined> {
    try {
      return await this.#fetch(new URL(path, this.#base), init);
    } catch (error) {
      if (!last) return undefined;
      const reason =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      const message = `No answer from ${this.#base.origin} (${reason}). Is the Worker running, and the address right?`;
      throw new ApiError(message, { status: 0, code: 'unreachable' }, { cause: error });
    }
  }
}

function isPassing(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

async function pause(response: Response | undefined, attempt: number): Promise<void> {
  const asked = Number(response?.headers.get('retry-after')) * 1000;
  const wait = asked > 0 ? Math.min(asked, MAX_PAUSE_MS) : FIRST_PAUSE_MS * 2 ** (attempt - 1);
  await response?.body?.cancel();
  await new Promise((resolve) => setTimeout(resolve, wait));
}

async function readAnswer<T>(response: Response, isExpected: (value: unknown) => value is T): Promise<T> {
  const value = parseJson(await response.text());
  if (isExpected(value)) return value;
  const message = `${new URL(response.url).origin} answered, but not as a Headwater Worker does. Is the address right?`;
  throw new ApiError(message, { status: response.status, code: 'answer_not_understood' });
}

async function problemOf(response: Response): Promise<ApiError> {
  const requestId = response.headers.get('x-request-id') ?? undefined;
  // A proxy's page has no problem details: then the status has to do.
  const body = parseJson(await response.text());
  const problem: Fields = isObject(body) ? body : {};
  const detail =
    text(problem['detail']) ??
    text(problem['title']) ??
    `HTTP ${response.status} ${response.statusText}`.trim();
  const where = requestId === undefined ? '' : ` (request ${requestId})`;
  const code = text(problem['code']) ?? `http_${response.status}`;
  return new ApiError(`${detail}${where}`, { status: response.status, code, requestId });
}

type Fields = Readonly<Record<string, unknown>>;

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isHeadStored(value: unknown): value is HeadStored {
  return isObject(value) && typeof value['head'] === 'string' && typeof value['version'] === 'number';
}

function isClassification(value: unknown): value is Classification {
  return (
    isObject(value) &&
    Array.isArray(value['predictions']) &&
    isObject(value['unknown']) &&
    isObject(value['image'])
  );
}

function isTaught(value: unknown): value is Taught {
  return isObject(value) && typeof value['head'] === 'string';
}
