/** Bodies of Custom Vision's calls: pictures in forms or as they are, and JSON. */
import type { z } from 'zod';
import { checkJson, mediaType } from '../../http/body.ts';
import { workOf, type Working } from '../../isolate/request-work.ts';
import { CUSTOM_VISION_JSON_MEMORY_FACTOR, MAX_CUSTOM_VISION_JSON_BYTES } from '../../limits.ts';
import { borrow, borrowForm, PICTURE_FILE } from '../../http/pictures.ts';
import { ApiError } from '../../http/problem.ts';

/** As many as Custom Vision takes in one call. */
export const MAX_IMAGES = 64;
/** Of images or tags, in one call. */
export const MAX_IDS = 256;

const JSON_BODY = { maxBytes: MAX_CUSTOM_VISION_JSON_BYTES, factor: CUSTOM_VISION_JSON_MEMORY_FACTOR };

/** A picture, in memory that is on loan. */
export interface Image {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Hands the pictures of a form, or the body as one, to `use`; their memory counts as lent until that is done. @throws ApiError */
export function withImages<T>(c: Working, use: (images: readonly Image[]) => Promise<T>): Promise<T> {
  if (mediaType(c.req.raw) !== 'multipart/form-data')
    return borrow(c.req.raw, workOf(c).memory, PICTURE_FILE, (bytes) => use([{ name: '', bytes }]));
  return borrowForm(c.req.raw, workOf(c).memory, MAX_IMAGES, async (parts) => {
    if (parts.length === 0) throw new ApiError('invalid_request', 'The form holds no picture.');
    return use(parts.map(({ name, filename, bytes }) => ({ name: filename ?? name, bytes })));
  });
}

/** Hands a JSON body to `use`, in memory that counts as lent until that is done. @throws ApiError */
export function withJson<S extends z.ZodType, T>(
  c: Working,
  schema: S,
  use: (body: z.output<S>) => Promise<T>,
): Promise<T> {
  return borrow(c.req.raw, workOf(c).memory, JSON_BODY, async (body) => use(checkJson(body, schema)));
}

/** A JSON body of which nothing that is large is used. @throws ApiError */
export const readBody = <S extends z.ZodType>(c: Working, schema: S): Promise<z.output<S>> =>
  withJson(c, schema, (body) => Promise.resolve(body));

/** Ids in a query: joined by commas, or the parameter several times. */
export function idsOf(values: readonly string[] | undefined): string[] {
  const ids = (values ?? []).flatMap((value) => value.split(',')).filter((id) => id !== '');
  if (ids.length > MAX_IDS) throw new ApiError('invalid_request', `Name at most ${MAX_IDS} ids at once.`);
  return ids;
}
