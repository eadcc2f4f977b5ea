/**
 * Compiles what is written in AssemblyScript, the files *.as.ts: each module to build/wasm/<name>.wasm, and the engine's
 * kernels to build/wasm/engine.wasm and, with fused multiply-add, engine-relaxed.wasm. Codecs of packages are changed on the way.
 */
import { globSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { main as compileAssemblyScript } from 'assemblyscript/asc';
import { buildCodecs } from './codecs.ts';

const root = join(import.meta.dirname, '../..');
const out = 'build/wasm';
const ENGINE = 'src/backbone/simd';
/** Of files in AssemblyScript, which lie beside those in TypeScript that call them. */
const SUFFIX = '.as.ts';
/** The files whose exports are those of a module, which has their name. */
const MODULES = [
  'src/image/png/png',
  'src/image/pixels/resize',
  'src/learn/linalg/linalg',
  'src/backbone/tfjs/gradients',
];

/**
 * Binaryen's passes for the engine instead of all that -O3 runs: none that moves an expression to where its value is
 * used. That would put all loads of a loop before all multiplications, more vectors than there are registers, and V8
 * keeps the order that it is given.
 */
const ORDERED_PASSES = [
  'dce',
  'remove-unused-module-elements',
  'remove-unused-names',
  'remove-unused-brs',
  'precompute-propagate',
  'optimize-instructions',
  'vacuum',
  'coalesce-locals',
  'reorder-locals',
  'vacuum',
];

async function compile(entry: string, name: string, flags: readonly string[]): Promise<void> {
  const io = ['--baseDir', root, '--outFile', join(out, `${name}.wasm`)];
  // The stub runtime has no garbage collector: kernels work on memory that their host lays out.
  const common = ['--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'];
  const args = [entry, ...io, ...common, ...flags];
  const { error } = await compileAssemblyScript(args, { stdout: process.stderr, stderr: process.stderr });
  if (error) throw new Error(`${entry} does not compile: ${error.message}`);
}

/** The engine's module exports `run`, and of every file in kernels/ the function of its name, for the table. */
async function compileEngine(): Promise<void> {
  const entry = join(out, 'engine.ts');
  const kernels = readdirSync(join(root, ENGINE, 'kernels')).filter((file) => file.endsWith(SUFFIX));
  const lines = kernels.map((file) => {
    return `export { ${basename(file, SUFFIX)} } from '../../${ENGINE}/kernels/${basename(file, '.ts')}';\n`;
  });
  writeFileSync(join(root, entry), `export * from '../../${ENGINE}/run.as';\n${lines.join('')}`);
  const flags = ['--importTable', '-O0', '--runPasses', ORDERED_PASSES.join(',')];
  await compile(entry, 'engine', [...flags, '--use', 'RELAXED=0']);
  await compile(entry, 'engine-relaxed', [...flags, '--use', 'RELAXED=1', '--enable', 'relaxed-simd']);
}

/** What the modules are made of, relative to the repository's root. */
export const wasmSources = (): string[] => [
  ...globSync(`src/**/*${SUFFIX}`, { cwd: root }).sort(),
  'src/image/memory/working-memory.ts',
  'scripts/build/wasm.ts',
  'scripts/build/codecs.ts',
];

export async function buildWasm(): Promise<void> {
  mkdirSync(join(root, out), { recursive: true });
  buildCodecs();
  await compileEngine();
  for (const entry of MODULES) await compile(`${entry}${SUFFIX}`, basename(entry), ['-O3', '--converge']);
}

if (import.meta.main) await buildWasm();
