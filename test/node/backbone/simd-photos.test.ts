/** The two builds of the SIMD engine beside each other and beside the reference, on photos. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { examplePictures } from '../../../scripts/demo/pictures.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { newDecoder } from '../image/support.ts';
import { mobileNet, tfjsWasm } from './files.ts';
import { BUILDS } from './simd-support.ts';

const root = join(import.meta.dirname, '../../..');
const backbone = mobileNet();
const photos: Uint8Array[] = [];

beforeAll(async () => {
  const decoder = newDecoder();
  for (const { path } of examplePictures(root).unseen.filter((_, i) => i % 8 === 0)) {
    photos.push((await decoder.decode(readFileSync(path), backbone.plan.input)).pixels);
  }
});

/** The largest difference, of the largest number. */
function difference(a: Float32Array, b: Float32Array): number {
  const largest = b.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i])), 0) / largest;
}

function cosine(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

describe('the SIMD engine on photos', () => {
  // In 16 bits a rounding that differs may move a number by one unit, 1/16383 of its map's largest.
  for (const { bits, most, leastCosine } of [
    { bits: 32, most: 1e-5, leastCosine: 0.99999 },
    { bits: 16, most: 1e-3, leastCosine: 0.999 },
  ] as const) {
    it(`gives the same codes with and without relaxed SIMD, ${bits} bits`, () => {
      expect(photos.length).toBeGreaterThan(2);
      const plain = createSimdEngine(backbone, BUILDS.plain, { bits });
      const relaxed = createSimdEngine(backbone, BUILDS.relaxed, { bits });
      for (const photo of photos) {
        expect(difference(relaxed.codes(photo), plain.codes(photo))).toBeLessThan(most);
      }
    });

    it(`gives the reference's codes, ${bits} bits`, async () => {
      const reference = await createTfjsEngine(backbone, tfjsWasm());
      const engine = createSimdEngine(backbone, BUILDS.relaxed, { bits });
      for (const photo of photos) {
        expect(cosine(engine.codes(photo), reference.codes(photo))).toBeGreaterThan(leastCosine);
      }
      reference.dispose();
    });
  }
});
