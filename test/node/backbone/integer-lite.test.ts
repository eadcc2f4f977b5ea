/** EfficientNet-Lite0 on 8 bits: the same bits in both builds, and close to what floats find, on photos. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { newDecoder } from '../image/support.ts';
import { photos } from '../photos.ts';
import { liteBackbone } from './files.ts';
import { LITE_CODE_HASHES, liteCodeHashes } from './integer-golden.ts';
import { BUILDS, relaxedWith } from './simd-support.ts';

const CLASSES = ['cardboard', 'glass', 'metal', 'paper', 'plastic', 'trash'];

describe('EfficientNet-Lite0 on 8 bits', () => {
  const backbone = liteBackbone();
  const ways = { ...BUILDS, 'relaxed, at once': relaxedWith(1) };

  it('gives the golden codes bit by bit, at both sides', () => {
    for (const [way, module] of Object.entries(ways)) {
      expect(liteCodeHashes(backbone, module), way).toEqual(LITE_CODE_HASHES);
    }
  });

  describe.each([128, 160, 224, 288])('at %i pixels', (side) => {
    const size = { height: side, width: side };
    const pictures: Uint8Array[] = [];

    beforeAll(async () => {
      const decoder = newDecoder();
      for (const path of CLASSES.flatMap((label) => photos('test', label, 1))) {
        pictures.push((await decoder.decode(readFileSync(path), size)).pixels);
      }
    });

    it('finds the same bits without relaxed SIMD and both ways with it', () => {
      const [first, ...others] = Object.values(ways).map((module) =>
        createSimdEngine(backbone, module, { bits: 8, size }),
      );
      for (const pixels of pictures) {
        const code = first.codes(pixels, size);
        for (const engine of others) expect(engine.codes(pixels, size)).toEqual(code);
      }
    });

    it("has taps whose mean cosine to those of floats is 0.99 and more, and deviations' 0.999", () => {
      const integers = createSimdEngine(backbone, BUILDS.plain, { bits: 8, size });
      const floats = createSimdEngine(backbone, BUILDS.plain, { size });
      const sums = backbone.plan.taps.map(() => 0);
      for (const pixels of pictures) {
        const [a, b] = [integers.codes(pixels, size), floats.codes(pixels, size)];
        let at = 0;
        for (const [i, { channels }] of backbone.plan.taps.entries()) {
          sums[i] += cosine(a.subarray(at, at + channels), b.subarray(at, at + channels));
          at += channels;
        }
      }
      for (const [i, { name, statistic }] of backbone.plan.taps.entries()) {
        const least = statistic === 'deviation' ? 0.999 : 0.99;
        expect(sums[i] / pictures.length, name).toBeGreaterThan(least);
      }
    });
  });
});

function cosine(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
