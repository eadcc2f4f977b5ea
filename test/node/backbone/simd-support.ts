/** Both builds of the SIMD engine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const BUILDS = { plain: compiled('engine'), relaxed: compiled('engine-relaxed') } as const;

function compiled(name: string): WebAssembly.Module {
  return new WebAssembly.Module(bytesOf(name));
}

function bytesOf(name: string): Buffer<ArrayBuffer> {
  return readFileSync(join(import.meta.dirname, '../../../build/wasm', `${name}.wasm`));
}

/**
 * The build with relaxed SIMD as it runs where it takes the other way to dot products than here: what it finds out with is
 * changed in its data.
 * @param probe the number in each of the bytes that it multiplies by 127: 255 shows what the host does, 1 nothing.
 */
export function relaxedWith(probe: number): WebAssembly.Module {
  const bytes = bytesOf('engine-relaxed');
  const at = bytes.indexOf(Buffer.concat([Buffer.alloc(16, 127), Buffer.alloc(16, 255)]));
  if (at < 0)
    throw new Error("engine-relaxed.wasm doesn't hold the numbers that it tries relaxed dot products with.");
  return new WebAssembly.Module(bytes.fill(probe, at + 16, at + 32));
}
