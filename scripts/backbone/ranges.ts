/**
 * Finds the ranges that the 8-bit engine needs: of each step's output the least and the greatest number over photos that
 * the project carries, at several sizes, in the plain build of the 32-bit engine, whose numbers are the same on every host.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBackbone, type Plan, type Step } from '../../src/backbone/index.ts';
import { createSimdEngine } from '../../src/backbone/simd/index.ts';
import { loadDecoder } from '../../trainer/runtime.ts';
import { root } from '../stale.ts';
import type { NetworkTensor } from './network.ts';

const PHOTOS = join(root, 'examples/trashnet/train');
/** Of each class, one photo in so many. */
const EVERY = 2;
/** The smallest, the largest, and what the network was trained at. */
const SIDES = [128, 224, 288];
/**
 * Steps that compute in 16 bits: in 8 they alone make most of the codes' error, and they are 8 % of the work.
 */
const WIDE = ['stem', 'b0.depthwise', 'b0.project', 'b1.expand', 'b1.depthwise'];

/** @returns tensors `<step>.range` and `<step>.bits`, for the weights file. */
export async function measureRanges(plan: Plan, weights: Uint8Array): Promise<Map<string, NetworkTensor>> {
  const backbone = loadBackbone(plan, weights);
  const module = await WebAssembly.compile(readFileSync(join(root, 'build/wasm/engine.wasm')));
  const engine = createSimdEngine(backbone, module, { bits: 32 });
  const decoder = await loadDecoder();
  const ends = new Map(plan.steps.map(({ name }) => [name, { low: 0, high: 0 }]));
  for (const side of SIDES) {
    for (const photo of photos()) {
      const size = { width: side, height: side };
      const { pixels } = await decoder.decode(readFileSync(photo), { ...size, rules: 2 });
      const { maps } = engine.codesAndMaps(pixels, [...ends.keys()], size);
      for (const [name, end] of ends) widen(end, maps.get(name)!);
    }
  }
  const tensors = new Map<string, NetworkTensor>();
  for (const step of plan.steps) tensors.set(`${step.name}.range`, rangeTensor(step, ends.get(step.name)!));
  for (const name of WIDE)
    tensors.set(`${name}.bits`, { shape: [1], values: Float32Array.of(16), half: false });
  return tensors;
}

function rangeTensor(step: Step, { low, high }: { low: number; high: number }): NetworkTensor {
  // ReLU6 says itself where its numbers end.
  const most = 'activation' in step && step.activation === 'relu6' ? Math.min(high, 6) : high;
  return { shape: [2], values: Float32Array.of(low, most), half: false };
}

function widen(end: { low: number; high: number }, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] < end.low) end.low = values[i];
    if (values[i] > end.high) end.high = values[i];
  }
}

function photos(): string[] {
  return readdirSync(PHOTOS)
    .toSorted()
    .flatMap((label) => {
      const files = readdirSync(join(PHOTOS, label)).toSorted();
      return files.filter((_, i) => i % EVERY === 0).map((file) => join(PHOTOS, label, file));
    });
}
