import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Backbone, MapEngine } from '../../../src/backbone/index.ts';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import type { Padding } from '../../../src/backbone/plan.ts';
import { mobileNet, tfjsWasm } from './files.ts';
import { fnv1a, GOLDEN, goldenPicture, SAMPLE_STRIDE } from './golden.ts';
import { ACTIVATIONS, BackboneMaker, between, randomPixels } from './random.ts';
import { referenceCode, referenceOutputs } from './reference.ts';

const wasm = tfjsWasm();
const ERROR_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;
const listenersBefore = ERROR_EVENTS.map((event) => process.listenerCount(event));
/** Float32 sums of a few hundred terms, against doubles. */
const TOLERANCE = 2e-5;

async function expectLikeReference(backbone: Backbone, seed: number): Promise<void> {
  const { height, width, channels } = backbone.plan.input;
  const pixels = randomPixels(seed, height * width * channels);
  const engine = await createTfjsEngine(backbone, wasm);
  const outputs = stepOutputs(engine, backbone, pixels);
  for (const [name, expected] of referenceOutputs(backbone, pixels)) {
    expectClose(outputs.get(name)!, expected.values, `seed ${seed}, step ${name}`);
  }
  expectClose(engine.codes(pixels), referenceCode(backbone, pixels), `seed ${seed}, code`);
  engine.dispose();
}

function stepOutputs(
  engine: MapEngine,
  { plan }: Backbone,
  pixels: Uint8Array,
): ReadonlyMap<string, Float32Array> {
  return engine.codesAndMaps(
    pixels,
    plan.steps.map((step) => step.name),
  ).maps;
}

/** Within the tolerance of the largest value. */
function expectClose(actual: Float32Array, expected: Float64Array, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const scale = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
  const worst = actual.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i])), 0);
  expect(worst / scale, what).toBeLessThan(TOLERANCE);
}

function randomPadding(maker: BackboneMaker, most: number): Padding {
  const side = (): number => between(maker.next, 0, most);
  return [side(), side(), side(), side()];
}

describe('the TensorFlow.js engine against plain arithmetic', () => {
  for (const activation of ACTIVATIONS) {
    it(`convolves the picture and feature maps, padded unevenly, with ${activation}`, async () => {
      for (let seed = 1; seed <= 5; seed++) {
        const height = 5 + seed;
        const maker = new BackboneMaker(seed, height, 9, 3);
        const [a, b] = [between(maker.next, 1, 9), between(maker.next, 1, 9)];
        const stride = 1 + (seed % 2);
        maker.conv(
          'stem',
          'input',
          [3, 3, 3, a],
          { stride, padding: randomPadding(maker, 2), activation },
          0.01,
        );
        maker.conv('wide', 'stem', [2, 3, a, b], { stride, padding: randomPadding(maker, 2), activation });
        maker.conv('point', 'wide', [1, 1, b, a], { stride: 1, padding: [0, 0, 0, 0], activation });
        await expectLikeReference(maker.load([{ step: 'point', channels: a }, { step: 'stem', channels: a }]), seed); // prettier-ignore
      }
    });

    it(`convolves depthwise, padded unevenly, with ${activation}`, async () => {
      for (let seed = 1; seed <= 5; seed++) {
        const maker = new BackboneMaker(seed, 7 + seed, 8, 3);
        const kernel = [3, 5, 2, 3, 5][seed - 1];
        const stride = 1 + (seed % 2);
        maker.depthwise(
          'first',
          'input',
          [kernel, 3, 3],
          { stride, padding: randomPadding(maker, 2), activation },
          0.01,
        );
        maker.depthwise('second', 'first', [3, 3, 3], { stride: 1, padding: [1, 1, 1, 1], activation });
        await expectLikeReference(maker.load([{ step: 'second', channels: 3 }]), seed);
      }
    });

    it(`runs dense layers with ${activation}`, async () => {
      const maker = new BackboneMaker(3, 4, 6, 2);
      maker.conv(
        'stem',
        'input',
        [1, 1, 2, 7],
        { stride: 1, padding: [0, 0, 0, 0], activation: 'none' },
        0.01,
      );
      maker
        .mean('pool', 'stem')
        .dense('hidden', 'pool', [7, 5], activation)
        .dense('out', 'hidden', [5, 3], activation);
      await expectLikeReference(maker.load([{ step: 'out', channels: 3 }]), 3);
    });
  }

  it('squeezes and excites, adds, and lets later steps read early ones', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const maker = new BackboneMaker(seed, 6, 5, 1 + (seed % 3));
      const same = { stride: 1, padding: [1, 1, 1, 1] as Padding, activation: 'hard-swish' as const };
      maker.conv('stem', 'input', [3, 3, 1 + (seed % 3), 6], same, 0.01).squeezeExcite('se', 'stem', 6, 4);
      maker.depthwise('dw', 'se', [3, 3, 6], same).add('sum', 'dw', 'stem').add('twice', 'sum', 'sum');
      await expectLikeReference(maker.load([{ step: 'twice', channels: 6 }, { step: 'se', channels: 6 }]), seed); // prettier-ignore
    }
  });

  it('finds means and deviations of one step, also where the mean is far larger', async () => {
    const maker = new BackboneMaker(3, 56, 57, 3);
    maker.conv('stem', 'input', [1, 1, 3, 12], { stride: 1, padding: [0, 0, 0, 0], activation: 'none' }, 0.015); // prettier-ignore
    maker.mean('pool', 'stem');
    const backbone = maker.load([
      { step: 'stem', channels: 12, statistic: 'deviation' },
      { step: 'stem', channels: 12 },
      { step: 'pool', channels: 12, statistic: 'deviation' },
    ]);
    backbone.tensors.get('stem.b')!.fill(1000);
    const pixels = randomPixels(3, 56 * 57 * 3);
    const expected = referenceCode(backbone, pixels);
    const engine = await createTfjsEngine(backbone, wasm);
    const found = engine.codes(pixels);
    for (let i = 0; i < 24; i++) expect(Math.abs(found[i] / expected[i] - 1)).toBeLessThan(1e-5);
    expect(found.subarray(24)).toEqual(new Float32Array(12));
    engine.dispose();
  });

  it('reads the picture itself in steps other than convolutions', async () => {
    const maker = new BackboneMaker(1, 3, 3, 3);
    maker.add('sum', 'input', 'input').mean('mean', 'input');
    await expectLikeReference(maker.load([{ step: 'sum', channels: 3 }, { step: 'mean', channels: 3 }]), 1); // prettier-ignore
  });
});

