import { describe, expect, it } from 'vitest';
import type { Backbone } from '../../../src/backbone/index.ts';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import type { Padding } from '../../../src/backbone/plan.ts';
import { hasRelaxedSimd } from '../../../src/backbone/relaxed-simd.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { HeadwaterError } from '../../../src/errors.ts';
import { mobileNet, tfjsWasm } from './files.ts';
import { fnv1a, goldenPicture, SIMD_CODE_HASHES } from './golden.ts';
import { ACTIVATIONS, BackboneMaker, between, randomPixels } from './random.ts';
import { referenceCode, referenceOutputs } from './reference.ts';
import { BUILDS } from './simd-support.ts';

const NONE: Padding = [0, 0, 0, 0];
/** Against doubles: sums of a few hundred terms in single precision, and with factors of 14 bits. */
const MODES = [
  { bits: 32, tolerance: 2e-5 },
  { bits: 16, tolerance: 2e-3 },
] as const;

/**
 * Every step in either build and precision, and the code of the engine that shares memory among its maps. Which maps
 * are read changes no bit of them, nor of the code.
 */
function expectLikeReference(backbone: Backbone, seed: number): void {
  const { height, width, channels } = backbone.plan.input;
  const pixels = randomPixels(seed, height * width * channels);
  const expectedOutputs = referenceOutputs(backbone, pixels);
  const expectedCode = referenceCode(backbone, pixels);
  for (const [build, module] of Object.entries(BUILDS)) {
    for (const { bits, tolerance } of MODES) {
      const what = `${build}, ${bits} bits, seed ${seed}`;
      const engine = createSimdEngine(backbone, module, { bits });
      const code = engine.codes(pixels);
      expectClose(code, expectedCode, tolerance, `${what}, code`);
      const all = engine.codesAndMaps(pixels, [...expectedOutputs.keys()]);
      expect(all.codes, `${what}, code with all maps`).toEqual(code);
      for (const [name, expected] of expectedOutputs) {
        const map = all.maps.get(name);
        expectClose(map, expected.values, tolerance, `${what}, ${name}`);
        const alone = engine.codesAndMaps(pixels, [name]);
        expect(alone.maps.get(name), `${what}, ${name} alone`).toEqual(map);
        expect(alone.codes, `${what}, code with ${name}`).toEqual(code);
      }
      // Again, because the picture finds the others' remains in memory.
      expect(engine.codes(pixels), `${what}, code again`).toEqual(code);
    }
  }
}

/** Within the tolerance of the largest value. */
function expectClose(
  actual: Float32Array | undefined,
  expected: Float64Array,
  tolerance: number,
  what: string,
): void {
  expect(actual?.length, what).toBe(expected.length);
  const scale = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
  const worst = actual!.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i])), 0);
  expect(worst / scale, what).toBeLessThan(tolerance);
}

