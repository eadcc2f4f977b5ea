/** Reads request and response bodies without ever holding more than a cap, and JSON bodies against a schema. */
import type { z } from 'zod';
import { parseJson } from './json.ts';
import type { Grow, Lender } from '../isolate/leases.ts';
import { DECODER_BYTES, FIRST_BODY_BUFFER_BYTES, MAX_JSON_BYTES, MAX_JSON_PARTS } from '../limits.ts';
import { Pace, type Await } from './pace.ts';
import { PieceReader } from './piece-reader.ts';
import { ApiError } from './problem.ts';
import { utf8 } from './utf8.ts';

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

/** The length that a body has, or undefined. The host refuses any other; with a content encoding it is known after decoding. */
function knownLength(source: Bodied): number | undefined {
  return source.headers.has('content-encoding') ? undefined : declaredLength(source);
}

/** The media type without parameters, in lower case; '' where there is none. */
export function mediaType(source: Bodied): string {
  return (source.headers.get('content-type') ?? '').split(';', 1)[0].trim().toLowerCase();
}

/** Where the memory for a body comes from. */
export interface Loan {
  readonly grow: Grow;
  readonly contested: () => boolean;
  /** Units of memory for each byte of the body: for the body and what is made of it. */
  readonly factor: number;
}

/**
 * All bytes of a body. A body declared larger than the cap is refused unread; one that turns out larger is not read on: the
 * rest of a request's body is dropped before the answer (drain.ts), another body is cancelled.
 * @param loan grows as the body arrives; small bodies need none.
 * @throws ApiError body_too_large, body_timeout, body_incomplete, overloaded
 */
export async function readBytes(
  source: Bodied,
  maxBytes: number,
  what: string,
  loan?: Loan,
): Promise<Uint8Array> {
  if (source.body === null) return new Uint8Array(0);
  const reader = new PieceReader(source.body);
  let whole = false;
  try {
    if ((declaredLength(source) ?? 0) > maxBytes) throw tooLarge(what, maxBytes);
    const body = { reader, known: knownLength(source), maxBytes, what };
    const bytes = await new Pace(loan?.contested).keep({ what }, (arrival) => collect(body, arrival, loan));
    whole = true;
    return bytes;
  } finally {
    // One that was read whole stays locked: there is no rest to look for.
    if (!whole && !(source instanceof Request)) await reader.cancel();
    if (!whole) reader.release();
  }
}

/** What a body takes. */
export interface BodyTerms {
  readonly maxBytes: number;
  /** The memory that is needed to the body's length. */
  readonly factor: number;
  /** Bytes that may be lent within `use`. Default: for a decoder. */
  readonly beside?: number | undefined;
  readonly what: string;
}

/**
 * Reads a body while memory for it is lent, and keeps the loan until `use` is done.
 * @throws ApiError body_too_large, body_timeout, body_incomplete, overloaded
 */
export function withBody<T>(
  source: Bodied,
  memory: Lender,
  { maxBytes, factor, beside = DECODER_BYTES, what }: BodyTerms,
  use: (body: Uint8Array) => Promise<T>,
): Promise<T> {
  const claim = Math.min(knownLength(source) ?? maxBytes + 1, maxBytes + 1) * factor + beside;
  return memory.with(claim, async (grow) => {
    const { contested } = memory;
    return use(await readBytes(source, maxBytes, what, { grow, contested, factor }));
  });
}

/**
 * Joins the pieces of a stream, growing by doubling: a list of small pieces would cost more than their bytes. Where the
 * length is known, nothing is read to find the end: every request would pay for it.
 */
async function collect(
  {
    reader,
    known,
    maxBytes,
    what,
  }: { reader: PieceReader; known: number | undefined; maxBytes: number; what: string },
  arrival: Await,
  loan: Loan | undefined,
): Promise<Uint8Array> {
  let bytes = new Uint8Array(0);
  let length = 0;
  while (length !== known) {
    if (length === bytes.byteLength) {
      // Room for one byte more shows that there is none.
      const most = known ?? maxBytes + 1;
      const size = Math.min(most, Math.max(FIRST_BODY_BUFFER_BYTES, length * 2));
      await loan?.grow((size - length) * loan.factor);
      // Unlike a copy, it leaves nothing to the garbage collector.
      bytes = new Uint8Array(bytes.buffer.transfer(size));
    }
    const piece = await arrival(reader.read(bytes.subarray(length)));
    bytes = new Uint8Array(piece.buffer);
    if (piece.byteLength === 0) break;
    length += piece.byteLength;
    if (length > maxBytes) throw tooLarge(what, maxBytes);
  }
  return bytes.subarray(0, length);
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
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const field = (unknownKey === undefined ? path : [...path, unknownKey]).join('.') || undefined;
  // The schema's own words would name all unknown fields, whatever their number and length.
  const reason = unknownKey === undefined ? (issue?.message ?? 'is not valid') : 'is not known here';
  const subject = field === undefined ? where : `'${field.slice(0, 80)}' in ${where}`;
  return new ApiError('invalid_request', `${subject}: ${reason}.`, { field: field?.slice(0, 80) });
}

function tooLarge(what: string, maxBytes: number): ApiError {
  return new ApiError('body_too_large', `${what} is larger than ${maxBytes.toLocaleString('en-US')} bytes.`);
}
