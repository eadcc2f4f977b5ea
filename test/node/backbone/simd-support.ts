/** Both builds of the SIMD engine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const BUILDS = { plain: compiled('engine'), relaxed: compiled('engine-relaxed') } as const;

function compiled(name: string): WebAssembly.Module {
  return new WebAssembly.Module(
    readFileSync(join(import.meta.dirname, '../../../build/wasm', `${name}.wasm`)),
  );
}
