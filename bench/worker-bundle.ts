/** Bundles one of the Workers in bench/worker: its code, and beside it the files that workerd loads as they are. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from '../scripts/build/stale.ts';

/** What to do with `./x.wasm?module`: drop the suffix, which is there for the type checker. */
const suffixes: esbuild.Plugin = {
  name: 'suffixes',
  setup(build) {
    build.onResolve({ filter: /\?(module|bytes)$/ }, ({ path, kind, importer, resolveDir }) =>
      build.resolve(path.replace(/\?\w+$/, ''), { kind, importer, resolveDir }),
    );
    // CommonJS in a package that says it has none.
    build.onResolve({ filter: /\?factory$/ }, async ({ path, kind, importer, resolveDir }) => {
      const resolved = await build.resolve(path.replace(/\?\w+$/, ''), { kind, importer, resolveDir });
      return { ...resolved, namespace: 'factory' };
    });
    build.onLoad({ filter: /.*/, namespace: 'factory' }, ({ path }) => ({
      contents: `${readFileSync(path, 'utf8')}\nexport default ModuleFactory;`,
    }));
  },
};

/** A Worker, and the network in it. */
export interface Entry {
  /** Name of a file in bench/worker. */
  readonly worker: string;
  /** Name of a file in bench/worker/networks. */
  readonly network: string;
}

/** Puts the network that is asked for in the place of `chosen.ts`: the Workers are the same for all. */
const withNetwork = (network: string): esbuild.Plugin => ({
  name: 'network',
  setup(build) {
    build.onResolve({ filter: /\/networks\/chosen\.ts$/ }, () => ({
      path: join(import.meta.dirname, 'worker/networks', `${network}.ts`),
    }));
  },
});

/** @returns the folder that the bundle is in. */
export async function bundleWorker({ worker, network }: Entry): Promise<string> {
  const folder = join(root, 'build/bench', `${worker}-${network}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await esbuild.build({
    entryPoints: { index: join(import.meta.dirname, 'worker', `${worker}.ts`) },
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    target: 'esnext',
    loader: { '.wasm': 'copy', '.safetensors': 'copy' },
    // Named only on paths that a Worker never takes; a Worker has no URL of its own.
    external: 'node:* module worker_threads fs path url util os perf_hooks crypto vm'.split(' '),
    define: {
      'import.meta.url': '"https://bench.invalid/worker.js"',
      // A Worker has the class and not the `location` that goes with it elsewhere.
      'globalThis.WorkerGlobalScope': 'undefined',
    },
    plugins: [suffixes, withNetwork(network)],
    // First of all: it watches what the others make.
    inject: [join(import.meta.dirname, 'worker/memories.ts')],
    logLevel: 'error',
  });
  // Its service would keep this process alive.
  await esbuild.stop();
  return folder;
}
