/** Builds what the tasks need and is missing or out of date: list of backbones, WASM kernels, console, Worker bundle. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildBackbones } from './backbones.ts';
import { buildConsole } from './console.ts';
import { buildWasm, wasmSources } from './wasm.ts';
import { buildWorker } from './worker.ts';
import { root, whenStale } from './stale.ts';

const LOCK = 'package-lock.json';

/** Brings everything under build/ up to date; says on stderr what it does. Takes milliseconds when nothing changed. */
export async function build(): Promise<void> {
  buildBackbones();
  await whenStale(
    'wasm',
    [...wasmSources(), LOCK],
    ['build/wasm/jpeg.wasm', 'build/wasm/engine.wasm'],
    async () => {
      say('Compiling the WASM kernels …');
      await buildWasm();
    },
  );
  // Before the Worker, which is bundled with the console as its assets.
  const page = [
    'console',
    'reference',
    'sdk',
    'src/api',
    'scripts/build/console.ts',
    'scripts/build/reference.ts',
    LOCK,
  ];
  await whenStale('console', page, ['build/console/index.html'], async () => {
    say('Building the console …');
    await buildConsole();
  });
  const sources = [
    'src',
    'worker',
    'backbones',
    'build/backbones',
    'build/wasm',
    'wrangler.toml',
    'scripts/build/worker.ts',
    LOCK,
  ];
  await whenStale('worker', sources, ['build/worker/index.js'], async () => {
    say('Bundling the Worker …');
    rmSync(join(root, 'build/worker'), { recursive: true, force: true });
    await buildWorker();
  });
}

function say(line: string): void {
  console.error(line);
}

if (import.meta.main) {
  try {
    await build();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
