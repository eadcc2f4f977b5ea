/** JSON from strangers, parsed if it will fit. */
import { hasMoreParts } from '../src/json-parts.ts';
import { ApiError } from './problem.ts';

/**
 * @param most lists, objects and fields. @param what it is, for the message.
 * @throws ApiError body_too_large; SyntaxError where it is no JSON
 */
export function parseJson(text: string, most: number, what: string): unknown {
  if (hasMoreParts(text, most))
    throw new ApiError(
      'body_too_large',
      `${what} holds more than ${most.toLocaleString('en-US')} lists, objects and fields.`,
    );
  return JSON.parse(text);
}
