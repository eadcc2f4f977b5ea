/** Untrusted JSON, parsed if it fits into memory and all text in it is well-formed. */
import { hasMoreParts } from '../../src/json-parts.ts';
import { illFormedText } from '../../src/json-text.ts';
import { ApiError } from './problem.ts';

/**
 * @param most lists, objects and fields. @param what it is, for the message.
 * @throws ApiError body_too_large, invalid_request; SyntaxError where it is no JSON
 */
export function parseJson(text: string, most: number, what: string): unknown {
  if (hasMoreParts(text, most))
    throw new ApiError(
      'body_too_large',
      `${what} holds more than ${most.toLocaleString('en-US')} lists, objects and fields.`,
    );
  const value: unknown = JSON.parse(text);
  const field = illFormedText(text, value)?.slice(0, 80);
  if (field !== undefined)
    throw new ApiError(
      'invalid_request',
      `${field === '' ? what : `'${field}' in ${what}`} holds half of a surrogate pair: an escape from \\ud800 to \\udfff without its other half.`,
      field === '' ? {} : { field },
    );
  return value;
}
