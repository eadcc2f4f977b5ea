/**
 * The way of a new head file into the stores. In this order, so that a crash after any step leaves nothing half done:
 *
 * 1. check the file. Crash: nothing happened.
 * 2. reserve a version; its object is recorded as future garbage. Crash: a row that no request reads, which the alarm removes.
 * 3. write the object to R2. Crash: the alarm deletes the object with the row.
 * 4. commit: the version is there and current, the object no longer garbage, the KV entry recorded as out of date, all in
 *    one transaction. Crash: the alarm writes the KV entry; a caller that repeats the upload is told the same version.
 * 5. the KV entry is written by the Durable Object before it answers.
 *
 * Where a version with this content is there already, its object is written again only if it is missing or damaged. Where that
 * version is deleted meanwhile, as one that knew a forgotten example is, the upload begins anew.
 */
import type { Head } from '../../src/head/index.ts';
import { sha256Hex } from '../access/api-key.ts';
import type { Env } from '../env.ts';
import { giveWay } from '../isolate/right-of-way.ts';
import { ApiError } from '../http/problem.ts';
import { writeHeadFile, headFileState } from '../stores/head-files.ts';
import type { Pointer } from '../stores/layout.ts';
import { fromR2 } from '../stores/reads.ts';
import { callTenant } from '../tenant/call.ts';
import { describe } from '../tenant/heads/describe.ts';

export interface Stored {
  readonly version: number;
  /** False when a version with this content was there already; it is current now. */
  readonly created: boolean;
  readonly sha256: string;
  readonly pointer: Pointer;
}

/** Uploads begun for one request; only one whose version was deleted under it is begun again. */
const ATTEMPTS = 3;

/** @param head what `bytes` hold, already checked. @throws ApiError conflict, limit_reached, store_failed */
export async function storeHead(
  env: Env,
  tenant: string,
  name: string,
  bytes: Uint8Array,
  head: Head,
): Promise<Stored> {
  const sha256 = await sha256Hex(bytes);
  const upload = { sha256, bytes: bytes.byteLength, description: describe(head) };
  for (let attempt = 1; ; attempt++) {
    await giveWay();
    const reserved = await callTenant(env, tenant, (stub) => stub.heads.reserve(name, upload));
    const commit = () => callTenant(env, tenant, (stub) => stub.heads.commit(name, reserved.version));
    if (reserved.state === 'reserved') {
      await writeHeadFile(env.HEADS, reserved.objectName, bytes, sha256);
      const { version, pointer } = await commit();
      return { version, created: version === reserved.version, sha256, pointer };
    }
    try {
      await mend(env, reserved.objectName, bytes, sha256, commit);
      return { version: reserved.version, created: false, sha256, pointer: reserved.pointer };
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

const isConflict = (error: unknown): boolean => error instanceof ApiError && error.code === 'conflict';

/**
 * Writes a version's object once more where the stored one is of no use.
 * @param commit changes nothing, and is refused where the version was deleted meanwhile. Its object was recorded as garbage
 *   then, perhaps before it was written here: it is deleted again.
 */
async function mend(
  env: Env,
  objectName: string,
  bytes: Uint8Array,
  sha256: string,
  commit: () => Promise<unknown>,
): Promise<void> {
  if ((await headFileState(env.HEADS, objectName)) === 'whole') return;
  await writeHeadFile(env.HEADS, objectName, bytes, sha256);
  try {
    await commit();
  } catch (error) {
    if (isConflict(error)) await fromR2(() => env.HEADS.delete(objectName));
    throw error;
  }
}
