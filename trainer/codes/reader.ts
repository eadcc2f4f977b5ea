/** CNN codes of many pictures: from the cache where possible, computed on several threads where not. */
import { join } from 'node:path';
import type { Backbone } from '../../src/backbone/index.ts';
import { cacheFolder } from '../paths.ts';
import { pipelineKey } from '../runtime.ts';
import type { Terminal } from '../terminal.ts';
import { CodesCache, dropUnused } from './cache.ts';
import { concurrently } from './concurrently.ts';
import { runJobs } from './pool.ts';
import type { Job } from './thread.ts';

/** Kept codes read at once; they are small. */
const READS_AT_ONCE = 8;

export interface CodesRead {
  /** By SHA-256 of the picture. Pictures that could not be decoded are missing. */
  readonly codes: ReadonlyMap<string, Float16Array>;
  /** Why, by SHA-256. */
  readonly problems: ReadonlyMap<string, string>;
  readonly fromCache: number;
}

export class CodesReader {
  readonly #cache: CodesCache;
  readonly terminal: Terminal;

  constructor(cache: CodesCache, terminal: Terminal) {
    this.#cache = cache;
    this.terminal = terminal;
  }

  static async open(backbone: Backbone, terminal: Terminal): Promise<CodesReader> {
    const key = await pipelineKey(backbone);
    const folder = join(cacheFolder(), 'codes');
    await dropUnused(folder, key);
    const cache = new CodesCache(folder, key, backbone.codeLength, (line) => terminal.warn(line));
    return new CodesReader(cache, terminal);
  }

  /** @param jobs pictures with different contents. */
  async codes(jobs: readonly Job[]): Promise<CodesRead> {
    const codes = new Map<string, Float16Array>();
    const problems = new Map<string, string>();
    const missing: Job[] = [];
    await concurrently(jobs, READS_AT_ONCE, async ({ path, sha256 }) => {
      const kept = await this.#cache.get(sha256);
      if (kept === undefined) missing.push({ path, sha256 });
      else codes.set(sha256, kept);
    });
    const fromCache = codes.size;
    if (missing.length > 0) {
      const progress = this.terminal.progress('CNN codes', missing.length);
      await runJobs(missing, async ({ sha256 }, answer) => {
        progress.step();
        if ('problem' in answer) {
          problems.set(sha256, answer.problem);
          return;
        }
        codes.set(sha256, answer.code);
        await this.#cache.put(sha256, answer.code);
      });
      progress.stop();
    }
    return { codes, problems, fromCache };
  }
}
