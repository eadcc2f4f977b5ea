/**
 * Which versions a head has and which is current: read from the isolate's memory, then from KV, then from the tenant's
 * Durable Object, which is always right. A version named in a request that the nearer ones don't have is looked up in the farther ones, so it
 * is right everywhere at once; the current one follows within POINTER_STALE_MS plus KV's 30 s.
 */
import type { Env } from '../env.ts';
import { POINTER_CACHE_ENTRIES, POINTER_FRESH_MS, POINTER_STALE_MS } from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import { callTenant } from '../tenant/call.ts';
import { headObjectName, Pointer, pointerName } from './layout.ts';
import { readKv } from './reads.ts';
import { RefreshingCache } from './refreshing-cache.ts';

/** One head file: which version it is and where it lies. */
export interface HeadFile {
  readonly head: string;
  readonly version: number;
  readonly objectName: string;
  /** The version that answers silently beside this one, where no version was named. */
  readonly shadow?: HeadFile;
  /** Whether uncertain predictions are kept for review. */
  readonly capture?: boolean;
  /** Answers a share of the pictures in this one's place, where no version was named. */
  readonly canary?: { readonly file: HeadFile; readonly percent: number };
}

/** A version's number or one of its names. */
export type VersionWish = number | string;

/** How old a pointer may be, and how many are kept. */
export const POINTER_AGES = {
  freshMs: POINTER_FRESH_MS,
  staleMs: POINTER_STALE_MS,
  entries: POINTER_CACHE_ENTRIES,
};

export class PointerStore {
  readonly #cache = new RefreshingCache<Pointer>(POINTER_AGES);

  /**
   * @param version the current one where absent, and with it what else may answer.
   * @throws ApiError head_not_found, version_not_found
   */
  async resolve(env: Env, tenant: string, head: string, version?: VersionWish): Promise<HeadFile> {
    const name = pointerName(tenant, head);
    const load = (known: Pointer | undefined) => fromKv(env, tenant, head, known);
    let pointer = await this.#cache.get(name, load);
    if (version !== undefined && !knows(pointer, version)) pointer = await this.#cache.refresh(name, load);
    if (version !== undefined && !knows(pointer, version)) pointer = await this.confirm(env, tenant, head);
    return fileOf(tenant, head, pointer, version);
  }

  /** Reads the Durable Object itself, where the nearer copies don't have something or were wrong. */
  async confirm(env: Env, tenant: string, head: string): Promise<Pointer> {
    const pointer = await fromTenant(env, tenant, head);
    this.remember(tenant, head, pointer);
    return pointer;
  }

  /** What a write made here answered: its caller reads it from now on, whatever KV still says. */
  remember(tenant: string, head: string, pointer: Pointer): void {
    const name = pointerName(tenant, head);
    const known = this.#cache.peek(name);
    if (known === undefined || known.revision <= pointer.revision) this.#cache.set(name, pointer);
  }
}

function knows({ versions, names }: Pointer, version: VersionWish): boolean {
  return typeof version === 'number' ? version in versions : Object.hasOwn(names, version);
}

/** The file that a pointer means. @throws ApiError head_not_found, version_not_found */
export function fileOf(tenant: string, head: string, pointer: Pointer, version?: VersionWish): HeadFile {
  const { canary, current, versions, names } = pointer;
  if (version === undefined) {
    if (current === null) throw headNotFound(head);
    const file = watched(tenant, head, pointer, current);
    if (canary === null || !(canary.version in versions)) return file;
    const other = watched(tenant, head, pointer, canary.version);
    return { ...file, canary: { file: other, percent: canary.percent } };
  }
  const wanted = typeof version === 'number' || !Object.hasOwn(names, version) ? version : names[version];
  return numbered(tenant, head, pointer, wanted);
}

/** A version that the request did not name, and what follows its answers. */
function watched(tenant: string, head: string, pointer: Pointer, version: number): HeadFile {
  const { shadow, versions, capture } = pointer;
  const file = { ...numbered(tenant, head, pointer, version), capture };
  const silent = shadow !== null && shadow !== version && shadow in versions;
  return silent ? { ...file, shadow: numbered(tenant, head, pointer, shadow) } : file;
}

function numbered(
  tenant: string,
  head: string,
  { current, versions }: Pointer,
  version: VersionWish,
): HeadFile {
  const sha256 = typeof version === 'number' ? versions[version] : undefined;
  if (sha256 !== undefined && typeof version === 'number')
    return { head, version, objectName: headObjectName(tenant, head, version, sha256) };
  throw current === null ? headNotFound(head) : versionNotFound(head, version);
}

/** Another tenant's head is as unknown as one that never was: names are looked up within the tenant only. */
export function headNotFound(head: string): ApiError {
  return new ApiError(
    'head_not_found',
    `There is no head '${head}' that can answer. GET /v1/heads lists those that can; one that was taught needs two classes.`,
  );
}

export function versionNotFound(head: string, version: VersionWish): ApiError {
  return new ApiError(
    'version_not_found',
    `Head '${head}' has no version ${version}. GET /v1/heads/${head} lists those there are.`,
  );
}

/** KV, unless it has nothing, or something older than this isolate has read before. */
async function fromKv(env: Env, tenant: string, head: string, known: Pointer | undefined): Promise<Pointer> {
  const pointer = await readKv(env, pointerName(tenant, head), Pointer);
  if (typeof pointer === 'object' && pointer.revision >= (known?.revision ?? 0)) return pointer;
  return fromTenant(env, tenant, head);
}

/** @throws ApiError head_not_found for a name that never had a head: nothing is kept of it. */
async function fromTenant(env: Env, tenant: string, head: string): Promise<Pointer> {
  const pointer = await callTenant(env, tenant, (stub) => stub.heads.pointer(head));
  if (pointer === null) throw headNotFound(head);
  return pointer;
}
