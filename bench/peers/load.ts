/** Finds and loads the peers, which live in bench/node_modules and nowhere else. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import type { Runtime } from 'onnxruntime-common';
import type { LiteRtParts } from './litert.ts';

const modules = join(import.meta.dirname, '../node_modules');

/** Whether `npm ci` has run in bench/. */
export function peersInstalled(): boolean {
  return existsSync(join(modules, 'onnxruntime-node/package.json'));
}

export function peerFile(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(modules, path)));
}

/** ONNX Runtime compiled for this machine: no peer in a Worker, the yardstick. */
export async function nativeRuntime(): Promise<Runtime> {
  return await import('onnxruntime-node');
}

const ORT_WASM = 'onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';

/** ONNX Runtime's WebAssembly, SIMD, kept to one thread. Loads once a process. */
export async function webRuntime(): Promise<Runtime> {
  const runtime = await import('onnxruntime-web/wasm');
  runtime.env.wasm.numThreads = 1;
  runtime.env.wasm.wasmBinary = peerFile(ORT_WASM).buffer;
  return runtime;
}

const LITERT = '@litertjs/core/wasm/litert_wasm_internal';

/** LiteRT.js's build for one thread and relaxed SIMD. Its glue is CommonJS in a package that says it has none. */
export function liteRtParts(): LiteRtParts {
  const glue = new TextDecoder().decode(peerFile(`${LITERT}.js`));
  const holder: { exports?: LiteRtParts['factory'] } = {};
  const script = compileFunction(glue, ['module', 'exports', 'require', '__dirname']);
  Reflect.apply(script, undefined, [holder, {}, createRequire(import.meta.url), modules]);
  if (holder.exports === undefined) throw new Error('LiteRT.js has changed: its glue exports no factory.');
  return { factory: holder.exports, wasm: wasmOf(peerFile(`${LITERT}.wasm`)) };
}

export function wasmOf(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  return new WebAssembly.Module(bytes);
}

/** A WebAssembly file of one of the project's own dependencies. */
export function compiled(path: string): WebAssembly.Module {
  return wasmOf(new Uint8Array(readFileSync(createRequire(import.meta.url).resolve(path))));
}

/** A WebAssembly file that the build has made, such as `engine-relaxed`. */
export function built(name: string): WebAssembly.Module {
  return wasmOf(new Uint8Array(readFileSync(join(import.meta.dirname, '../../build/wasm', `${name}.wasm`))));
}
