/** Heads by name or by file, each with the runtime that makes its features: read from the caches while they are warm. */
import type { Head } from '../../src/head/index.ts';
import type { Env } from '../env.ts';
import type { Runtime } from '../isolate/backbones.ts';
import { headDamaged } from './head-files.ts';
import type { HeadStore } from './heads.ts';
import { fileOf, type HeadFile, type PointerStore, type VersionWish } from './pointers.ts';

export interface LoadedHead {
  readonly file: HeadFile;
  readonly head: Head;
  /** The backbone, at the input size, whose features the head reads. */
  readonly runtime: Runtime;
}

export class HeadLoader {
  readonly #pointers: PointerStore;
  readonly #heads: HeadStore;
  readonly #runtime: Pick<Runtime, 'of'>;

  constructor(pointers: PointerStore, heads: HeadStore, runtime: Pick<Runtime, 'of'>) {
    this.#pointers = pointers;
    this.#heads = heads;
    this.#runtime = runtime;
  }

  /**
   * @param version the current one where absent; predict.ts then chooses between it and its canary.
   * @throws ApiError head_not_found, version_not_found, head_damaged, store_failed
   */
  async find(env: Env, tenant: string, name: string, version?: VersionWish): Promise<LoadedHead> {
    const found = await this.load(env, await this.#pointers.resolve(env, tenant, name, version));
    if (found !== null) return found;
    // The cached pointer is older than a deletion made elsewhere: the tenant's Durable Object knows.
    const confirmed = fileOf(tenant, name, await this.#pointers.confirm(env, tenant, name), version);
    const loaded = await this.load(env, confirmed);
    if (loaded === null) throw headDamaged(confirmed, 'missing');
    return loaded;
  }

  /** @returns null where there is no such file (any more). @throws as HeadStore.load */
  async load(env: Env, file: HeadFile): Promise<LoadedHead | null> {
    const head = await this.#heads.load(env, file);
    return head === null ? null : { file, head, runtime: await this.#runtime.of(head) };
  }

  /** What is kept of a file already: no store is waited for. */
  async kept(file: HeadFile): Promise<LoadedHead | undefined> {
    const head = this.#heads.kept(file);
    return head && { file, head, runtime: await this.#runtime.of(head) };
  }
}
