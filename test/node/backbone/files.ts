/** The real parts that engine tests run on: the networks that the project carries, and TensorFlow.js's WASM. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Backbone } from '../../../src/backbone/index.ts';
import { loadBackbone } from '../../../src/backbone/index.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'backbones/mobilenet-v3-small');

/** MobileNetV3-Small's, which has one size and means alone. */
export function planJson(): unknown {
  return JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
}

export function weightsFile(): Uint8Array {
  return readFileSync(join(folder, 'weights.safetensors'));
}

export function mobileNet(): Backbone {
  return loadBackbone(planJson(), weightsFile());
}

/** EfficientNet-Lite0, which is run on 8-bit integers and reads means and deviations. */
export function liteBackbone(): Backbone {
  const lite = join(root, 'backbones/efficientnet-lite0');
  const plan: unknown = JSON.parse(readFileSync(join(lite, 'plan.json'), 'utf8'));
  return loadBackbone(plan, readFileSync(join(lite, 'weights.safetensors')));
}

export function tfjsWasm(): WebAssembly.Module {
  const require = createRequire(import.meta.url);
  const path = require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm');
  return new WebAssembly.Module(readFileSync(path));
}

export function gradientsWasm(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(join(root, 'build/wasm/gradients.wasm')));
}
