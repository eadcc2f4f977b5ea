/**
 * Pictures as they come in: the body itself, fields `image` of a multipart form, or JSON with base64 or a URL. Each form
 * is read within a cap, and within the memory that the isolate lends to all its requests together.
 */
import { z } from 'zod';
import { MAX_FILE_BYTES } from '../../src/image/limits.ts';
import { checkJson, mediaType, withBody, type BodyTerms } from './body.ts';
import { fetchPicture } from './fetch-picture.ts';
import type { Lender } from '../isolate/leases.ts';
import { JSON_PICTURE_MEMORY_FACTOR, MAX_JSON_PICTURE_BYTES, MAX_MULTIPART_BYTES } from '../limits.ts';
import { parseMultipart, type Part } from './multipart.ts';
import { ApiError } from './problem.ts';

const JsonPicture = z.union([z.strictObject({ image: z.string() }), z.strictObject({ url: z.string() })], {
  error: 'must be {"image": "<base64>"} or {"url": "https://…"}',
});

const FIELD = 'image';

/**
 * Reads the request's pictures and hands them to `use`; their memory counts as lent until that is done.
 * @param maxPictures in one request.
 * @throws ApiError body_empty, body_too_large, body_timeout, unsupported_media_type, invalid_request, overloaded, url_…
 */
export async function withPictures<T>(
  request: Request,
  memory: Lender,
  maxPictures: number,
  use: (pictures: Uint8Array[]) => Promise<T>,
): Promise<T> {
  const type = mediaType(request);
  if (type === '' || type === 'application/octet-stream' || type.startsWith('image/')) {
    return borrow(request, memory, PICTURE_FILE, async (body) => use([body]));
  }
  if (type === 'multipart/form-data') {
    return borrowForm(request, memory, maxPictures, async (parts) => use(picturesOf(parts)));
  }
  if (type !== 'application/json') throw unsupported(type);
  const input = await borrow(request, memory, JSON_PICTURE, async (body) => {
    const json = checkJson(body, JsonPicture);
    return 'url' in json ? json : { answer: await use([fromBase64(json.image)]) };
  });
  if ('answer' in input) return input.answer;
  const response = await fetchPicture(input.url);
  return borrow(response, memory, PICTURE_FILE, async (body) => use([body]));
}

/** A picture as a file, and in JSON in base64; what it takes to read them. */
export const PICTURE_FILE = { maxBytes: MAX_FILE_BYTES, factor: 1 };
export const JSON_PICTURE = { maxBytes: MAX_JSON_PICTURE_BYTES, factor: JSON_PICTURE_MEMORY_FACTOR };

/** Reads a body that holds pictures, and keeps its memory on loan until `use` is done. @throws ApiError body_…, overloaded */
export function borrow<T>(
  source: Request | Response,
  memory: Lender,
  terms: Omit<BodyTerms, 'what'>,
  use: (body: Uint8Array) => Promise<T>,
): Promise<T> {
  return withBody(source, memory, { ...terms, what: 'The body' }, (body) => {
    if (body.byteLength === 0)
      throw new ApiError('body_empty', 'The body is empty; it should hold a picture.');
    return use(body);
  });
}

/** Forms of requests that our own code makes: their parts lie in memory that another request has borrowed. */
const forms = new WeakMap<Request, readonly Part[]>();

/** Gives a request a form without a copy of it. Whoever gives it keeps its memory on loan until the request is answered. */
export function giveForm(request: Request, parts: readonly Part[]): void {
  forms.set(request, parts);
}

/** Reads a form, and keeps its memory on loan until `use` is done. @throws ApiError body_…, invalid_request, overloaded */
export function borrowForm<T>(
  request: Request,
  memory: Lender,
  maxParts: number,
  use: (parts: readonly Part[]) => Promise<T>,
): Promise<T> {
  const given = forms.get(request);
  if (given !== undefined) return use(given);
  const type = request.headers.get('content-type') ?? '';
  return borrow(request, memory, { maxBytes: MAX_MULTIPART_BYTES, factor: 1 }, async (body) =>
    use(parseMultipart(body, type, maxParts)),
  );
}

function picturesOf(parts: readonly Part[]): Uint8Array[] {
  const otherField = parts.find((part) => part.name !== FIELD);
  if (otherField) {
    const name = otherField.name.slice(0, 80);
    throw new ApiError(
      'invalid_request',
      `The form's field '${name}' is not known; pictures go into '${FIELD}'.`,
      {
        field: name,
      },
    );
  }
  if (parts.length === 0) {
    throw new ApiError('invalid_request', `The form holds no field '${FIELD}'.`, { field: FIELD });
  }
  return parts.map((part) => part.bytes);
}

/** Standard base64, with or without a data: prefix. @throws ApiError invalid_request */
export function fromBase64(text: string, field = FIELD): Uint8Array {
  const base64 = text.replace(/^data:[a-z0-9.+/-]{0,127};base64,/i, '');
  try {
    return Uint8Array.fromBase64(base64);
  } catch (cause) {
    throw new ApiError('invalid_request', `'${field}' is not valid base64.`, { field, cause });
  }
}

function unsupported(type: string): ApiError {
  const hint =
    type === 'application/x-www-form-urlencoded' ? " With curl, add -H 'content-type: image/jpeg'." : '';
  return new ApiError(
    'unsupported_media_type',
    `A picture comes as image/*, application/octet-stream, multipart/form-data or application/json, not as '${type.slice(0, 80)}'.${hint}`,
  );
}
