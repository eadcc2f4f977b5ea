/** Finds and loads the peers, which live in bench/node_modules and nowhere else. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Runtime } from 'onnxruntime-common';

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

export const ORT_WASM = 'onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';

/** ONNX Runtime's WebAssembly, SIMD, kept to one thread. Loads once a process. */
export async function webRuntime(): Promise<Runtime> {
  const runtime = await import('onnxruntime-web/wasm');
  runtime.env.wasm.numThreads = 1;
  runtime.env.wasm.wasmBinary = peerFile(ORT_WASM).buffer;
  return runtime;
}
