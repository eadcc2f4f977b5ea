/** The one error of the client: an answer that is a problem, or no answer at all. */

export interface ApiErrorDetails {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  readonly requestId?: string | undefined;
  /** The parameter or field that was refused, where the Worker names one. */
  readonly field?: string | undefined;
}

/** An answer that is an error: RFC 9457 problem details where the Worker wrote them. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Stable: the Worker's own codes, else `unreachable`, `timeout`, `answer_not_understood` or `http_<status>`. */
  readonly code: string;
  readonly requestId: string | undefined;
  readonly field: string | undefined;

  constructor(message: string, details: ApiErrorDetails, options?: ErrorOptions) {
    super(message, options);
    this.status = details.status;
    this.code = details.code;
    this.requestId = details.requestId;
    this.field = details.field;
  }
}

/** @returns the error that a response with an unsuccessful status stands for. Reads its body. */
export async function problemOf(response: Response): Promise<ApiError> {
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
  const field = text(problem['field']);
  return new ApiError(`${detail}${where}`, { status: response.status, code, requestId, field });
}

export type Fields = Readonly<Record<string, unknown>>;

/** @returns undefined for what isn't JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
