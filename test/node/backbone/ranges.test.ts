import { describe, expect, it } from 'vitest';
import type { Backbone } from '../../../src/backbone/index.ts';
import { createEngine, defaultEngine, engineFor } from '../../../src/backbone/choose.ts';
import type { Activation } from '../../../src/backbone/plan.ts';
import { rangesOf } from '../../../src/backbone/ranges.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { thrownBy } from '../thrown.ts';
import { mobileNet } from './files.ts';
import { BackboneMaker } from './random.ts';
import { BUILDS } from './simd-support.ts';

const point = { stride: 1, padding: [0, 0, 0, 0], activation: 'none' as Activation } as const;

type Given = Readonly<Record<string, readonly [number, number]>>;

/** Two convolutions and an add. */
function network(ranges: Given, wide: readonly string[] = [], activation: Activation = 'none'): Backbone {
  const maker = new BackboneMaker(1, 4, 4, 3);
  maker.conv('a', 'input', [1, 1, 3, 5], point, 0.01).conv('b', 'a', [1, 1, 5, 5], { ...point, activation });
  maker.add('sum', 'b', 'a').onIntegers(new Map(Object.entries(ranges)), wide);
  return maker.load([{ step: 'sum', channels: 5 }]);
}

const SOUND: Given = { a: [-4, 4], b: [-4, 4], sum: [-8, 8] };

function refusal(work: () => unknown): string {
  const error = thrownBy(work);
  expect(error).toMatchObject({ code: 'backbone_invalid' });
  return String(error);
}

describe('ranges', () => {
  it('are read with the steps that compute in 16 bits', () => {
    const { of, wide } = rangesOf(network(SOUND, ['a']));
    expect(of.get('sum')).toEqual({ low: -8, high: 8 });
    expect([...wide]).toEqual(['a']);
  });

  it('choose the engine', () => {
    const backbone = network(SOUND);
    expect(defaultEngine(backbone)).toBe('simd8');
    expect(createEngine(backbone, BUILDS.plain).name).toBe('simd8');
    expect(createEngine(backbone, BUILDS.plain, { name: 'simd32' }).name).toBe('simd32');
    expect(defaultEngine(network({}))).toBe('simd32');
  });

  it('let a wish for 8 bits hold where they are, and any other wish everywhere', () => {
    const [ranged, plain] = [network(SOUND), network({})];
    expect([undefined, 'simd8', 'simd16', 'simd32'].map((wish) => engineFor(ranged, wish))).toEqual([
      'simd8',
      'simd8',
      'simd16',
      'simd32',
    ]);
    expect([undefined, 'simd8', 'simd16', 'simd32'].map((wish) => engineFor(plain, wish))).toEqual([
      'simd32',
      'simd32',
      'simd16',
      'simd32',
    ]);
    expect(() => engineFor(plain, 'simd4')).toThrow("There is no engine 'simd4'. One of: simd32,");
  });

  it.each<[string, Given, string]>([
    ['one is missing', { a: [0, 1], b: [0, 1] }, "'sum.range' has no numbers"],
    ['one leaves out zero', { ...SOUND, b: [1, 2] }, "range of 'b' is 1 to 2"],
    ['one is upside down', { ...SOUND, b: [1, -1] }, "range of 'b'"],
    ['one is empty', { ...SOUND, b: [0, 0] }, "range of 'b'"],
    ['one is enormous', { ...SOUND, b: [0, 1e9] }, "range of 'b'"],
  ])('are refused where %s', (_, ranges, message) => {
    expect(refusal(() => network(ranges))).toContain(message);
  });

  it('are refused where bits are on a step that has none, or there are bits alone', () => {
    expect(refusal(() => network(SOUND, ['sum']))).toContain("'sum' is of kind add");
    expect(refusal(() => network({}, ['a']))).toContain("'a.range' has no numbers");
  });
});

const run = (backbone: Backbone) => () => createSimdEngine(backbone, BUILDS.plain, { bits: 8 });

describe('what 8 bits refuse, naming the step', () => {
  it('refuses activations that have no codes', () => {
    const backbone = network(SOUND, [], 'hard-swish');
    expect(refusal(run(backbone))).toContain("'b' can't run on 8 bits: its activation is hard-swish");
    expect(createSimdEngine(backbone, BUILDS.plain).codes(new Uint8Array(48))).toHaveLength(5);
  });

  it('refuses backbones without ranges', () => {
    expect(refusal(run(mobileNet()))).toContain('.range');
  });

  it('refuses 16 bits behind 8, and readers that differ', () => {
    expect(refusal(run(network(SOUND, ['b'])))).toContain("'a' can't run on 8 bits: some of its readers");
    const maker = new BackboneMaker(1, 4, 4, 3);
    maker.conv('a', 'input', [1, 1, 3, 5], point, 0.01).conv('b', 'a', [1, 1, 5, 5], point);
    maker.conv('c', 'b', [1, 1, 5, 5], point);
    maker.onIntegers(new Map(['a', 'b', 'c'].map((name) => [name, [-4, 4]])), ['c']);
    const backbone = maker.load([{ step: 'c', channels: 5 }]);
    expect(refusal(run(backbone))).toContain("'c' can't run on 8 bits: it has 16 bits and reads 'b'");
  });

  it('refuses ranges that are too narrow for the sums', () => {
    const backbone = network({ ...SOUND, b: [0, 1e-5], sum: [0, 1e-5] });
    expect(refusal(run(backbone))).toContain('too narrow');
  });
});
