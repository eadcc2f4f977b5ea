import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { foldBatchNorm, foldInputNormalisation, toHwio } from '../../../scripts/backbone/fold.ts';
import { readGguf } from '../../../scripts/backbone/gguf.ts';
import { fetchSource } from '../../../scripts/backbone/source.ts';
import { codeLength } from '../../../src/backbone/plan.ts';
import { mobileNet, weightsFile } from './files.ts';
import { random } from './random.ts';

/** One output of a convolution of one window, [in][kernel²] numbers, in double precision. */
function convolve(filters: Float32Array, out: number, window: number[]): number {
  return window.reduce((sum, value, i) => sum + value * filters[out * window.length + i], 0);
}

describe('folding', () => {
  const next = random(7);
  const numbers = (length: number, low: number, high: number): Float32Array =>
    Float32Array.from({ length }, () => low + next() * (high - low));
  const [outs, ins, kernel] = [4, 3, 3];
  const weights = numbers(outs * ins * kernel * kernel, -1, 1);
  const norm = { gamma: numbers(outs, -2, 2), beta: numbers(outs, -2, 2), mean: numbers(outs, -1, 1), variance: numbers(outs, 0.001, 3) }; // prettier-ignore
  const epsilon = 0.001;
  const mean = [0.485, 0.456, 0.406];
  const deviation = [0.229, 0.224, 0.225];

  it('of a batch norm gives what the two do one after the other', () => {
    const folded = foldBatchNorm(weights, norm, epsilon);
    const window = [...numbers(ins * kernel * kernel, -2, 2)];
    for (let out = 0; out < outs; out++) {
      const { gamma, beta, mean: mu, variance } = norm;
      const unfolded =
        (gamma[out] * (convolve(weights, out, window) - mu[out])) / Math.sqrt(variance[out] + epsilon) +
        beta[out];
      expect(convolve(folded.weights, out, window) + folded.bias[out]).toBeCloseTo(unfolded, 4);
    }
  });

  it('of the normalisation gives what normalising first does, padding included', () => {
    const conv = { weights, bias: norm.beta };
    const folded = foldInputNormalisation(conv, mean, deviation);
    for (const isPadded of [false, true]) {
      const bytes = Array.from({ length: ins * kernel * kernel }, (_, i) => {
        const channel = Math.floor(i / (kernel * kernel));
        // The window's first row lies outside the picture.
        return isPadded && i % (kernel * kernel) < kernel ? 255 * mean[channel] : Math.floor(next() * 256);
      });
      const normalised = bytes.map((byte, i) => {
        const channel = Math.floor(i / (kernel * kernel));
        if (isPadded && i % (kernel * kernel) < kernel) return 0;
        return (byte / 255 - mean[channel]) / deviation[channel];
      });
      for (let out = 0; out < outs; out++) {
        const unfolded = convolve(weights, out, normalised) + conv.bias[out];
        expect(convolve(folded.weights, out, bytes) + folded.bias[out]).toBeCloseTo(unfolded, 4);
      }
    }
  });

  it('puts the output channels last', () => {
    const oihw = Float32Array.from({ length: 2 * 3 * 1 * 2 }, (_, i) => i);
    // [out 2][in 3][height 1][width 2] → [height 1][width 2][in 3][out 2]
    expect([...toHwio(oihw, [2, 3, 1, 2])]).toEqual([0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
  });
});

describe('the GGUF reader', () => {
  let gguf: Uint8Array;
  beforeAll(async () => {
    gguf = await fetchSource(join(import.meta.dirname, '../../..'), () => {});
  });

  it('reads the source’s metadata and tensors', () => {
    const { metadata, tensors } = readGguf(gguf);
    expect(metadata.get('mobilenet.architecture')).toBe('mobilenetv3_small');
    expect(tensors.size).toBe(244);
    expect(tensors.get('features.0.0.weight')!.shape).toEqual([16, 3, 3, 3]);
    expect(tensors.get('classifier.3.weight')!.shape).toEqual([3, 1024]);
  });

  it('refuses every truncation', () => {
    const whole = gguf;
    for (const length of [0, 3, 4, 8, 23, 24, 100, 5_000, 16_762, 100_000, whole.length - 3000]) {
      expect(() => readGguf(whole.subarray(0, length)), `${length} bytes`).toThrow(/GGUF|UTF/);
    }
  });

  it('refuses counts that the file cannot hold', () => {
    for (const at of [8, 16, 24]) {
      const spoilt = Uint8Array.from(gguf);
      new DataView(spoilt.buffer).setBigUint64(at, 2n ** 60n, true);
      expect(() => readGguf(spoilt)).toThrow('GGUF: the count');
    }
  });
});

describe('MobileNetV3-Small', () => {
  it('has the weights that heads of old name', () => {
    const { plan } = mobileNet();
    expect(plan.weightsSha256).toBe('a3fc00a53b72d3c51ddf40efeefe8b821256868c84967144c2e501ffb96c7b55');
    expect(createHash('sha256').update(weightsFile()).digest('hex')).toBe(plan.weightsSha256);
  });

  it('has the six taps, 2208 numbers and the batch norms', () => {
    const { plan, tensors } = mobileNet();
    expect(plan.taps.map((tap) => [tap.name, tap.channels])).toEqual([
      ['b3', 96],
      ['b5', 240],
      ['b7', 144],
      ['b9', 576],
      ['b10', 576],
      ['last', 576],
    ]);
    expect(codeLength(plan)).toBe(2208);
    const norms = plan.steps.flatMap((step) =>
      'batchNorm' in step && step.batchNorm ? [step.batchNorm] : [],
    );
    expect(norms.length).toBe(34);
    for (const { gamma, beta } of norms) expect(tensors.get(gamma)!.length).toBe(tensors.get(beta)!.length);
  });
});
