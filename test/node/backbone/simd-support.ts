/** Both builds of the SIMD engine, and a look at every map that it computes on the way. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backbone } from '../../../src/backbone/index.ts';
import { compile } from '../../../src/backbone/simd/compile.ts';
import { instantiate } from '../../../src/backbone/simd/engine.ts';
import type { FeatureMap } from '../../../src/backbone/simd/map.ts';
import { BLOCK } from '../../../src/backbone/simd/sizes.ts';

export const BUILDS = { plain: compiled('engine'), relaxed: compiled('engine-relaxed') } as const;
const MEMORY_LIMIT_BYTES = 512 * 1024 * 1024;

function compiled(name: string): WebAssembly.Module {
  return new WebAssembly.Module(
    readFileSync(join(import.meta.dirname, '../../../build/wasm', `${name}.wasm`)),
  );
}

/** @returns by step name: height × width × channels numbers; without the convolutions whose add is fused. */
export function simdOutputs(
  backbone: Backbone,
  module: WebAssembly.Module,
  bits: 16 | 32,
  pixels: Uint8Array,
): Map<string, Float32Array> {
  const { program, pixels: place, maps } = compile(backbone, { bits, keepMaps: true });
  const image = program.layOut(MEMORY_LIMIT_BYTES);
  const { memory, start } = image;
  new Uint8Array(memory.buffer).set(pixels, place.address);
  instantiate(module, image).run(start);
  const outputs = new Map<string, Float32Array>();
  for (const [name, map] of maps) outputs.set(name, unpack(map, new Float32Array(memory.buffer)));
  return outputs;
}

function unpack(map: FeatureMap, memory: Float32Array): Float32Array {
  const { height, width, channels } = map.shape;
  const values = new Float32Array(height * width * channels);
  for (let i = 0; i < values.length; i++) {
    const [pixel, channel] = [Math.floor(i / channels), i % channels];
    const block = map.region.address + Math.floor(channel / BLOCK) * map.planeBytes;
    const at = block + map.offset(Math.floor(pixel / width), pixel % width);
    values[i] = memory[at / 4 + (channel % BLOCK)];
  }
  return values;
}
