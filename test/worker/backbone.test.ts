import tfjsWasm from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm';
import { memory } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import planJson from '../../backbones/mobilenet-v3-small/plan.json';
import weights from '../../backbones/mobilenet-v3-small/weights.safetensors';
import { loadBackbone } from '../../src/backbone/index.ts';
import { createTfjsEngine } from '../../src/backbone/tfjs/engine.ts';
import { fnv1a, GOLDEN, goldenPicture, SAMPLE_STRIDE } from '../node/backbone/golden.ts';

describe('the default backbone in workerd', () => {
  const backbone = loadBackbone(planJson, new Uint8Array(weights));
  const engine = createTfjsEngine(backbone, tfjsWasm);

  it('gives the golden code bit by bit, as Node does', async () => {
    const code = (await engine).codes(goldenPicture());
    expect(backbone.plan.weightsSha256).toBe(GOLDEN.weightsSha256);
    expect([...code].filter((_, i) => i % SAMPLE_STRIDE === 0)).toEqual(GOLDEN.samples.map(Math.fround));
    expect(fnv1a(code)).toBe(GOLDEN.codeHash);
  });

  it('leaves no tensor behind', async () => {
    const codes = await engine;
    const before = memory().numTensors;
    codes.codes(goldenPicture());
    expect(memory().numTensors).toBe(before);
  });
});
