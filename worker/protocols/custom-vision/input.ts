/** Bodies of Custom Vision's calls: pictures in forms or as they are, and JSON. */
import type { z } from 'zod';
import { MAX_FILE_BYTES } from '../../../src/image/limits.ts';
import { checkJson, mediaType } from '../../http/body.ts';
import type { Lender } from '../../isolate/leases.ts';
import {
  CUSTOM_VISION_JSON_MEMORY_FACTOR,
  MAX_CUSTOM_VISION_JSON_BYTES,
  MAX_MULTIPART_BYTES,
} from '../../limits.ts';
import { parseMultipart } from '../../http/multipart.ts';
import { borrow } from '../../http/pictures.ts';
import { ApiError } from '../../http/problem.ts';

/** As many as Custom Vision takes in one call. */
export const MAX_IMAGES = 64;
/** Of images or tags, in one call. */
export const MAX_IDS = 256;

/**
 * The pictures of a form, or the body as one. Copies: the body's own memory is given back before anything is done with
 * them, since what is done borrows memory for itself.
 */
export async function readImages(
  request: Request,
  memory: Lender,
): Promise<{ name: string; bytes: Uint8Array }[]> {
  if (mediaType(request) !== 'multipart/form-data') {
    return borrow(request, memory, MAX_FILE_BYTES, 1, (body) => Promise.resolve([{ name: '', bytes: body }]));
  }
  const type = request.headers.get('content-type') ?? '';
  return borrow(request, memory, MAX_MULTIPART_BYTES, 2, (body) => {
    const parts = parseMultipart(body, type, MAX_IMAGES);
    if (parts.length === 0) throw new ApiError('invalid_request', 'The form holds no picture.');
    return Promise.resolve(
      parts.map(({ name, filename, bytes }) => ({ name: filename ?? name, bytes: bytes.slice() })),
    );
  });
}

/** @throws ApiError */
export function readBody<S extends z.ZodType>(
  request: Request,
  memory: Lender,
  schema: S,
): Promise<z.output<S>> {
  return borrow(request, memory, MAX_CUSTOM_VISION_JSON_BYTES, CUSTOM_VISION_JSON_MEMORY_FACTOR, (body) =>
    Promise.resolve(checkJson(body, schema)),
  );
}

/** Ids in a query: joined by commas, or the parameter several times. */
export function idsOf(values: readonly string[] | undefined): string[] {
  const ids = (values ?? []).flatMap((value) => value.split(',')).filter((id) => id !== '');
  if (ids.length > MAX_IDS) throw new ApiError('invalid_request', `Name at most ${MAX_IDS} ids at once.`);
  return ids;
}
