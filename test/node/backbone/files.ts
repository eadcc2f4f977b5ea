/** The real parts that engine tests run on: MobileNetV3-Small and TensorFlow.js's WASM. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Backbone } from '../../../src/backbone/index.ts';
import { loadBackbone } from '../../../src/backbone/index.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'backbones/mobilenet-v3-small');

export function planJson(): unknown {
  return JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
}

export function weightsFile(): Uint8Array {
  return readFileSync(join(folder, 'weights.safetensors'));
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
  return new WebAssembly.Module(readFileSync(join(root, 'build/wasm/gradients.wasm')));
}
