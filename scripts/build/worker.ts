/** Bundles the Worker into build/worker, exactly as it would be deployed, and prints how large it is. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './stale.ts';
import { wrangler } from '../wrangler.ts';

const OUT = join(root, 'build/worker');
/** Cloudflare's cap on a script, uncompressed, on every plan. */
export const MAX_SCRIPT_BYTES = 64 * 1024 * 1024;

export interface BundleSize {
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** @throws Error with the bundler's own words when it fails. */
export async function buildWorker(): Promise<BundleSize> {
  rmSync(OUT, { recursive: true, force: true });
  const { code, stdout, stderr } = await wrangler(['deploy', '--dry-run', '--env', '', '--outdir', OUT]);
  if (code !== 0) throw new Error(`Bundling the Worker failed:\n${stdout}${stderr}`);
  // What the bundler leaves beside the code for people: not deployed, and not to be taken for modules.
  for (const name of readdirSync(OUT)) if (/\.(md|map)$/.test(name)) rmSync(join(OUT, name));
  const size = measureBundle();
  if (size.bytes > MAX_SCRIPT_BYTES)
    throw new Error(`The bundle has ${size.bytes} bytes; a Worker may have ${MAX_SCRIPT_BYTES}.`);
  return size;
}

/** Of the bundle that lies in build/worker. */
export function measureBundle(): BundleSize {
  const files = readdirSync(OUT).map((name) => ({ name, bytes: statSync(join(OUT, name)).size }));
  return {
    files: files.sort((a, b) => b.bytes - a.bytes),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    gzipBytes: files.reduce((sum, file) => sum + gzipSync(readFileSync(join(OUT, file.name))).length, 0),
  };
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0).padStart(7)} KiB`;

if (import.meta.main) {
  const { bytes, gzipBytes, files } = await buildWorker();
  for (const file of files) console.log(`${kib(file.bytes)}  ${file.name}`);
  console.log(`${kib(bytes)}  in all, ${kib(gzipBytes).trim()} compressed`);
}
