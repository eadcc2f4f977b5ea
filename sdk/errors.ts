/** The one error of the client: an answer that is a problem, or no answer at all. */
import type { Conflict } from '../src/api/index.ts';

export interface ApiErrorDetails {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  readonly requestId?: string | undefined;
  /** The parameter or field that was refused, where the Worker names one. */
  readonly field?: string | undefined;
  /** Pictures that are examples already, under another label. */
  readonly conflicts?: readonly Conflict[] | undefined;
}

/** An answer that is an error: RFC 9457 problem details where the Worker wrote them. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Stable: the Worker's own codes, else `unreachable`, `timeout`, `answer_not_understood` or `http_<status>`. */
  readonly code: string;
  readonly requestId: string | undefined;
  readonly field: string | undefined;
  readonly conflicts: readonly Conflict[];

  constructor(message: string, details: ApiErrorDetails, options?: ErrorOptions) {
    super(message, options);
    this.status = details.status;
    this.code = details.code;
    this.requestId = details.requestId;
    this.field = details.field;
    this.conflicts = details.conflicts ?? [];
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
  const details = { status: response.status, code, requestId, field, conflicts: conflictsOf(problem) };
  return new ApiError(`${detail}${where}`, details);
}

function conflictsOf(problem: Fields): Conflict[] {
  const listed = problem['conflicts'];
  return Array.isArray(listed) ? listed.filter(isConflict) : [];
}

function isConflict(value: unknown): value is Conflict {
  return isObject(value) && typeof value['picture'] === 'string' && typeof value['known_label'] === 'string';
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
