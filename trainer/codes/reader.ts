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

export interface CodesReader {
  readonly terminal: Terminal;
  /** @param jobs pictures with different contents. */
  readonly codes: (jobs: readonly Job[]) => Promise<CodesRead>;
}

/** @param view the head whose codes are wanted; the backbone's own without. */
export async function openReader(
  reading: Reading,
  terminal: Terminal,
  view?: HeadView,
): Promise<CodesReader> {
  const { backbone, input } = reading;
  const key = await pipelineKey(reading, view);
  const folder = join(cacheFolder(), 'codes');
  await dropUnused(folder, key);
  const codeLength = view?.codeLength ?? backbone.codeLength;
  const cache = new CodesCache(folder, key, codeLength, (line) => terminal.warn(line));
  const wanted = { weightsSha256: backbone.plan.weightsSha256, input, view };
  return { terminal, codes: (jobs) => readCodes(jobs, cache, wanted, terminal) };
}

async function readCodes(
  jobs: readonly Job[],
  cache: CodesCache,
  wanted: CodesWanted,
  terminal: Terminal,
): Promise<CodesRead> {
  const table = createTable(jobs.length, cache.codeLength, join(cacheFolder(), 'tables'));
  const problems = new Map<string, string>();
  const missing: (Job & { readonly place: number })[] = [];
  await concurrently(jobs, READS_AT_ONCE, async ({ path, sha256 }, place) => {
    const kept = await cache.get(sha256);
    if (kept === undefined) missing.push({ path, sha256, place });
    else table.set(place, kept);
  });
  if (missing.length > 0) {
    const progress = terminal.progress('CNN codes', missing.length);
    await runJobs(missing, wanted, async ({ sha256, place }, answer) => {
      progress.step();
      if ('problem' in answer) {
        problems.set(sha256, answer.problem);
        return;
      }
      table.set(place, answer.code);
      await cache.put(sha256, answer.code);
    });
    progress.stop();
  }
  return { rows: table.rows, problems, fromCache: jobs.length - missing.length };
}
