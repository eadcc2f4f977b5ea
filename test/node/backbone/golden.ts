/**
 * What the default backbone answers for one repeatable picture. WASM SIMD arithmetic is exact by its specification, so
 * every host must find these very bits; a change of them means that heads trained before would read different codes.
 */
import { randomPixels } from './random.ts';

export const GOLDEN = {
  weightsSha256: 'a3fc00a53b72d3c51ddf40efeefe8b821256868c84967144c2e501ffb96c7b55',
  /** FNV-1a over the code's bytes. */
  codeHash: '16547005',
  /** A few numbers of the code, for a reader to see how far off a failure is. */
  samples: [
    2.0072004795074463, -0.20054125785827637, -0.3432406485080719, -0.16520851850509644, -0.05989149212837219,
    -0.09024093300104141,
  ],
};

export const SAMPLE_STRIDE = 368;

export function goldenPicture(): Uint8Array {
  return randomPixels(20_260_801, 224 * 224 * 3);
}

export function fnv1a(values: Float32Array): string {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** FNV-1a over the code's bytes on the SIMD engine's plain build, by the bits of the numbers it multiplies. */
export const SIMD_CODE_HASHES = { 16: '61a73f98', 32: '7dae3acf' };
