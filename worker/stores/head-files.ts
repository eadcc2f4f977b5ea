/** Head files in R2: written with their hash, and served only where their bytes hash to their name. */
import { sha256Hex } from '../access/api-key.ts';
import { ApiError } from '../http/problem.ts';
import { giveWay } from '../isolate/right-of-way.ts';
import { headFileHash } from './layout.ts';
import { fromR2 } from './reads.ts';

/** As much of the bucket as writing takes. */
interface WritableBucket {
  put(name: string, value: Uint8Array, options: { sha256: string }): Promise<unknown>;
}

/**
 * Writes a head file. R2 compares the hash itself, so that what is stored is what was checked. Predictions go before it
 * and before what follows, which is a change of the tenant's database.
 */
export async function writeHeadFile(
  bucket: WritableBucket,
  objectName: string,
  bytes: Uint8Array,
  sha256: string,
): Promise<void> {
  await giveWay();
  await fromR2(() => bucket.put(objectName, bytes, { sha256 }));
  await giveWay();
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
