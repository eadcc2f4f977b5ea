/**
 * multipart/form-data (RFC 7578) over bytes already in memory. Parts are views of those bytes, not copies: a request of
 * pictures is large, and the platform's own formData() would hold it twice.
 */
import { MAX_PART_HEADER_BYTES } from './limits.ts';
import { ApiError } from './problem.ts';

export interface Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly bytes: Uint8Array;
}

const CR = 13;
const LF = 10;
const DASH = 45;

/**
 * @param contentType the header, which holds the boundary. @param maxParts more are refused.
 * @throws ApiError invalid_request where the body isn't what the header says.
 */
export function parseMultipart(body: Uint8Array, contentType: string, maxParts: number): Part[] {
  const delimiter = new TextEncoder().encode(`--${boundaryOf(contentType)}`);
  const parts: Part[] = [];
  let at = indexOf(body, delimiter, 0);
  if (at < 0) throw malformed('its boundary never occurs');
  for (;;) {
    const start = at + delimiter.length;
    if (body[start] === DASH && body[start + 1] === DASH) return parts;
    const end = nextDelimiter(body, delimiter, start);
    if (end < 0) throw malformed('the closing boundary is missing');
    if (parts.length === maxParts) {
      throw new ApiError('invalid_request', `More than ${maxParts} parts in the multipart body.`);
    }
    parts.push(parsePart(body.subarray(skipLineBreak(body, start), end - 2)));
    at = end;
  }
}

/** A delimiter counts only at the beginning of a line. */
function nextDelimiter(body: Uint8Array, delimiter: Uint8Array, from: number): number {
  for (let at = from; ; at++) {
    at = indexOf(body, delimiter, at);
    if (at < 0) return -1;
    if (body[at - 2] === CR && body[at - 1] === LF) return at;
  }
}

function parsePart(part: Uint8Array): Part {
  const blank = indexOf(part.subarray(0, MAX_PART_HEADER_BYTES), BLANK_LINE, 0);
  if (blank < 0) throw malformed('a part has no end of its headers');
  const headers = new TextDecoder().decode(part.subarray(0, blank));
  const disposition = /^content-disposition:(\s*form-data\s*;.*)$/im.exec(headers)?.[1];
  const name = disposition === undefined ? undefined : parameter(disposition, 'name');
  if (disposition === undefined || name === undefined) throw malformed('a part has no name');
  return {
    name,
    filename: parameter(disposition, 'filename'),
    bytes: part.subarray(blank + BLANK_LINE.length),
  };
}

const BLANK_LINE = new Uint8Array([CR, LF, CR, LF]);

const PARAMETER = /\s*;?\s*([^\s=;"]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;"\s]*))/y;

/**
 * The value of a parameter, quoted or plain, of a header such as `form-data; name="a"; filename="b; c"`. Browsers write
 * quotes, CR and LF inside as %22, %0D and %0A; curl escapes them with a backslash.
 */
function parameter(text: string, name: string): string | undefined {
  PARAMETER.lastIndex = Math.max(text.indexOf(';'), 0);
  for (let match = PARAMETER.exec(text); match !== null; match = PARAMETER.exec(text)) {
    if (match[1].toLowerCase() !== name) continue;
    const value = match[2]?.replace(/\\(["\\])/g, '$1') ?? match[3];
    return value.replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n');
  }
  return undefined;
}

function boundaryOf(contentType: string): string {
  const boundary = parameter(contentType, 'boundary');
  if (boundary === undefined || boundary.length > 70)
    throw malformed('its content type names no valid boundary');
  return boundary;
}

function skipLineBreak(body: Uint8Array, at: number): number {
  // RFC 2046 allows blanks between the boundary and the end of its line.
  while (body[at] === 32 || body[at] === 9) at++;
  if (body[at] !== CR || body[at + 1] !== LF)
    throw malformed('a boundary is not followed by the end of its line');
  return at + 2;
}

/** Position of `needle` at or after `from`, or −1. */
function indexOf(bytes: Uint8Array, needle: Uint8Array, from: number): number {
  const last = bytes.length - needle.length;
  for (
    let at = bytes.indexOf(needle[0], from);
    at >= 0 && at <= last;
    at = bytes.indexOf(needle[0], at + 1)
  ) {
    let i = 1;
    while (i < needle.length && bytes[at + i] === needle[i]) i++;
    if (i === needle.length) return at;
  }
  return -1;
}

function malformed(reason: string): ApiError {
  return new ApiError('invalid_request', `The body is not valid multipart/form-data: ${reason}.`);
}
