/** The peers' 8-bit models are only worth racing if they are the same network. */
import { describe, expect, it } from 'vitest';
import { cosine } from '../../../src/learn/statistics/cosine.ts';
import { lite0 } from '../../../bench/networks.ts';
import { affineOf, affineOfPixels, eightBitLayer } from '../../../bench/peers/eight-bits.ts';
import { createLiteRtEngine } from '../../../bench/peers/litert.ts';
import { built, liteRtParts, nativeRuntime } from '../../../bench/peers/load.ts';
import { createOnnxEngine } from '../../../bench/peers/onnx-engine.ts';
import { carriedPhotos, decoded } from '../../../bench/photo-sets.ts';
import { createEngine } from '../../../src/backbone/choose.ts';
import { withoutPeers } from '../peers.ts';

describe('numbers of 8-bit models', () => {
  it('spread 256 steps over a range that holds zero', () => {
    expect(affineOf({ low: 0, high: 255 })).toEqual({ scale: 1, zero: 0 });
    expect(affineOf({ low: -51, high: 204 })).toEqual({ scale: 1, zero: 51 });
  });

  it('take pixels as they are', () => {
    expect(affineOfPixels([127, 127, 127])).toEqual({ scale: 1, zero: 127 });
    expect(() => affineOfPixels([124, 116, 104])).toThrow('one zero for all channels');
  });

  it('scale weights by output channel and biases with what is multiplied', () => {
    const layer = {
      name: 'a',
      input: 'input',
      shape: [1, 1, 2, 2],
      weights: new Float32Array(4),
      bias: Float32Array.of(3, -2),
      depthwise: false,
      activation: 'none',
      stride: 1,
      padding: [0, 0, 0, 0],
    } as const;
    const kernel = Float32Array.of(127, -63.5, 0, 0);
    const numbers = eightBitLayer(layer, kernel, (i) => Math.floor(i / 2), 0.5);
    expect(Array.from(numbers.weights)).toEqual([127, -63, 0, 0]);
    // The second filter is all zero: its scale is 1, so that nothing is divided by zero.
    expect(Array.from(numbers.weightScales)).toEqual([1, 1]);
    expect(Array.from(numbers.biasScales)).toEqual([0.5, 0.5]);
    expect(Array.from(numbers.bias)).toEqual([6, -4]);
  });
});

describe.skipIf(withoutPeers())('8-bit models of EfficientNet-Lite0', () => {
  it('give the codes of the network in floats, nearly, and the same in both runtimes', async () => {
    const { backbone, input } = lite0(160);
    const [{ pixels }] = await decoded(carriedPhotos(), input);
    const floats = createEngine(backbone, built('engine-relaxed'), { name: 'simd32' }).codes(pixels);
    const onnx = await createOnnxEngine(await nativeRuntime(), backbone, '8-bit pixels');
    const litert = await createLiteRtEngine(liteRtParts(), backbone, '8-bit uint8');
    const [ours, theirs] = [await onnx.codes(pixels), await litert.codes(pixels)];
    expect(cosine(ours, floats)).toBeGreaterThan(0.98);
    expect(cosine(ours, theirs)).toBeGreaterThan(0.9999);
  });
});
