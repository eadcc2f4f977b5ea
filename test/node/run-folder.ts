/** A folder for one run of the tests, which goes when they end: see shared.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUN_FOLDER } from './shared.ts';

/** Vitest calls it before the first test file, and what it returns after the last. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-run-'));
  process.env[RUN_FOLDER] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
