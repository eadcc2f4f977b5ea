/**
 * Sending a body with its progress told. fetch can't tell it: in a browser XMLHttpRequest does, elsewhere the body is
 * handed over piece by piece and counted.
 */

export interface UploadProgress {
  /** Bytes handed to the network. */
  readonly sent: number;
  /** Bytes in all; the body's envelope included. */
  readonly total: number;
}

/** What can be sent, and sent again. */
export type Body = Blob | Uint8Array<ArrayBuffer> | FormData | string;

export interface SendInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PIECE_BYTES = 64 * 1024;

/** Like fetch, and rejects as fetch does: a TypeError without a connection, the signal's reason after an abort. */
export function sendWithProgress(
  url: URL,
  init: SendInit,
  onProgress: (progress: UploadProgress) => void,
  fetcher: typeof fetch,
): Promise<Response> {
  const native = typeof XMLHttpRequest === 'function';
  return native ? sendByXhr(url, init, onProgress) : sendCounted(url, init, onProgress, fetcher);
}

function sendByXhr(
  url: URL,
  { method, headers, body, signal }: SendInit,
  onProgress: (progress: UploadProgress) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress({ sent: loaded, total }));
    request.addEventListener('load', () => resolve(responseOf(request)));
    request.addEventListener('error', () => reject(new TypeError('network error')));
    request.addEventListener('abort', () => reject(reasonOf(signal)));
    request.addEventListener('loadend', () => signal?.removeEventListener('abort', abort));
    if (signal?.aborted === true) {
      reject(reasonOf(signal));
      return;
    }
    signal?.addEventListener('abort', abort);
    request.send(body ?? null);
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException('The request was aborted.', 'AbortError');
}

/** Statuses that may not have a body. */
const BODILESS = new Set([204, 205, 304]);

function responseOf(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of request.getAllResponseHeaders().trim().split(/\r\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const { status, statusText } = request;
  const body = BODILESS.has(status) ? null : request.responseText;
  return new Response(body, { status, statusText, headers });
}

async function sendCounted(
  url: URL,
  { method, headers, body, signal }: SendInit,
  onProgress: (progress: UploadProgress) => void,
  fetcher: typeof fetch,
): Promise<Response> {
  const whole = new Response(body ?? null);
  const type = whole.headers.get('content-type');
  const bytes = new Uint8Array(await whole.arrayBuffer());
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = bytes.subarray(sent, sent + PIECE_BYTES);
      sent += piece.length;
      if (piece.length === 0) return controller.close();
      controller.enqueue(piece);
      onProgress({ sent, total: bytes.length });
    },
  });
  const typed = type === null ? headers : { 'content-type': type, ...headers };
  // Half duplex: the answer is read after the body was sent, which is all that fetch can do.
  const init = { method, headers: typed, body: stream, duplex: 'half', signal: signal ?? null };
  return fetcher(url, init);
}
