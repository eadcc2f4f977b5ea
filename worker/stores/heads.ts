/** Head files: written to R2; read from it once, checked, and kept parsed in the isolate as long as they fit. */
import { tailOf } from '../../src/backbone/index.ts';
import { assertCompatible, memoryOf, readHead, type Head } from '../../src/head/index.ts';
import type { StoreBindings } from './bindings.ts';
import { HEAD_CACHE_BYTES } from '../limits.ts';
import type { Runtime } from '../isolate/backbones.ts';
import { ByteLru, type CacheMemory } from './byte-lru.ts';
import type { HeadFile } from './pointers.ts';
import { readHeadFile } from './head-files.ts';
import { SharedLoads } from './shared-loads.ts';

export class HeadStore {
  readonly #runtime: Pick<Runtime, 'of'>;
  readonly #parsed: ByteLru<Head>;
  readonly #loads = new SharedLoads<Head | null>();

  constructor(runtime: Pick<Runtime, 'of'>, memory: CacheMemory) {
    this.#runtime = runtime;
    this.#parsed = new ByteLru(HEAD_CACHE_BYTES, memory);
  }

  /**
   * @returns null where the object is not there (any more).
   * @throws ApiError head_damaged, store_failed; HeadwaterError where it can't be used: it was checked when it came in, but this Worker may be a later one.
   */
  async load(env: StoreBindings, file: HeadFile): Promise<Head | null> {
    return (
      this.#parsed.get(file.objectName) ??
      this.#loads.load(file.objectName, async () => {
        const bytes = await readHeadFile(env.HEADS, file);
        if (bytes === null) return null;
        const head = await this.parse(bytes);
        this.keep(file, head, bytes.byteLength);
        return head;
      })
    );
  }

  /** What is kept of a file already: nothing is waited for. */
  kept({ objectName }: HeadFile): Head | undefined {
    return this.#parsed.get(objectName);
  }

  /** Keeps a head that was just stored, so that the next request need not fetch what is here already. */
  keep(file: HeadFile, head: Head, fileBytes: number): void {
    this.#parsed.set(file.objectName, head, memoryOf(head, fileBytes));
  }

  /** @throws HeadwaterError file_corrupt, head_invalid, head_too_large, backbone_mismatch */
  async parse(bytes: Uint8Array): Promise<Head> {
    const head = readHead(bytes);
    const runtime = await this.#runtime.of(head);
    assertCompatible(head, runtime.plan);
    // Throws where the tail does not fit; it is prepared when it is first used.
    if (head.tail !== undefined) tailOf(runtime.backbone, head.tail);
    return head;
  }
}
