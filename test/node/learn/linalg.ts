import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildWasm } from '../../../scripts/build/wasm.ts';

const path = join(import.meta.dirname, '../../../build/wasm/linalg.wasm');
if (!existsSync(path)) await buildWasm();

/** src/learn/linalg/linalg.as.ts, compiled. */
export const linalg = new WebAssembly.Module(readFileSync(path));
