/** CNN codes of many pictures: from the cache where possible, computed on several threads where not. */
import { join } from 'node:path';
import type { HeadView } from '../../src/head/index.ts';
import type { CodeRows } from '../../src/learn/code-rows.ts';
import { cacheFolder } from '../paths.ts';
import type { Reading } from '../reading.ts';
import { pipelineKey, type CodesWanted } from '../runtime.ts';
import type { Terminal } from '../cli/terminal.ts';
import { CodesCache, dropUnused } from './cache.ts';
import { concurrently } from './concurrently.ts';
import { runJobs } from './pool.ts';
import { createTable } from './table.ts';
import type { Job } from './extract.ts';

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
  readonly #wanted: CodesWanted;

  constructor(cache: CodesCache, terminal: Terminal, wanted: CodesWanted) {
    this.#cache = cache;
    this.terminal = terminal;
    this.#wanted = wanted;
  }

  /** @param view the head whose codes are wanted; the backbone's own without. */
  static async open(reading: Reading, terminal: Terminal, view?: HeadView): Promise<CodesReader> {
    const { backbone, input } = reading;
    const key = await pipelineKey(reading, view);
    const folder = join(cacheFolder(), 'codes');
    await dropUnused(folder, key);
    const cache = new CodesCache(folder, key, view?.codeLength ?? backbone.codeLength, (line) =>
      terminal.warn(line),
    );
    const { weightsSha256 } = backbone.plan;
    return new CodesReader(cache, terminal, {
      weightsSha256,
      input,
      ...(view === undefined ? {} : { view }),
    });
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
      await runJobs(missing, this.#wanted, async ({ sha256, place }, answer) => {
        progress.step();
        if ('problem' in answer) {
          problems.set(sha256, answer.problem);
          return;
        }
        table.set(place, answer.code);
        await this.#cache.put(sha256, answer.code);
      });
      progress.stop();
    }
    return { rows: table.rows, problems, fromCache };
  }
}

interface PlacedJob extends Job {
  /** Of the picture among all. */
  readonly place: number;
}
