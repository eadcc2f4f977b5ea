/**
 * JSON from strangers. A list within lists takes thirty times its text once it is parsed, a small object up to twenty times:
 * 8 MB of brackets would fill an isolate. So they are counted before they are parsed.
 */
import { ApiError } from './problem.ts';

/** What begins a list, an object, or a field's value. Those within strings count as well. */
const PARTS = ['[', '{', ':'];

/**
 * @param most lists, objects and fields. @param what it is, for the message.
 * @throws ApiError body_too_large; SyntaxError where it is no JSON
 */
export function parseJson(text: string, most: number, what: string): unknown {
  if (text.length > most && countParts(text, most) > most)
    throw new ApiError(
      'body_too_large',
      `${what} holds more than ${most.toLocaleString('en-US')} lists, objects and fields.`,
    );
  return JSON.parse(text);
}

/** Stops one beyond `most`. */
function countParts(text: string, most: number): number {
  let parts = 0;
  for (const sign of PARTS)
    for (let at = text.indexOf(sign); at >= 0 && parts <= most; at = text.indexOf(sign, at + 1)) parts++;
  return parts;
}
