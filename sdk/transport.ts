/**
 * One request of the client on its way: the key, the time-out, another attempt where that does no harm, and errors that
 * say what to do.
 */
import { ApiError, parseJson, problemOf } from './errors.ts';
import { sendWithProgress, type Body, type UploadProgress } from './upload.ts';

export interface ClientOptions {
  /** Where the Worker answers, for example https://headwater.example.workers.dev. */
  readonly url: string | URL;
  readonly key: string;
  /** For hosts with a fetch of their own. */
  readonly fetch?: typeof fetch;
  /** How long one attempt may take, unless the call says otherwise. */
  readonly timeoutMs?: number;
}

/** What every call takes besides its own parameters. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long one attempt may take. */
  readonly timeoutMs?: number | undefined;
  readonly onUploadProgress?: ((progress: UploadProgress) => void) | undefined;
}

export interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH';
  /** Below the base address, without a slash in front. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** Whether a second arrival of the same request would change nothing more than the first did. */
  readonly repeatable: boolean;
  /** Whether the answer is read as it arrives; else it is here, whole, before the call returns. */
  readonly streamed?: boolean;
}

/**
 * Attempts at a request that may be repeated without harm, and the first pause between two, doubled each time. Up to half
 * of a pause is left out at random, so that clients that failed together don't come back together.
 */
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 500;
/** The longest pause that a Worker may request with Retry-After. */
const MAX_PAUSE_MS = 60_000;
const TIMEOUT_MS = 60_000;

export class Transport {
  readonly #base: URL;
  readonly #key: string;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;

  constructor({ url, key, fetch: fetcher = fetch, timeoutMs = TIMEOUT_MS }: ClientOptions) {
    this.#base = new URL(url);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
    this.#key = key;
    this.#fetch = (...args) => fetcher(...args);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @returns the answer as JSON, of the shape that `isExpected` recognises.
   * @throws ApiError
   */
  async json<T>(
    isExpected: (value: unknown) => value is T,
    call: Call,
    options: CallOptions = {},
  ): Promise<T> {
    const response = await this.send(call, options);
    const value = parseJson(await response.text());
    if (isExpected(value)) return value;
    const message = `${this.#base.origin} answered, but not as a Headwater Worker does. Is the address right?`;
    throw new ApiError(message, { status: response.status, code: 'answer_not_understood' });
  }

  /** @returns a successful response. @throws ApiError; the signal's reason after an abort. */
  async send(call: Call, options: CallOptions = {}): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const last = attempt === ATTEMPTS;
      const response = await this.#attempt(call, options, last || !call.repeatable);
      if (response?.ok === true) return response;
      if (response !== undefined && (last || !mayTryAgain(response.status, call.repeatable))) {
        throw await problemOf(response);
      }
      await pause(response, attempt, options.signal);
    }
  }

  /** @returns undefined when no answer came and another attempt is worth it. */
  async #attempt(call: Call, options: CallOptions, last: boolean): Promise<Response | undefined> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
    const { method, body } = call;
    const headers = { ...call.headers, authorization: `Bearer ${this.#key}`, accept: 'application/json' };
    const init = { method, headers, signal, ...(body === undefined ? {} : { body }) };
    const url = this.#address(call);
    try {
      const onProgress = options.onUploadProgress;
      const response =
        onProgress === undefined
          ? await this.#fetch(url, init)
          : await sendWithProgress(url, init, onProgress, this.#fetch);
      return call.streamed === true ? response : await arrived(response);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!last) return undefined;
      throw timeout.aborted ? this.#timedOut(timeoutMs, error) : this.#unreachable(error);
    }
  }

  #address({ path, query = {} }: Call): URL {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  #timedOut(timeoutMs: number, cause: unknown): ApiError {
    const message = `No answer from ${this.#base.origin} within ${timeoutMs / 1000} s. Send less at once, or allow more time.`;
    return new ApiError(message, { status: 0, code: 'timeout' }, { cause });
  }

  #unreachable(error: unknown): ApiError {
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    const message = `No answer from ${this.#base.origin} (${reason}). Is the Worker running, and the address right?`;
    return new ApiError(message, { status: 0, code: 'unreachable' }, { cause: error });
  }
}

/** @returns the same answer with its body here. Rejects, as fetch does, where that breaks off. */
async function arrived(response: Response): Promise<Response> {
  const body = await response.arrayBuffer();
  const { status, statusText, headers } = response;
  return new Response(body.byteLength === 0 ? null : body, { status, statusText, headers });
}

/** 429 means that nothing was done; the others leave that open. */
function mayTryAgain(status: number, repeatable: boolean): boolean {
  return status === 429 || (repeatable && (status === 502 || status === 503 || status === 504));
}

async function pause(
  response: Response | undefined,
  attempt: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const requested = Number(response?.headers.get('retry-after')) * 1000;
  const wait =
    requested > 0
      ? Math.min(requested, MAX_PAUSE_MS)
      : FIRST_PAUSE_MS * 2 ** (attempt - 1) * (1 - Math.random() / 2);
  await response?.body?.cancel();
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    const timer = setTimeout(stop, wait);
    signal?.addEventListener('abort', stop);
  });
  signal?.throwIfAborted();
}
