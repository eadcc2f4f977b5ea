/** `npm run build:sdk`: the client as a package to install, JavaScript and types, and its tarball. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { root } from './stale.ts';

const OUT = 'build/sdk';
const ENTRIES = ['client', 'workers-ai', 'teachable-machine'];

const Own = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  dependencies: z.object({ zod: z.string() }),
});
const Packed = z.array(z.object({ filename: z.string() })).min(1);

/** @returns the tarball's path. @throws Error in the words of the compiler or of npm. */
export function buildSdk(): string {
  const folder = join(root, OUT);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  compile(folder);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  const page = readFileSync(join(root, 'docs/sdk.md'), 'utf8');
  writeFileSync(join(folder, 'README.md'), page);
  writeFileSync(join(folder, 'LICENSE'), readFileSync(join(root, 'LICENSE')));
  const [{ filename }] = Packed.parse(
    JSON.parse(run('npm', ['pack', '--json', '--pack-destination', dirname(folder)], folder)),
  );
  return join(dirname(folder), filename);
}

/** What is imported from src/ are types only: of its modules, the declarations stay. */
function compile(folder: string): void {
  const settings = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      lib: ['ESNext', 'DOM', 'DOM.Iterable'],
      types: [],
      rootDir: root,
      outDir: folder,
    },
    files: ENTRIES.map((name) => join(root, `sdk/${name}.ts`)),
  };
  const file = join(folder, 'tsconfig.json');
  writeFileSync(file, JSON.stringify(settings));
  run(join(root, 'node_modules/.bin/tsc'), ['-p', file], root);
  rmSync(file);
  const api = join(folder, 'src/api');
  for (const name of readdirSync(api)) if (name.endsWith('.js')) rmSync(join(api, name));
}

/** Nothing is needed to run it; the types are made of zod's. */
function manifest(): object {
  const own = Own.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  return {
    name: own.name,
    version: own.version,
    description: 'Client of Headwater, serverless image classification at the edge.',
    license: own.license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.3' },
    exports: {
      './sdk': { types: './sdk/client.d.ts', default: './sdk/client.js' },
      './sdk/*': { types: './sdk/*.d.ts', default: './sdk/*.js' },
    },
    peerDependencies: { zod: `^${own.dependencies.zod}` },
    peerDependenciesMeta: { zod: { optional: true } },
  };
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

if (import.meta.main) {
  const tarball = buildSdk();
  console.log(`${tarball}: ${statSync(tarball).size} bytes`);
}
