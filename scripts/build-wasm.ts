/**
 * Compiles the AssemblyScript kernels: every folder of src/wasm becomes build/wasm/<name>.wasm, and, where it is listed
 * in RELAXED, also build/wasm/<name>-relaxed.wasm with fused multiply-add.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { main as compileAssemblyScript } from 'assemblyscript/asc';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src/wasm');
const out = join(root, 'build/wasm');

/** Kernels that gain from relaxed SIMD; they test the compile-time constant `RELAXED`. */
const RELAXED = new Set(['engine']);

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

const OPTIMISATION: Readonly<Record<string, readonly string[]>> = {
  engine: ['-O0', '--runPasses', ORDERED_PASSES.join(',')],
};

async function compile(name: string, outName: string, flags: string[]): Promise<void> {
  const io = ['--baseDir', root, '--outFile', join('build/wasm', `${outName}.wasm`)];
  // The stub runtime has no garbage collector: kernels work on memory that their host lays out.
  const common = ['--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'];
  const optimisation = OPTIMISATION[name] ?? ['-O3', '--converge'];
  const args = [join('src/wasm', name, 'index.ts'), ...io, ...common, ...optimisation, ...flags];
  const { error } = await compileAssemblyScript(args, { stdout: process.stderr, stderr: process.stderr });
  if (error) throw new Error(`src/wasm/${name} does not compile: ${error.message}`);
}

export async function buildWasm(): Promise<string[]> {
  if (!existsSync(source)) return [];
  mkdirSync(out, { recursive: true });
  const names = readdirSync(source, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  for (const name of names) {
    await compile(name, name, ['--use', 'RELAXED=0']);
    if (RELAXED.has(name)) {
      await compile(name, `${name}-relaxed`, ['--use', 'RELAXED=1', '--enable', 'relaxed-simd']);
    }
  }
  return names;
}

if (import.meta.main) await buildWasm();