function cosine(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function randomPadding(maker: BackboneMaker, most: number): Padding {
  const side = (): number => between(maker.next, 0, most);
  return [side(), side(), side(), side()];
}

describe('the SIMD engine against plain arithmetic, in both builds', () => {
  for (const activation of ACTIVATIONS) {
    it(`convolves the picture and feature maps of any shape with ${activation}`, () => {
      for (let seed = 1; seed <= 12; seed++) {
        const maker = new BackboneMaker(seed, 6 + seed, 9 + (seed % 5), 1 + (seed % 4));
        const ins = 1 + (seed % 4);
        const [a, b] = [between(maker.next, 1, 19), between(maker.next, 1, 19)];
        const stride = 1 + (seed % 3);
        const kernel = [between(maker.next, 1, 4), between(maker.next, 1, 4)];
        maker.conv('stem', 'input', [...kernel, ins, a], { stride, padding: randomPadding(maker, 2), activation }, 0.01); // prettier-ignore
        maker.conv('wide', 'stem', [2, 3, a, b], { stride, padding: [1, 1, 2, 0], activation });
        maker.conv('point', 'wide', [1, 1, b, a], { stride: 1, padding: NONE, activation });
        maker.conv('spread', 'point', [1, 1, a, b], {
          stride: 2,
          padding: randomPadding(maker, 2),
          activation,
        });
        expectLikeReference(maker.load([{ step: 'spread', channels: b }, { step: 'stem', channels: a }]), seed); // prettier-ignore
      }
    });

    it(`convolves depthwise, any kernel, stride and width, with ${activation}`, () => {
      for (let seed = 1; seed <= 24; seed++) {
        const channels = 1 + (seed % 4);
        const maker = new BackboneMaker(seed, 7 + (seed % 5), 4 + seed, channels);
        const side = [3, 5, 2, 3, 5, 1, 4][seed % 7];
        const wide = between(maker.next, 1, 20);
        maker.depthwise('first', 'input', [side, 3, channels], { stride: 1, padding: [1, 2, 1, 1], activation }, 0.01); // prettier-ignore
        maker.conv(
          'mix',
          'first',
          [1, 1, channels, wide],
          { stride: 1, padding: NONE, activation: 'none' },
          0.5,
        );
        maker.depthwise('second', 'mix', [side, side, wide], { stride: 1 + (seed % 3), padding: [2, 2, 2, 2], activation }); // prettier-ignore
        maker.depthwise('third', 'mix', [3, 3, wide], { stride: 2, padding: [0, 1, 0, 1], activation });
        expectLikeReference(maker.load([{ step: 'second', channels: wide }, { step: 'third', channels: wide }]), seed); // prettier-ignore
      }
    });

    it(`runs dense layers with ${activation}`, () => {
      const maker = new BackboneMaker(3, 4, 6, 2);
      maker.conv('stem', 'input', [1, 1, 2, 7], { stride: 1, padding: NONE, activation: 'none' }, 0.01);
      maker.mean('pool', 'stem').dense('hidden', 'pool', [7, 21], activation).dense('out', 'hidden', [21, 3], activation); // prettier-ignore
      expectLikeReference(maker.load([{ step: 'out', channels: 3 }]), 3);
    });
  }

  it('squeezes and excites, adds, and lets later steps read early ones', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const [ins, wide] = [1 + (seed % 4), 3 + seed];
      const maker = new BackboneMaker(seed, 6 + seed, 5 + seed, ins);
      const same = { stride: 1, padding: [1, 1, 1, 1] as Padding, activation: 'hard-swish' as const };
      maker.conv('stem', 'input', [3, 3, ins, wide], same, 0.01).squeezeExcite('se', 'stem', wide, 4);
      maker.depthwise('dw', 'se', [3, 3, wide], same).add('sum', 'dw', 'stem').add('twice', 'sum', 'sum');
      expectLikeReference(maker.load([{ step: 'twice', channels: wide }, { step: 'se', channels: wide }]), seed); // prettier-ignore
    }
  });

  it('adds on the way where a convolution can, and afterwards where paddings differ', () => {
    for (const readerOfBoth of [false, true]) {
      const maker = new BackboneMaker(5, 9, 8, 3);
      const point = { stride: 1, padding: NONE, activation: 'none' as const };
      const padded = { stride: 2, padding: [1, 1, 1, 1] as Padding, activation: 'relu' as const };
      maker.conv('a', 'input', [1, 1, 3, 10], point, 0.01).conv('b', 'a', [1, 1, 10, 10], point, 0.3);
      maker.add('sum', 'b', 'a').depthwise('dw', 'sum', [3, 3, 10], padded);
      if (readerOfBoth) maker.depthwise('dw2', 'a', [3, 3, 10], padded);
      maker.conv('c', 'dw', [1, 1, 10, 10], point).add('end', 'dw', 'c');
      expectLikeReference(maker.load([{ step: 'end', channels: 10 }]), 5);
    }
  });

  it('finds means and deviations of one step, fused or not, of odd widths and of single pixels', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const wide = 3 + 4 * seed;
      const maker = new BackboneMaker(seed, 6 + seed, 5 + seed, 3);
      const same = { stride: 1, padding: [1, 1, 1, 1] as Padding, activation: 'relu6' as const };
      maker
        .conv('stem', 'input', [3, 3, 3, wide], same, 0.01)
        .conv('up', 'stem', [1, 1, wide, wide], { ...same, padding: NONE }, 0.3);
      maker.depthwise('dw', 'up', [3, 3, wide], same).conv('down', 'dw', [3, 3, wide, wide], same, 0.1);
      maker.add('sum', 'down', 'stem').mean('pool', 'sum');
      const both = ['sum', 'dw', 'pool'].flatMap((step) => [
        { step, channels: wide, statistic: 'deviation' as const },
        { step, channels: wide },
      ]);
      expectLikeReference(maker.load(both), seed);
    }
  });

  it('finds a deviation of 1 around a mean of 1,000, which sums of squares in single precision lose', () => {
    const maker = new BackboneMaker(3, 112, 113, 3);
    maker.conv('stem', 'input', [1, 1, 3, 12], { stride: 1, padding: NONE, activation: 'none' }, 0.015);
    const backbone = maker.load([{ step: 'stem', channels: 12, statistic: 'deviation' }]);
    backbone.tensors.get('stem.b')!.fill(1000);
    const pixels = randomPixels(3, 112 * 113 * 3);
    const expected = referenceCode(backbone, pixels);
    for (const module of Object.values(BUILDS)) {
      const found = createSimdEngine(backbone, module).codes(pixels);
      for (const [i, value] of found.entries()) expect(Math.abs(value / expected[i] - 1)).toBeLessThan(1e-5);
    }
  });

  it('puts a mean inside the padding that its reader wants', () => {
    const maker = new BackboneMaker(6, 5, 4, 3);
    const padded = { stride: 1, padding: [1, 1, 1, 1] as Padding, activation: 'none' as const };
    maker
      .conv('a', 'input', [3, 3, 3, 10], padded, 0.01)
      .mean('mean', 'a')
      .conv('b', 'mean', [3, 3, 10, 9], padded);
    expectLikeReference(maker.load([{ step: 'b', channels: 9 }]), 6);
  });

  it('reads the picture itself in steps other than convolutions', () => {
    const maker = new BackboneMaker(1, 3, 3, 3);
    maker.add('sum', 'input', 'input').mean('mean', 'input').squeezeExcite('se', 'input', 3, 2);
    expectLikeReference(maker.load([{ step: 'sum', channels: 3 }, { step: 'mean', channels: 3 }]), 1); // prettier-ignore
  });
});

