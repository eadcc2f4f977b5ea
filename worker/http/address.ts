/**
 * The address and the content type of a request, looked at before anything reads them: routers, queries and validators take
 * them apart piece by piece, and each piece of an address that can't be decoded costs an exception.
 */
import { getPath } from 'hono/utils/url';
import {
  MAX_CONTENT_TYPE_LENGTH,
  MAX_PATH_LENGTH,
  MAX_QUERY_LENGTH,
  MAX_QUERY_PARAMETERS,
} from '../limits.ts';
import { ApiError } from './problem.ts';

/** The first word of a path, by which a protocol recognises its requests. */
const FIRST_WORD = /^\/[a-z0-9-]{1,32}(?=\/)/;

/**
 * What is routed: the path, or where `requestFault` finds something wrong, one that no route has; its first word stays, so
 * that protocols word the error in their own way.
 */
export function pathOf(request: Request): string {
  if (requestFault(request) === undefined) return getPath(request);
  const { url } = request;
  return `${FIRST_WORD.exec(url.slice(pathStart(url)))?.[0] ?? ''}/?`;
}

/** Why a request can't be routed, or undefined. */
export function requestFault({ url, headers }: Request): ApiError | undefined {
  const type = headers.get('content-type');
  if (type === null || type.length <= MAX_CONTENT_TYPE_LENGTH) return addressFault(url);
  return new ApiError(
    'unsupported_media_type',
    `The content type is longer than ${MAX_CONTENT_TYPE_LENGTH} characters.`,
  );
}

/** Why an address can't be routed, or undefined. @param url as Request has it, so without a fragment. */
export function addressFault(url: string): ApiError | undefined {
  const start = pathStart(url);
  const mark = url.indexOf('?', start);
  const end = mark < 0 ? url.length : mark;
  if (end - start > MAX_PATH_LENGTH)
    return new ApiError(
      'not_found',
      `There is nothing here: no path is longer than ${MAX_PATH_LENGTH} characters.`,
    );
  if (url.length - end > MAX_QUERY_LENGTH)
    return new ApiError('invalid_request', `The query is longer than ${MAX_QUERY_LENGTH} characters.`);
  if (hasMoreParameters(url, end))
    return new ApiError('invalid_request', `The query has more than ${MAX_QUERY_PARAMETERS} parameters.`);
  if (isEncoded(url)) return undefined;
  return new ApiError(
    'invalid_request',
    "The address is not valid: a '%' in it must begin an escaped character in UTF-8, such as %C3%A4.",
  );
}

function hasMoreParameters(url: string, from: number): boolean {
  let parameters = 1;
  for (let at = url.indexOf('&', from); at >= 0; at = url.indexOf('&', at + 1)) parameters++;
  return parameters > MAX_QUERY_PARAMETERS;
}

function isEncoded(url: string): boolean {
  if (!url.includes('%')) return true;
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/** Where the path begins: after `https://host`. */
function pathStart(url: string): number {
  return url.indexOf('/', url.indexOf(':') + '://'.length);
}
