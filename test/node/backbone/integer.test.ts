/** The engine on 8 bits: both builds, and both ways of relaxed SIMD, find the very integers of plain arithmetic. */
import { describe, expect, it } from 'vitest';
import type { Backbone } from '../../../src/backbone/index.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { INTEGER_CODE_HASH, integerCodeHash } from './integer-golden.ts';
import { integerReference } from './integer-reference.ts';
import { meanAndDeviation, NO_PADDING, onIntegers, randomPadding, smallNetwork } from './integer-networks.ts';
import { BackboneMaker, between, randomPixels } from './random.ts';
import { BUILDS, relaxedWith } from './simd-support.ts';

/** Also the way to dot products that a host takes which has them in one instruction. */
const WAYS = { ...BUILDS, 'relaxed, at once': relaxedWith(1) };

const ACTIVATIONS = ['none', 'relu', 'relu6'] as const;

/** The code, twice, and every step's map. */
function expectSameBits(backbone: Backbone, pixels: Uint8Array, what: string): void {
  const { code, maps } = integerReference(backbone, pixels);
  for (const [build, module] of Object.entries(WAYS)) {
    const engine = createSimdEngine(backbone, module, { bits: 8 });
    expect(engine.codes(pixels), `${what}, ${build}`).toEqual(code);
    const found = engine.codesAndMaps(pixels, [...maps.keys()]);
    for (const [name, map] of maps) {
      expect(found.maps.get(name), `${what}, ${build}, ${name}`).toEqual(map);
    }
    expect(found.codes, `${what}, ${build}, with maps`).toEqual(code);
    expect(engine.codes(pixels), `${what}, ${build}, again`).toEqual(code);
  }
}

describe('the 8-bit engine against plain integers', () => {
  for (const activation of ACTIVATIONS) {
    it(`convolves the picture and maps of any shape with ${activation}`, () => {
      for (let seed = 1; seed <= 12; seed++) {
        const channels = 1 + (seed % 4);
        const [height, width] = [6 + seed, 9 + (seed % 5)];
        const maker = new BackboneMaker(seed, height, width, channels);
        const [a, b] = [between(maker.next, 1, 37), between(maker.next, 1, 37)];
        const kernel = [between(maker.next, 1, 4), between(maker.next, 1, 4)];
        maker
          .conv(
            'stem',
            'input',
            [...kernel, channels, a],
            { stride: 1 + (seed % 3), padding: randomPadding(maker, 2), activation },
            0.01,
          ) // prettier-ignore
          .conv('wide', 'stem', [2, 3, a, b], { stride: 1, padding: [1, 1, 2, 0], activation })
          .conv('point', 'wide', [1, 1, b, a], { stride: 1, padding: NO_PADDING, activation })
          .conv('spread', 'point', [1, 1, a, b], { stride: 2, padding: randomPadding(maker, 2), activation });
        const pixels = randomPixels(seed, height * width * channels);
        const taps = [...meanAndDeviation('spread', b), ...meanAndDeviation('stem', a)];
        const wide = seed % 3 === 0 ? ['stem', 'wide', 'point'] : [];
        expectSameBits(onIntegers(maker, pixels, taps, wide), pixels, `seed ${seed}`);
      }
    });

    it(`convolves depthwise, any kernel, stride and width, with ${activation}`, () => {
      for (let seed = 1; seed <= 28; seed++) {
        const [height, width] = [7 + (seed % 5), 4 + seed];
        const maker = new BackboneMaker(seed, height, width, 2);
        const side = [3, 5, 2, 3, 5, 1, 4][seed % 7];
        const channels = between(maker.next, 1, 35);
        maker
          .conv(
            'mix',
            'input',
            [1, 1, 2, channels],
            { stride: 1, padding: NO_PADDING, activation: 'none' },
            0.01,
          )
          .depthwise('first', 'mix', [side, side, channels], {
            stride: 1 + (seed % 3),
            padding: [2, 2, 2, 2],
            activation,
          }) // prettier-ignore
          .depthwise('second', 'mix', [3, 3, channels], { stride: 2, padding: [0, 1, 0, 1], activation })
          .depthwise('third', 'mix', [5, 5, channels], { stride: 1, padding: [2, 2, 2, 2], activation });
        const pixels = randomPixels(seed, height * width * 2);
        const taps = ['first', 'second', 'third'].flatMap((step) => meanAndDeviation(step, channels));
        const wide = seed % 4 === 0 ? ['mix', 'first', 'second', 'third'] : [];
        expectSameBits(onIntegers(maker, pixels, taps, wide), pixels, `seed ${seed}`);
      }
    });
  }

  it('runs a network of all kinds of step, of any size', () => {
    for (const side of [9, 16, 23, 32]) {
      const pixels = randomPixels(side, side * side * 3);
      expectSameBits(smallNetwork(side, pixels, side), pixels, `side ${side}`);
    }
  });

  it('adds maps that no convolution before has, and lets later steps read early ones', () => {
    const maker = new BackboneMaker(4, 9, 8, 3);
    const point = { stride: 1, padding: NO_PADDING, activation: 'none' as const };
    const padded = { ...point, padding: [1, 1, 1, 1] as const };
    maker
      .conv('a', 'input', [1, 1, 3, 20], point, 0.01)
      .conv('b', 'a', [1, 1, 20, 20], { ...point, activation: 'relu' }, 0.3)
      .add('sum', 'b', 'a')
      .add('twice', 'sum', 'sum')
      .depthwise('dw', 'twice', [3, 3, 20], padded)
      .conv('c', 'dw', [1, 1, 20, 20], point, 0.3)
      .add('end', 'a', 'c');
    const pixels = randomPixels(4, 9 * 8 * 3);
    expectSameBits(onIntegers(maker, pixels, meanAndDeviation('end', 20)), pixels, 'adds');
  });

  it('survives weights that are all zero, and black and white pictures', () => {
    const maker = new BackboneMaker(8, 12, 12, 3);
    const around = { stride: 1, padding: [1, 1, 1, 1] as const, activation: 'relu6' as const };
    maker
      .conv('stem', 'input', [3, 3, 3, 24], around, 0.01)
      .depthwise('none', 'stem', [3, 3, 24], around, 0)
      .conv('nothing', 'none', [1, 1, 24, 9], around, 0);
    const taps = [...meanAndDeviation('nothing', 9), ...meanAndDeviation('none', 24)];
    const backbone = onIntegers(maker, randomPixels(8, 432), taps);
    for (const value of [0, 255]) {
      const pixels = new Uint8Array(432).fill(value);
      expectSameBits(backbone, pixels, `all ${value}`);
    }
  });

  it('gives the golden code bit by bit', () => {
    for (const [build, module] of Object.entries(WAYS)) {
      expect(integerCodeHash(module), build).toBe(INTEGER_CODE_HASH);
    }
  });
});
