import { describe, expect, it } from 'vitest';
import litePlan from '../../backbones/efficientnet-lite0/plan.json';
import liteWeights from '../../backbones/efficientnet-lite0/weights.safetensors';
import planJson from '../../backbones/mobilenet-v3-small/plan.json';
import weights from '../../backbones/mobilenet-v3-small/weights.safetensors';
import relaxed from '../../build/wasm/engine-relaxed.wasm';
import plain from '../../build/wasm/engine.wasm';
import { loadBackbone } from '../../src/backbone/index.ts';
import { hasRelaxedSimd } from '../../src/backbone/relaxed-simd.ts';
import { createSimdEngine } from '../../src/backbone/simd/index.ts';
import {
  INTEGER_CODE_HASH,
  integerCodeHash,
  LITE_CODE_HASHES,
  liteCodeHashesOf,
} from '../node/backbone/integer-golden.ts';
import { fnv1a, goldenPicture, SIMD_CODE_HASHES } from '../node/backbone/golden.ts';

describe('the SIMD engine in workerd', () => {
  const backbone = loadBackbone(planJson, new Uint8Array(weights));

  it('gives the golden codes bit by bit, as Node does', () => {
    for (const bits of [16, 32] as const) {
      const code = createSimdEngine(backbone, plain, { bits }).codes(goldenPicture());
      expect(fnv1a(code), `${bits} bits`).toBe(SIMD_CODE_HASHES[bits]);
    }
  });

  it('has relaxed SIMD, whose codes differ from the others by rounding alone', () => {
    const engine = createSimdEngine(backbone, relaxed);
    expect(hasRelaxedSimd()).toBe(true);
    expect(engine.name).toBe('simd32-relaxed');
    const expected = createSimdEngine(backbone, plain).codes(goldenPicture());
    const worst = engine
      .codes(goldenPicture())
      .reduce((max, x, i) => Math.max(max, Math.abs(x - expected[i])), 0);
    expect(worst).toBeLessThan(1e-4);
  });

  it('gives the golden codes on 8 bits, with and without relaxed SIMD', () => {
    for (const module of [plain, relaxed]) {
      expect(integerCodeHash(module)).toBe(INTEGER_CODE_HASH);
      expect(liteCodeHashesOf(litePlan, new Uint8Array(liteWeights), module)).toEqual(LITE_CODE_HASHES);
    }
  });
});
