/**
 * Failures on the wire: RFC 9457 problem details with a stable code. One exhaustive table gives every code, the
 * classifier's and the Worker's own, its status and title; what isn't such a failure becomes `internal` and says nothing.
 */
import type { Conflict, Problem } from '../../src/api/index.ts';
import { HeadwaterError, type ErrorCode } from '../../src/errors.ts';

/** Status and title of every code: the classifier's, all of which must be here, and the Worker's own. */
export const PROBLEMS = {
  invalid_request: [400, 'The request is not valid'],
  image_empty: [400, 'The picture is empty'],
  body_empty: [400, 'The body is empty'],
  body_incomplete: [400, 'The body broke off'],
  url_refused: [400, 'The URL is not allowed'],
  unauthorized: [401, 'No valid API key'],
  key_revoked: [401, 'The API key was revoked'],
  forbidden: [403, 'The API key may not do this'],
  not_found: [404, 'No such route'],
  head_not_found: [404, 'No such head'],
  version_not_found: [404, 'No such version'],
  key_not_found: [404, 'No such key'],
  tenant_not_found: [404, 'No such tenant'],
  example_not_found: [404, 'No such example'],
  image_not_found: [404, 'No such picture'],
  prediction_not_found: [404, 'No such prediction in the queue'],
  class_not_found: [404, 'No such class'],
  method_not_allowed: [405, 'Method not allowed'],
  body_timeout: [408, 'The body took too long to arrive'],
  conflict: [409, 'The request conflicts with the present state'],
  label_conflict: [409, 'A picture is known under another label'],
  backbone_mismatch: [409, 'The head belongs to another backbone'],
  body_too_large: [413, 'The body is too large'],
  image_too_large: [413, 'The picture is too large'],
  image_too_many_pixels: [413, 'The picture has too many pixels'],
  head_too_large: [413, 'The head is too large'],
  too_many_examples: [413, 'Too many examples to be taught at the edge'],
  too_much_work: [413, 'The request takes too much work'],
  training_data_too_large: [413, 'Too much training data'],
  unsupported_media_type: [415, 'Unsupported content type'],
  image_format_unknown: [415, 'Not a picture in a known format'],
  image_corrupt: [422, 'The picture cannot be decoded'],
  file_corrupt: [422, 'The file is not valid safetensors'],
  head_invalid: [422, 'The head is not valid'],
  training_data_invalid: [422, 'The training data are not valid'],
  idempotency_mismatch: [422, 'The Idempotency-Key was used for another request'],
  url_failed: [422, 'The URL could not be fetched'],
  limit_reached: [429, 'A limit of this tenant is reached'],
  rate_limited: [429, 'Too many requests'],
  backbone_invalid: [500, 'The backbone is not valid'],
  head_damaged: [500, 'The stored head file is damaged'],
  internal: [500, 'Internal error'],
  admin_disabled: [503, 'Tenants cannot be created here'],
  store_failed: [503, 'A store does not answer'],
  overloaded: [503, 'Too busy'],
} as const satisfies Record<ErrorCode, unknown> & Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

export const isProblemCode = (text: unknown): text is ProblemCode =>
  typeof text === 'string' && Object.hasOwn(PROBLEMS, text);

interface ProblemOptions extends ErrorOptions {
  /** The parameter or field that was refused. */
  readonly field?: string | undefined;
  /** Pictures known under another label. */
  readonly conflicts?: readonly Conflict[] | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A failure that the Worker itself answers with; `detail` is one sentence: what was wrong, where, what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ProblemCode;
  readonly field: string | undefined;
  readonly conflicts: readonly Conflict[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options);
    this.code = code;
    this.field = options.field;
    this.conflicts = options.conflicts;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return PROBLEMS[this.code][0];
  }
}

/** A failure in RFC 9457's words; what is no failure of a known kind says nothing of itself. */
export function problemOfError(error: unknown, requestId: string): Problem & { code: ProblemCode } {
  const known = error instanceof HeadwaterError || error instanceof ApiError;
  const code = known ? error.code : 'internal';
  const [status, title] = PROBLEMS[code];
  const detail = known
    ? error.message
    : 'Something went wrong on our side. Quote the request id when you report it.';
  const { field, conflicts }: Pick<ProblemOptions, 'field' | 'conflicts'> =
    error instanceof ApiError ? error : {};
  return {
    type: `urn:headwater:problem:${code}`,
    code,
    title,
    status,
    detail,
    instance: requestId,
    field,
    conflicts: conflicts && [...conflicts],
  };
}

/** The answer to a failed request. `code` is also what its line in the log says. */
export function problemResponse(
  error: unknown,
  requestId: string,
): { response: Response; code: ProblemCode } {
  const body = problemOfError(error, requestId);
  const headers = new Headers(error instanceof ApiError ? error.headers : {});
  headers.set('content-type', 'application/problem+json');
  headers.set('cache-control', 'no-store');
  return { response: new Response(JSON.stringify(body), { status: body.status, headers }), code: body.code };
}