describe('the default backbone on the TensorFlow.js engine', () => {
  const backbone = mobileNet();
  const engine = createTfjsEngine(backbone, wasm);
  const pictureBytes = 224 * 224 * 3;

  it('agrees with plain arithmetic at every step', async () => {
    const pixels = goldenPicture();
    const outputs = stepOutputs(await engine, backbone, pixels);
    for (const [name, expected] of referenceOutputs(backbone, pixels)) {
      expectClose(outputs.get(name)!, expected.values, name);
    }
  });

  it('gives the golden code bit by bit', async () => {
    const code = (await engine).codes(goldenPicture());
    expect(backbone.plan.weightsSha256).toBe(GOLDEN.weightsSha256);
    expect([...code].filter((_, i) => i % SAMPLE_STRIDE === 0)).toEqual(GOLDEN.samples.map(Math.fround));
    expect(fnv1a(code)).toBe(GOLDEN.codeHash);
  });

  it('gives each picture of a batch the code that it has alone, at any batch size', async () => {
    const codes = await engine;
    for (const count of [0, 1, 2, 4, 5, 9]) {
      const pixels = randomPixels(count, count * pictureBytes);
      const batch = codes.codes(pixels);
      expect(batch.length).toBe(count * backbone.codeLength);
      for (let i = 0; i < count; i++) {
        const alone = codes.codes(pixels.subarray(i * pictureBytes, (i + 1) * pictureBytes));
        expect(batch.subarray(i * backbone.codeLength, (i + 1) * backbone.codeLength)).toEqual(alone);
      }
    }
  });

  it('leaves no tensor behind, nor do engines that are disposed of', async () => {
    const codes = await engine;
    const before = tf.memory();
    codes.codes(randomPixels(1, 5 * pictureBytes));
    stepOutputs(codes, backbone, randomPixels(1, pictureBytes));
    const second = await createTfjsEngine(backbone, wasm);
    expect(tf.memory().numTensors).toBeGreaterThan(before.numTensors);
    second.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
  });

  it('leaves the handling of uncaught errors to the program', async () => {
    await engine;
    expect(ERROR_EVENTS.map((event) => process.listenerCount(event))).toEqual(listenersBefore);
  });

  it('runs on its own backend whichever one is current', async () => {
    const expected = (await engine).codes(goldenPicture());
    tf.registerBackend('other', () => new tf.KernelBackend());
    await tf.setBackend('other');
    expect((await engine).codes(goldenPicture())).toEqual(expected);
  });

  it('refuses what is no whole number of pictures', async () => {
    const codes = await engine;
    expect(() => codes.codes(new Uint8Array(pictureBytes + 1))).toThrow(RangeError);
  });
});
