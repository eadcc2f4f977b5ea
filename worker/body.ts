/** Reads request and response bodies without ever holding more than a cap, and JSON bodies against a schema. */
import type { z } from 'zod';
import { parseJson } from './json.ts';
import { BODY_READ_TIMEOUT_MS, MAX_JSON_BYTES, MAX_JSON_PARTS } from './limits.ts';
import { PieceReader } from './piece-reader.ts';
import { ApiError } from './problem.ts';
import { utf8 } from './utf8.ts';

const INITIAL_BUFFER_BYTES = 64 * 1024;

/** The part of Request and Response that has a body. */
export interface Bodied {
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** The length that the sender declared, or undefined. */
export function declaredLength(source: Bodied): number | undefined {
  const text = source.headers.get('content-length');
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The length that a body is expected to have: a coded one may have any when it is decoded. */
function expectedLength(source: Bodied, maxBytes: number): number {
  return (source.headers.has('content-encoding') ? undefined : declaredLength(source)) ?? maxBytes;
}

/** The media type without parameters, in lower case; '' where there is none. */
export function mediaType(source: Bodied): string {
  return (source.headers.get('content-type') ?? '').split(';', 1)[0].trim().toLowerCase();
}

/**
 * All bytes of a body. A body declared larger than the cap is refused unread; one that turns out larger is left there: a
 * request's to be dropped before the answer (drain.ts), another's is cancelled.
 * @throws ApiError body_too_large, body_timeout, body_incomplete
 */
export async function readBytes(source: Bodied, maxBytes: number, what: string): Promise<Uint8Array> {
  if (source.body === null) return new Uint8Array(0);
  const declared = declaredLength(source);
  const reader = new PieceReader(source.body);
  let whole = false;
  try {
    if (declared !== undefined && declared > maxBytes) throw tooLarge(what, maxBytes);
    const bytes = await inTime(
      collect(reader, expectedLength(source, maxBytes), maxBytes, what),
      what,
      Date.now() + BODY_READ_TIMEOUT_MS,
    );
    whole = true;
    return bytes;
  } finally {
    if (!whole && !(source instanceof Request)) await reader.cancel();
    reader.release();
  }
}

/**
 * What is read of a body, unless it comes too late or breaks off.
 * @param deadline BODY_READ_TIMEOUT_MS after the reading began.
 * @throws ApiError body_timeout, body_incomplete, and as the reading does
 */
export async function inTime<T>(reading: Promise<T>, what: string, deadline: number): Promise<T> {
  let timer: number | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ApiError('body_timeout', `${what} did not arrive within ${BODY_READ_TIMEOUT_MS / 1000} s.`));
    }, deadline - Date.now());
  });
  try {
    return await Promise.race([reading, late]);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError('body_incomplete', `${what} broke off before its end.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Joins the pieces of a stream, growing by doubling: a list of small pieces would cost more than their bytes. */
async function collect(
  reader: PieceReader,
  expected: number,
  maxBytes: number,
  what: string,
): Promise<Uint8Array> {
  // Room for one byte more shows that there is none.
  let bytes = new Uint8Array(Math.min(INITIAL_BUFFER_BYTES, expected + 1));
  for (let length = 0; ;) {
    if (length === bytes.byteLength) bytes = enlarged(bytes, length > expected ? maxBytes : expected);
    const piece = await reader.read(bytes.subarray(length));
    bytes = new Uint8Array(piece.buffer);
    if (piece.byteLength === 0) return bytes.subarray(0, length);
    length += piece.byteLength;
    if (length > maxBytes) throw tooLarge(what, maxBytes);
  }
}

/** @param most bytes that are still expected to fit. */
function enlarged(bytes: Uint8Array, most: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.min(most + 1, bytes.byteLength * 2));
  grown.set(bytes);
  return grown;
}

/**
 * A small JSON body, checked.
 * @throws ApiError unsupported_media_type, body_empty, body_too_large, invalid_request
 */
export async function readJson<S extends z.ZodType>(request: Request, schema: S): Promise<z.output<S>> {
  if (mediaType(request) !== 'application/json') {
    throw new ApiError('unsupported_media_type', "Send this call's body as application/json.");
  }
  const bytes = await readBytes(request, MAX_JSON_BYTES, 'The JSON body');
  return checkJson(bytes, schema);
}

/** The same where a request without a body means the schema's defaults. @throws as readJson */
export async function readOptionalJson<S extends z.ZodType>(
  request: Request,
  schema: S,
): Promise<z.output<S>> {
  const bare = request.body === null || declaredLength(request) === 0;
  return bare ? schema.parse({}) : readJson(request, schema);
}

/** Parses bytes as JSON and checks them. @throws ApiError body_empty, body_too_large, invalid_request */
export function checkJson<S extends z.ZodType>(
  bytes: Uint8Array,
  schema: S,
  mostParts = MAX_JSON_PARTS,
): z.output<S> {
  if (bytes.byteLength === 0) throw new ApiError('body_empty', 'The body is empty; a JSON object is needed.');
  let value: unknown;
  try {
    const text = utf8(bytes);
    if (text === undefined) throw new SyntaxError('It is not UTF-8.');
    value = parseJson(text, mostParts, 'The JSON body');
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError('invalid_request', 'The body is not valid JSON in UTF-8.', { cause });
  }
  const result = schema.safeParse(value);
  if (!result.success) throw invalidInput(result.error, 'the body');
  return result.data;
}

/** What a schema found, as a problem that names the first field in question. */
export function invalidInput(error: z.ZodError, where: string): ApiError {
  const issue = error.issues[0];
  const path = issue?.path.map(String) ?? [];
  const stranger = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const field = (stranger === undefined ? path : [...path, stranger]).join('.') || undefined;
  // The schema's own words would name all unknown fields, whatever their number and length.
  const reason = stranger === undefined ? (issue?.message ?? 'is not valid') : 'is not known here';
  const subject = field === undefined ? where : `'${field.slice(0, 80)}' in ${where}`;
  return new ApiError(
    'invalid_request',
    `${subject}: ${reason}.`,
    field === undefined ? {} : { field: field.slice(0, 80) },
  );
}

function tooLarge(what: string, maxBytes: number): ApiError {
  return new ApiError('body_too_large', `${what} is larger than ${maxBytes.toLocaleString('en-US')} bytes.`);
}
