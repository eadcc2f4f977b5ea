/**
 * Failures on the wire: RFC 9457 problem details with a stable code. One exhaustive table gives every code, the
 * classifier's and the Worker's own, its status and title; what isn't such a failure becomes `internal` and says nothing.
 */
import type { Conflict, Problem } from '../../src/api/index.ts';
import { HeadwaterError, type ErrorCode } from '../../src/errors.ts';

export type WorkerCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'key_revoked'
  | 'forbidden'
  | 'admin_disabled'
  | 'not_found'
  | 'head_not_found'
  | 'version_not_found'
  | 'key_not_found'
  | 'tenant_not_found'
  | 'example_not_found'
  | 'image_not_found'
  | 'class_not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'label_conflict'
  | 'idempotency_mismatch'
  | 'too_many_examples'
  | 'too_much_work'
  | 'body_empty'
  | 'body_incomplete'
  | 'body_too_large'
  | 'body_timeout'
  | 'unsupported_media_type'
  | 'url_refused'
  | 'url_failed'
  | 'limit_reached'
  | 'rate_limited'
  | 'prediction_not_found'
  | 'overloaded'
  | 'store_failed'
  | 'head_damaged'
  | 'internal';

export type ProblemCode = ErrorCode | WorkerCode;

export interface ProblemOptions extends ErrorOptions {
  /** The parameter or field that was refused. */
  readonly field?: string;
  /** Pictures known under another label. */
  readonly conflicts?: readonly Conflict[];
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
}

/** Status and title of a code. Exhaustive: a new code doesn't compile until it has both. */
export function describeCode(code: ProblemCode): { readonly status: number; readonly title: string } {
  switch (code) {
    case 'invalid_request':
      return { status: 400, title: 'The request is not valid' };
    case 'image_empty':
      return { status: 400, title: 'The picture is empty' };
    case 'body_empty':
      return { status: 400, title: 'The body is empty' };
    case 'body_incomplete':
      return { status: 400, title: 'The body broke off' };
    case 'url_refused':
      return { status: 400, title: 'The URL is not allowed' };
    case 'unauthorized':
      return { status: 401, title: 'No valid API key' };
    case 'key_revoked':
      return { status: 401, title: 'The API key was revoked' };
    case 'forbidden':
      return { status: 403, title: 'The API key may not do this' };
    case 'not_found':
      return { status: 404, title: 'No such route' };
    case 'head_not_found':
      return { status: 404, title: 'No such head' };
    case 'version_not_found':
      return { status: 404, title: 'No such version' };
    case 'key_not_found':
      return { status: 404, title: 'No such key' };
    case 'tenant_not_found':
      return { status: 404, title: 'No such tenant' };
    case 'example_not_found':
      return { status: 404, title: 'No such example' };
    case 'image_not_found':
      return { status: 404, title: 'No such picture' };
    case 'prediction_not_found':
      return { status: 404, title: 'No such prediction in the queue' };
    case 'class_not_found':
      return { status: 404, title: 'No such class' };
    case 'method_not_allowed':
      return { status: 405, title: 'Method not allowed' };
    case 'body_timeout':
      return { status: 408, title: 'The body took too long to arrive' };
    case 'conflict':
      return { status: 409, title: 'The request conflicts with the present state' };
    case 'label_conflict':
      return { status: 409, title: 'A picture is known under another label' };
    case 'backbone_mismatch':
      return { status: 409, title: 'The head belongs to another backbone' };
    case 'body_too_large':
      return { status: 413, title: 'The body is too large' };
    case 'image_too_large':
      return { status: 413, title: 'The picture is too large' };
    case 'image_too_many_pixels':
      return { status: 413, title: 'The picture has too many pixels' };
    case 'head_too_large':
      return { status: 413, title: 'The head is too large' };
    case 'too_many_examples':
      return { status: 413, title: 'Too many examples to be taught at the edge' };
    case 'too_much_work':
      return { status: 413, title: 'The request takes too much work' };
    case 'training_data_too_large':
      return { status: 413, title: 'Too much training data' };
    case 'unsupported_media_type':
      return { status: 415, title: 'Unsupported content type' };
    case 'image_format_unknown':
      return { status: 415, title: 'Not a picture in a known format' };
    case 'image_corrupt':
      return { status: 422, title: 'The picture cannot be decoded' };
    case 'file_corrupt':
      return { status: 422, title: 'The file is not valid safetensors' };
    case 'head_invalid':
      return { status: 422, title: 'The head is not valid' };
    case 'training_data_invalid':
      return { status: 422, title: 'The training data are not valid' };
    case 'idempotency_mismatch':
      return { status: 422, title: 'The Idempotency-Key was used for another request' };
    case 'url_failed':
      return { status: 422, title: 'The URL could not be fetched' };
    case 'limit_reached':
      return { status: 429, title: 'A limit of this tenant is reached' };
    case 'rate_limited':
      return { status: 429, title: 'Too many requests' };
    case 'backbone_invalid':
      return { status: 500, title: 'The backbone is not valid' };
    case 'head_damaged':
      return { status: 500, title: 'The stored head file is damaged' };
    case 'internal':
      return { status: 500, title: 'Internal error' };
    case 'admin_disabled':
      return { status: 503, title: 'Tenants cannot be created here' };
    case 'store_failed':
      return { status: 503, title: 'A store does not answer' };
    case 'overloaded':
      return { status: 503, title: 'Too busy' };
    default:
      return code satisfies never;
  }
}

/** A failure in RFC 9457's words; what is no failure of a known kind says nothing of itself. */
export function problemOfError(error: unknown, requestId: string): Problem {
  const known = error instanceof HeadwaterError || error instanceof ApiError;
  const code: ProblemCode = known ? error.code : 'internal';
  const { status, title } = describeCode(code);
  const detail = known
    ? error.message
    : 'Something went wrong on our side. Quote the request id when you report it.';
  const { field, conflicts } = error instanceof ApiError ? error : { field: undefined, conflicts: undefined };
  return {
    type: `urn:headwater:problem:${code}`,
    code,
    title,
    status,
    detail,
    instance: requestId,
    ...(field === undefined ? {} : { field }),
    ...(conflicts === undefined ? {} : { conflicts: [...conflicts] }),
  };
}

/** The answer to a failed request. `code` is also what its line in the log says. */
export function problemResponse(
  error: unknown,
  requestId: string,
): { response: Response; code: ProblemCode } {
  const known = error instanceof HeadwaterError || error instanceof ApiError;
  const code: ProblemCode = known ? error.code : 'internal';
  const body = problemOfError(error, requestId);
  const { status } = body;
  const headers = new Headers(error instanceof ApiError ? error.headers : {});
  headers.set('content-type', 'application/problem+json');
  headers.set('cache-control', 'no-store');
  return { response: new Response(JSON.stringify(body), { status, headers }), code };
}
