/**
 * Reads of stores that may fail. KV repeats what the tenant's Durable Object knows, so that its failure is as good as a
 * miss. Objects are in R2 alone, so that its failure is told, and a head file is served only if its bytes hash to its name.
 */
import type { z } from 'zod';
import { sha256Hex } from '../access/api-key.ts';
import type { Env } from '../env.ts';
import { KV_CACHE_TTL_S } from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import { headFileHash } from './layout.ts';

/** An entry of KV; `absent` where there is none of this form, `failed` where KV does not answer: ask the Durable Object. */
export async function readKv<S extends z.ZodType<object>>(
  { POINTERS }: Pick<Env, 'POINTERS'>,
  name: string,
  schema: S,
): Promise<z.output<S> | 'absent' | 'failed'> {
  try {
    const stored: unknown = await POINTERS.get(name, { type: 'json', cacheTtl: KV_CACHE_TTL_S });
    const entry = schema.safeParse(stored);
    return entry.success ? entry.data : 'absent';
  } catch (error) {
    console.warn(JSON.stringify({ message: 'KV does not answer', reason: String(error) }));
    return 'failed';
  }
}

/** What R2 answers. @throws ApiError store_failed where it does not */
export async function fromR2<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    console.warn(JSON.stringify({ message: 'R2 does not answer', reason: String(cause) }));
    throw new ApiError('store_failed', 'The object store does not answer. Try again in a moment.', {
      cause,
      headers: { 'retry-after': '1' },
    });
  }
}

/** A version's file in R2. */
export interface StoredFile {
  readonly head: string;
  readonly version: number;
  readonly objectName: string;
}

/** As much of a bucket as reading whole files takes. */
interface Bucket<O> {
  get(name: string): Promise<O | null>;
}

/**
 * The bytes of a head file, which hash to its name; what does not is fetched once more.
 * @returns null where there is no such object. @throws ApiError head_damaged, store_failed
 */
export async function readHeadFile(
  bucket: Bucket<{ arrayBuffer(): Promise<ArrayBuffer> }>,
  file: StoredFile,
): Promise<Uint8Array | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const object = await fromR2(() => bucket.get(file.objectName));
    if (object === null) return null;
    const bytes = new Uint8Array(await fromR2(() => object.arrayBuffer()));
    if ((await sha256Hex(bytes)) === headFileHash(file.objectName)) return bytes;
  }
  throw headDamaged(file);
}

/**
 * A head file as a stream, for those that hand it on: it is read to its end first, so that what is damaged is not begun.
 * @returns null where there is no such object. @throws ApiError head_damaged, store_failed
 */
export async function openHeadFile<O extends { readonly body: ReadableStream<Uint8Array> }>(
  bucket: Bucket<O>,
  file: StoredFile,
): Promise<O | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const state = await headFileState(bucket, file.objectName);
    if (state === 'missing') return null;
    if (state === 'whole') return fromR2(() => bucket.get(file.objectName));
  }
  throw headDamaged(file);
}

/** Reads a head file to its end as a stream and says what it is worth. @throws ApiError store_failed */
export async function headFileState(
  bucket: Bucket<{ readonly body: ReadableStream<Uint8Array> }>,
  objectName: string,
): Promise<'missing' | 'damaged' | 'whole'> {
  const object = await fromR2(() => bucket.get(objectName));
  if (object === null) return 'missing';
  const digest = new crypto.DigestStream('SHA-256');
  await fromR2(() => object.body.pipeTo(digest));
  const hash = new Uint8Array(await digest.digest).toHex();
  return hash === headFileHash(objectName) ? 'whole' : 'damaged';
}

const ATTEMPTS = 2;

/** @param what is the matter with the file. */
export function headDamaged(
  { head, version }: StoredFile,
  what: 'damaged' | 'missing' = 'damaged',
): ApiError {
  return new ApiError(
    'head_damaged',
    `The file of version ${version} of head '${head}' is ${what} in the object store, so it cannot be used. Upload the same file again, or make another version current and delete this one.`,
  );
}
