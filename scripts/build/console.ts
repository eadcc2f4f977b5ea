/** Builds the console with Vite into build/console, and prints what a first visit transfers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { buildReference, REFERENCE } from './reference.ts';
import { root } from './stale.ts';

export const CONSOLE_OUT = 'build/console';
/** What a first visit may transfer, compressed, pictures left out. */
export const MAX_FIRST_LOAD_BYTES = 200 * 1024;

export interface ConsoleFile {
  readonly name: string;
  readonly bytes: number;
  readonly gzipBytes: number;
}

/** @throws Error when the first load would be too large, or with Vite's own words. */
export async function buildConsole(): Promise<readonly ConsoleFile[]> {
  await build({ configFile: join(root, 'console/vite.config.ts'), logLevel: 'warn' });
  buildReference(join(root, CONSOLE_OUT));
  const files = consoleFiles();
  const total = firstLoadBytes(files);
  if (total > MAX_FIRST_LOAD_BYTES) {
    throw new Error(
      `The console's files take ${total} bytes compressed; the budget is ${MAX_FIRST_LOAD_BYTES}. Split off what a first visit does not need.`,
    );
  }
  return files;
}

/** The console's built files with their sizes, as gzip would send them; the API reference is a page of its own. */
export function consoleFiles(): ConsoleFile[] {
  const folder = join(root, CONSOLE_OUT);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== '_headers')
    .filter(({ name, parentPath }) => name !== `${REFERENCE}.html` && parentPath !== join(folder, REFERENCE))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const bytes = readFileSync(path);
      const name = path.slice(folder.length + 1);
      return { name, bytes: bytes.length, gzipBytes: gzipSync(bytes).length };
    });
}

/** An upper bound: all files, also those that only some pages load. */
export function firstLoadBytes(files: readonly ConsoleFile[]): number {
  return files.reduce((sum, file) => sum + file.gzipBytes, 0);
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1).padStart(7)} KiB`;
}

if (import.meta.main) {
  const files = await buildConsole();
  for (const file of files) console.log(`${kib(file.gzipBytes)}  ${file.name}`);
  console.log(`${kib(firstLoadBytes(files))}  in all, compressed`);
}
