/** Folders that test files have in common: the first file that asks for one makes it, once in a run of the tests. */
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Environment variable with the folder of the run. */
export const RUN_FOLDER = 'HEADWATER_TEST_RUN';
const POLL_MS = 100;

/**
 * @param make fills an empty folder. Where it fails, the next that asks tries again.
 * @returns the folder, which nobody may change.
 */
export async function shared(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(runFolder(), name);
  const lock = `${folder}.lock`;
  while (!existsSync(folder)) {
    if (isTaken(lock)) {
      await setTimeout(POLL_MS);
      continue;
    }
    try {
      if (!existsSync(folder)) await makeWhole(folder, make);
    } finally {
      rmdirSync(lock);
    }
  }
  return folder;
}

function runFolder(): string {
  const folder = process.env[RUN_FOLDER];
  if (folder === undefined) throw new Error('There is no folder of the run: these tests run in vitest.');
  return folder;
}

/** Takes it where it is free. */
function isTaken(lock: string): boolean {
  try {
    mkdirSync(lock);
    return false;
  } catch {
    return true;
  }
}

async function makeWhole(folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished);
  await make(unfinished);
  renameSync(unfinished, folder);
}
