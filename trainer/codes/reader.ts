/** CNN codes of many pictures: from the cache where possible, computed on several threads where not. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { HeadView } from '../../src/head/index.ts';
import type { Backbone } from '../../src/backbone/index.ts';
import type { CodeRows } from '../../src/learn/code-rows.ts';
import { cacheFolder } from '../paths.ts';
import { pipelineKey } from '../runtime.ts';
import type { Terminal } from '../terminal.ts';
import { CodesCache, dropUnused } from './cache.ts';
import { concurrently } from './concurrently.ts';
import { runJobs } from './pool.ts';
import { createTable } from './table.ts';
import type { Job } from './thread.ts';

/** Kept codes read at once; they are small. */
const READS_AT_ONCE = 8;

export interface CodesRead {
  /** In the order of the pictures; of those that could not be decoded, zeros. */
  readonly rows: CodeRows;
  /** Why, by SHA-256. */
  readonly problems: ReadonlyMap<string, string>;
  readonly fromCache: number;
}

export class CodesReader {
  readonly #cache: CodesCache;
  readonly terminal: Terminal;
  readonly #view: HeadView | undefined;

  constructor(cache: CodesCache, terminal: Terminal, view?: HeadView) {
    this.#cache = cache;
    this.terminal = terminal;
    this.#view = view;
  }

  /** @param view the head whose codes are wanted; the backbone's own without. */
  static async open(backbone: Backbone, terminal: Terminal, view?: HeadView): Promise<CodesReader> {
    const key = keyFor(await pipelineKey(backbone), view);
    const folder = join(cacheFolder(), 'codes');
    await dropUnused(folder, key);
    const cache = new CodesCache(folder, key, view?.codeLength ?? backbone.codeLength, (line) =>
      terminal.warn(line),
    );
    return new CodesReader(cache, terminal, view);
  }

  /** @param jobs pictures with different contents. */
  async codes(jobs: readonly Job[]): Promise<CodesRead> {
    const table = createTable(jobs.length, this.#cache.codeLength, join(cacheFolder(), 'tables'));
    const problems = new Map<string, string>();
    const missing: PlacedJob[] = [];
    await concurrently(jobs, READS_AT_ONCE, async ({ path, sha256 }, place) => {
      const kept = await this.#cache.get(sha256);
      if (kept === undefined) missing.push({ path, sha256, place });
      else table.set(place, kept);
    });
    const fromCache = jobs.length - missing.length;
    if (missing.length > 0) {
      const progress = this.terminal.progress('CNN codes', missing.length);
      await runJobs(
        missing,
        async ({ sha256, place }, answer) => {
          progress.step();
          if ('problem' in answer) {
            problems.set(sha256, answer.problem);
            return;
          }
          table.set(place, answer.code);
          await this.#cache.put(sha256, answer.code);
        },
        this.#view,
      );
      progress.stop();
    }
    return { rows: table.rows, problems, fromCache };
  }
}

interface PlacedJob extends Job {
  /** Of the picture among all. */
  readonly place: number;
}

/** A tail or a choice of taps makes other codes of the same pictures. */
function keyFor(pipeline: string, view: HeadView | undefined): string {
  if (view === undefined) return pipeline;
  const hash = createHash('sha256').update(JSON.stringify([pipeline, view.taps, view.tail?.from ?? null]));
  for (const [name, { buffer, byteOffset, byteLength }] of view.tail?.tensors ?? []) {
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex').slice(0, 32);
}