describe('the default backbone on the SIMD engine', () => {
  const backbone = mobileNet();
  const pictureBytes = 224 * 224 * 3;

  for (const [build, module] of Object.entries(BUILDS)) {
    for (const [bits, least] of [
      [32, 1 - 1e-9],
      [16, 1 - 1e-4],
    ] as const) {
      it(`gives the reference engine's codes, ${build}, ${bits} bits`, async () => {
        const reference = await createTfjsEngine(backbone, tfjsWasm());
        const engine = createSimdEngine(backbone, module, { bits });
        expect(engine.name).toBe(`simd${bits}${build === 'plain' ? '' : '-relaxed'}`);
        for (const pixels of [goldenPicture(), randomPixels(1, pictureBytes).fill(127, 0, 99_999)]) {
          expect(cosine(engine.codes(pixels), reference.codes(pixels))).toBeGreaterThan(least);
        }
        reference.dispose();
      });

      it(`gives each picture of a batch the code that it has alone, ${build}, ${bits} bits`, () => {
        const engine = createSimdEngine(backbone, module, { bits });
        const pixels = randomPixels(7, 3 * pictureBytes);
        const batch = engine.codes(pixels);
        expect(engine.codes(new Uint8Array(0)).length).toBe(0);
        for (let i = 0; i < 3; i++) {
          const alone = engine.codes(pixels.subarray(i * pictureBytes, (i + 1) * pictureBytes));
          expect(batch.subarray(i * backbone.codeLength, (i + 1) * backbone.codeLength)).toEqual(alone);
        }
      });
    }
  }

  for (const { bits, tolerance } of [MODES[0], { bits: 16, tolerance: 2e-2 }] as const) {
    it(`agrees at every step with plain arithmetic, ${bits} bits`, () => {
      const pixels = goldenPicture();
      const steps = backbone.plan.steps.map((step) => step.name);
      const engine = createSimdEngine(backbone, BUILDS.plain, { bits });
      const { codes, maps } = engine.codesAndMaps(pixels, steps);
      expect(codes).toEqual(engine.codes(pixels));
      const expected = referenceOutputs(backbone, pixels);
      for (const name of steps) expectClose(maps.get(name), expected.get(name)!.values, tolerance, name);
    });
  }

  it('gives the golden codes bit by bit', () => {
    for (const { bits } of MODES) {
      const code = createSimdEngine(backbone, BUILDS.plain, { bits }).codes(goldenPicture());
      expect(fnv1a(code), `${bits} bits`).toBe(SIMD_CODE_HASHES[bits]);
    }
  });

  it('survives pictures of a single value, black to white', () => {
    const [single, half] = [
      createSimdEngine(backbone, BUILDS.plain),
      createSimdEngine(backbone, BUILDS.plain, { bits: 16 }),
    ];
    for (const value of [0, 128, 255]) {
      const pixels = new Uint8Array(pictureBytes).fill(value);
      expect(cosine(half.codes(pixels), single.codes(pixels))).toBeGreaterThan(1 - 1e-3);
    }
  });

  it('refuses what is no whole number of pictures', () => {
    const engine = createSimdEngine(backbone, BUILDS.plain);
    expect(() => engine.codes(new Uint8Array(pictureBytes + 1))).toThrow(RangeError);
  });

  it('takes a few megabytes, and refuses to take more than it may', () => {
    expect(createSimdEngine(backbone, BUILDS.plain).memoryBytes).toBeLessThan(8e6);
    expect(createSimdEngine(backbone, BUILDS.plain, { bits: 16 }).memoryBytes).toBeLessThan(6e6);
    const tooSmall = (): unknown => createSimdEngine(backbone, BUILDS.plain, { memoryLimitBytes: 1e6 });
    expect(tooSmall).toThrow(HeadwaterError);
    expect(tooSmall).toThrow(/needs \d+ bytes of memory/u);
  });

  it('knows whether the host has relaxed SIMD', () => {
    // The build with relaxed SIMD has been compiled above.
    expect(hasRelaxedSimd()).toBe(true);
  });

  it('says so when it is handed another module', () => {
    const other = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    expect(() => createSimdEngine(backbone, other)).toThrow('hand in build/wasm/engine.wasm');
  });
});
