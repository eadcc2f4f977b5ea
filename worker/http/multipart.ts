/**
 * multipart/form-data (RFC 7578) over bytes already in memory. Parts are views of those bytes, not copies: a request of
 * pictures is large, and the platform's own formData() would hold it twice.
 */
import { ByteSearch } from './byte-search.ts';
import { MAX_PART_HEADER_BYTES } from '../limits.ts';
import { ApiError } from './problem.ts';
import { utf8 } from './utf8.ts';

export interface Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly bytes: Uint8Array;
}

const CR = 13;
const LF = 10;
const DASH = 45;
/** Of RFC 2046, and whatever else is printable. Never CR, on which the search relies. */
const BOUNDARY = /^[\x20-\x7e]{1,70}$/;

/**
 * @param contentType the header, which holds the boundary. @param maxParts more are refused.
 * @throws ApiError invalid_request where the body isn't what the header says.
 */
export function parseMultipart(body: Uint8Array, contentType: string, maxParts: number): Part[] {
  const dashed = `--${boundaryOf(contentType)}`;
  // A delimiter counts only at the beginning of a line; the first may be that of the body.
  const delimiter = new ByteSearch(`\r\n${dashed}`);
  const parts: Part[] = [];
  const opening = new TextEncoder().encode(dashed);
  let start = startsWith(body, opening) ? opening.length : behind(body, delimiter, 0).next;
  if (start < 0) throw malformed('its boundary never occurs');
  while (!(body[start] === DASH && body[start + 1] === DASH)) {
    const { end, next } = behind(body, delimiter, start);
    if (end < 0) throw malformed('the closing boundary is missing');
    if (parts.length === maxParts) {
      throw new ApiError('invalid_request', `More than ${maxParts} parts in the multipart body.`);
    }
    parts.push(parsePart(body.subarray(skipLineBreak(body, start), end)));
    start = next;
  }
  return parts;
}

/** Where the next delimiter begins, and what comes behind it; both −1 where there is none. */
function behind(body: Uint8Array, delimiter: ByteSearch, from: number): { end: number; next: number } {
  const end = delimiter.find(body, from);
  return { end, next: end < 0 ? -1 : end + delimiter.length };
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

const BLANK_LINE = new ByteSearch('\r\n\r\n');

function parsePart(part: Uint8Array): Part {
  const blank = BLANK_LINE.find(part.subarray(0, MAX_PART_HEADER_BYTES), 0);
  if (blank < 0) throw malformed('a part has no end of its headers');
  const headers = utf8(part.subarray(0, blank));
  if (headers === undefined) throw malformed("a part's headers are not UTF-8");
  const disposition = dispositionOf(headers);
  const name = disposition?.get('name');
  if (disposition === undefined || name === undefined) throw malformed('a part has no name');
  return {
    name: unescaped(name),
    filename: disposition.has('filename') ? unescaped(disposition.get('filename')!) : undefined,
    bytes: part.subarray(blank + BLANK_LINE.length),
  };
}

/** The parameters of a part's `Content-Disposition: form-data; …`. */
function dispositionOf(headers: string): ReadonlyMap<string, string> | undefined {
  for (const line of headers.split('\r\n')) {
    const colon = line.indexOf(':');
    if (line.slice(0, colon).trim().toLowerCase() !== 'content-disposition') continue;
    const value = line.slice(colon + 1);
    const semicolon = value.indexOf(';');
    if (value.slice(0, semicolon).trim().toLowerCase() === 'form-data')
      return parametersOf(value.slice(semicolon));
  }
  return undefined;
}

/** `; name=value` or `; name="quoted value"`, with blanks anywhere between. */
const PARAMETER = /;[ \t]*([^\s=;"]{1,64})[ \t]*=[ \t]*(?:"((?:\\.|[^"\\])*)"|(?!")([^;"\s]*))[ \t]*/y;

/**
 * The parameters of a header such as `form-data; name="a"; filename="b; c"`, by name in lower case, the first of each.
 * @param text from the first semicolon on. What comes behind something that is no parameter is not looked at.
 */
function parametersOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  for (let match = PARAMETER.exec(text); match !== null; match = PARAMETER.exec(text)) {
    const name = match[1].toLowerCase();
    if (!found.has(name)) found.set(name, match[2]?.replaceAll(/\\(["\\])/g, '$1') ?? match[3]);
  }
  return found;
}

/** Browsers write quotes, CR and LF inside as %22, %0D and %0A; curl escapes them with a backslash. */
function unescaped(value: string): string {
  return value.replaceAll('%22', '"').replaceAll(/%0D/gi, '\r').replaceAll(/%0A/gi, '\n');
}

function boundaryOf(contentType: string): string {
  const semicolon = contentType.indexOf(';');
  const boundary = semicolon > 0 ? parametersOf(contentType.slice(semicolon)).get('boundary') : undefined;
  if (boundary === undefined || !BOUNDARY.test(boundary))
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

function malformed(reason: string): ApiError {
  return new ApiError('invalid_request', `The body is not valid multipart/form-data: ${reason}.`);
}
