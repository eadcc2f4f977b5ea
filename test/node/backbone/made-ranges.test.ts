/** The ranges that the maker chooses from batch norms. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NetworkBuilder, type Network, type SourceTensor } from '../../../scripts/backbone/network.ts';
import { withRanges } from '../../../scripts/backbone/ranges.ts';
import { loadBackbone } from '../../../src/backbone/index.ts';
import type { Activation, Step } from '../../../src/backbone/plan.ts';
import { rangesOf } from '../../../src/backbone/ranges.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { photos } from '../photos.ts';
import { newDecoder } from '../image/support.ts';
import { BUILDS } from './simd-support.ts';

/** One channel each, with γ and β. */
function network(layers: readonly (readonly [number, number, Activation])[], ...more: Step[]): Network {
  const source = new Map<string, SourceTensor>();
  const builder = new NetworkBuilder(source, 0, { mean: [0, 0, 0], deviation: [1, 1, 1] });
  for (const [i, [gamma, beta, activation]] of layers.entries()) {
    const { channels } = builder;
    source.set(`c${i}.weight`, { shape: [1, channels, 1, 1], values: new Float32Array(channels) });
    const norm = { weight: gamma, bias: beta, running_mean: 0, running_var: 1 };
    for (const [part, value] of Object.entries(norm))
      source.set(`n${i}.${part}`, { shape: [1], values: Float32Array.of(value) });
    builder.convolution({
      op: 'conv',
      name: `s${i}`,
      source: [`c${i}`, `n${i}`],
      out: 1,
      kernel: 1,
      stride: 1,
      padding: [0, 0, 0, 0],
      activation,
    });
  }
  for (const step of more) builder.push(step);
  const input = { height: 1, width: 1, channels: 3, padValue: [0, 0, 0] };
  const plan = { format: 'headwater-plan/1', name: 'n', version: '1', input, steps: builder.steps, taps: [] } as const; // prettier-ignore
  return { plan, tensors: builder.tensors };
}

const rangeOf = (made: Network, step: string): number[] => [...made.tensors.get(`${step}.range`)!.values];

describe('ranges from batch norms', () => {
  it('end five deviations from the mean, and hold zero', () => {
    const made = withRanges(network([[-2, 1, 'none'], [1, 9, 'none'], [1, -9, 'none']]), ['s1']); // prettier-ignore
    expect(rangeOf(made, 's0')).toEqual([-9, 11]);
    expect(rangeOf(made, 's1')).toEqual([0, 14]);
    expect(rangeOf(made, 's2')).toEqual([-14, 0]);
    expect([...made.tensors.keys()].filter((name) => name.endsWith('.bits'))).toEqual(['s1.bits']);
    expect([...made.tensors.get('s1.bits')!.values]).toEqual([16]);
  });

  it('end where ReLU6 does', () => {
    const made = withRanges(network([[1, 0, 'relu6'], [3, 1, 'relu6']]), []); // prettier-ignore
    expect(rangeOf(made, 's0')).toEqual([0, 5]);
    expect(rangeOf(made, 's1')).toEqual([0, 6]);
  });

  it('of a sum follow from those of its two maps', () => {
    const add: Step = { op: 'add', name: 'sum', input: 's1', other: 's0' };
    expect(rangeOf(withRanges(network([[3, 1, 'none'], [4, 1, 'none']], add), []), 'sum')).toEqual([-23, 27]); // prettier-ignore
  });

  it('are not guessed for other steps and activations', () => {
    const mean: Step = { op: 'mean', name: 'pool', input: 's0' };
    expect(() => withRanges(network([[1, 0, 'none']], mean), [])).toThrow("step 'pool'");
    expect(() => withRanges(network([[1, 0, 'hard-swish']]), [])).toThrow('hard-swish');
  });
});

describe('EfficientNet-Lite0 on integers', () => {
  const folder = join(import.meta.dirname, '../../../backbones/efficientnet-lite0');
  const plan: unknown = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
  const backbone = loadBackbone(plan, readFileSync(join(folder, 'weights.safetensors')));

  it('computes its first steps in 16 bits', () => {
    const wide = ['stem', 'b0.depthwise', 'b0.project', 'b1.expand', 'b1.depthwise'];
    expect([...rangesOf(backbone).wide]).toEqual(wide);
  });

  const decoder = newDecoder();

  it.each([128, 160, 224])('has codes near to those of floats at %i px', async (side) => {
    const size = { height: side, width: side };
    const [integers, floats] = ([8, 32] as const).map((bits) =>
      createSimdEngine(backbone, BUILDS.plain, { bits, size }),
    );
    for (const photo of ['glass', 'paper', 'trash'].flatMap((label) => photos('test', label, 1))) {
      const { pixels } = await decoder.decode(readFileSync(photo), { ...size, rules: 2 });
      const [a, b] = [integers, floats].map((engine) => engine.codes(pixels, size));
      expect(cosine(a, b)).toBeGreaterThan(0.99);
    }
  });
});

function cosine(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
