/** Bundles the Worker into build/worker, exactly as it would be deployed, and prints how large it is. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './stale.ts';

const OUT = join(root, 'build/worker');
/** Cloudflare's cap on a script, uncompressed, on every plan. */
const MAX_SCRIPT_BYTES = 64 * 1024 * 1024;

export interface BundleSize {
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** @throws Error with the bundler's own words when it fails. */
export async function buildWorker(): Promise<BundleSize> {
  rmSync(OUT, { recursive: true, force: true });
  await run(['deploy', '--dry-run', '--outdir', OUT]);
  // What the bundler leaves beside the code for people: not deployed, and not to be taken for modules.
  for (const name of readdirSync(OUT)) if (/\.(md|map)$/.test(name)) rmSync(join(OUT, name));
  const size = measure();
  if (size.bytes > MAX_SCRIPT_BYTES)
    throw new Error(`The bundle has ${size.bytes} bytes; a Worker may have ${MAX_SCRIPT_BYTES}.`);
  return size;
}

function measure(): BundleSize {
  const files = readdirSync(OUT).map((name) => ({ name, bytes: statSync(join(OUT, name)).size }));
  return {
    files: files.sort((a, b) => b.bytes - a.bytes),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    gzipBytes: files.reduce((sum, file) => sum + gzipSync(readFileSync(join(OUT, file.name))).length, 0),
  };
}

/** Runs wrangler, silent unless it fails, and without sending anything anywhere. */
function run(args: string[]): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'node_modules/wrangler/bin/wrangler.js'), ...args], {
    cwd: root,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`Bundling the Worker failed:\n${output}`));
    });
  });
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0).padStart(7)} KiB`;

if (import.meta.main) {
  const { bytes, gzipBytes, files } = await buildWorker();
  for (const file of files) console.log(`${kib(file.bytes)}  ${file.name}`);
  console.log(`${kib(bytes)}  in all, ${kib(gzipBytes).trim()} compressed`);
}
