/** The real parts that engine tests run on: the built backbone and TensorFlow.js's WASM. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Backbone } from '../../../src/backbone/index.ts';
import { loadBackbone } from '../../../src/backbone/index.ts';

const build = join(import.meta.dirname, '../../../build/backbone');

export function planJson(): unknown {
  return JSON.parse(readFileSync(join(build, 'plan.json'), 'utf8'));
}

export function weightsFile(): Uint8Array {
  return readFileSync(join(build, 'weights.safetensors'));
}

export function defaultBackbone(): Backbone {
  return loadBackbone(planJson(), weightsFile());
}

export function tfjsWasm(): WebAssembly.Module {
  const require = createRequire(import.meta.url);
  const path = require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm');
  return new WebAssembly.Module(readFileSync(path));
}

export function gradientsWasm(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(join(build, '../wasm/gradients.wasm')));
}
