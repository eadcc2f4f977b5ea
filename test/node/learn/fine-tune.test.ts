import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { registerGradients } from '../../../src/backbone/tfjs/gradients.ts';
import { augment, AUGMENTATION, PLAIN } from '../../../src/learn/fine-tune/augment.ts';
import { trunkFor } from '../../../src/backbone/index.ts';
import { FineTune, type FineTuneTask } from '../../../src/learn/fine-tune/fine-tune.ts';
import { mixUp } from '../../../src/learn/fine-tune/mix-up.ts';
import { FINE_TUNE_DEFAULTS, type FineTuneOptions } from '../../../src/learn/fine-tune/options.ts';
import { permutation, randomFor } from '../../../src/random.ts';
import { cosineSchedule } from '../../../src/learn/fine-tune/schedule.ts';
import { readState, writeState } from '../../../src/learn/fine-tune/state.ts';
import { gradientsWasm, tfjsWasm } from '../backbone/files.ts';
import { smallBackbone } from './small-backbone.ts';

beforeAll(async () => registerGradients(tfjsWasm(), gradientsWasm()));

const OPTIONS: FineTuneOptions = { ...FINE_TUNE_DEFAULTS, epochs: 3, batch: 6, pictures: 4, mixup: 0.3 };
const STORED = { height: 14, width: 14 };
const CLASSES = 3;

async function task(): Promise<FineTuneTask> {
  const backbone = smallBackbone(5);
  const random = randomFor(9);
  const pictures = Array.from({ length: 20 }, () =>
    Uint8Array.from({ length: STORED.height * STORED.width * 3 }, () => 256 * random()),
  );
  const last = backbone.plan.taps.at(-1)!.channels;
  return {
    backbone,
    from: 'stem',
    trunk: await createTfjsEngine(trunkFor(backbone, 'stem'), tfjsWasm()),
    targets: Uint16Array.from(pictures, (_, i) => i % CLASSES),
    picture: (example) => pictures[example],
    stored: STORED,
    start: {
      mean: new Float32Array(last),
      deviation: new Float32Array(last).fill(1),
      weights: Float32Array.from({ length: CLASSES * last }, () => random() - 0.5),
      bias: new Float32Array(CLASSES),
      temperature: 0.5,
    },
  };
}

function tailOf(run: FineTune): number[] {
  return [...run.tail().tensors.values()].flatMap((tensor) => [...tensor]);
}

function finish(run: FineTune): number[] {
  while (!run.isDone) run.step();
  return tailOf(run);
}

describe('a fine-tuning run', () => {
  test('gives the same tail to the bit when it is interrupted after any third and taken up again', async () => {
    const given = await task();
    const whole = new FineTune(given, OPTIONS);
    const expected = finish(whole);
    for (const part of [1 / 3, 2 / 3]) {
      const first = new FineTune(given, OPTIONS);
      for (let step = 0; step < Math.round(part * whole.steps); step++) first.step();
      const saved = writeState(first.state, 'this task');
      first.dispose();
      expect(finish(new FineTune(given, OPTIONS, readState(saved, 'this task')))).toEqual(expected);
      expect(() => readState(saved, 'another task')).toThrow(/other data or other options/);
    }
    whole.dispose();
  });

  test('depends on the seed, changes the tail, and lowers the loss', async () => {
    const given = await task();
    const options = { ...OPTIONS, epochs: 20, rate: 0.02, headRate: 0.05, mixup: 0, augmentation: PLAIN };
    const run = new FineTune(given, options);
    const start = tailOf(run);
    const first = run.step().loss;
    let loss = first;
    while (!run.isDone) loss = run.step().loss;
    expect(loss).toBeLessThan(0.8 * first);
    expect(tailOf(run)).not.toEqual(start);
    expect(finish(new FineTune(given, { ...OPTIONS, seed: 2 }))).not.toEqual(
      finish(new FineTune(given, OPTIONS)),
    );
  });

  test('leaves no tensor behind', async () => {
    const given = await task();
    const before = tf.memory().numTensors;
    const run = new FineTune(given, OPTIONS);
    run.step();
    const during = tf.memory().numTensors;
    run.step();
    expect(tf.memory().numTensors).toBe(during);
    run.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('what chance does', () => {
  const size = { height: 5, width: 7 };
  const picture = Uint8Array.from({ length: 5 * 7 * 3 }, (_, i) => (i * 37) % 256);
  const draw = (seed: number, augmentation = AUGMENTATION): Uint8Array => {
    const out = new Uint8Array(picture.length);
    augment(picture, size, out, size, randomFor(seed), augmentation);
    return out;
  };

  test('the plain augmentation changes nothing, another is repeatable and differs from draw to draw', () => {
    expect(draw(1, PLAIN)).toEqual(picture);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  test('a mirror image is the picture from right to left', () => {
    const mirrored = Array.from({ length: 20 }, (_, seed) => draw(seed, { ...PLAIN, mirror: true })).find(
      (drawn) => drawn.join() !== picture.join(),
    )!;
    for (let y = 0; y < size.height; y++) {
      for (let x = 0; x < size.width; x++) {
        const [from, to] = [(y * size.width + x) * 3, (y * size.width + size.width - 1 - x) * 3];
        expect(mirrored.subarray(to, to + 3)).toEqual(picture.subarray(from, from + 3));
      }
    }
  });

  test('mixup mixes pictures and goals in the same shares', () => {
    const pixels = Uint8Array.from([200, 200, 0, 0]);
    const { pixels: mixed, wanted } = mixUp(pixels, Float32Array.from([1, 0, 0, 1]), 2, 0.5, randomFor(3));
    expect(wanted[0] + wanted[1]).toBeCloseTo(1, 6);
    expect(wanted[0]).toBeGreaterThanOrEqual(0.5);
    expect(mixed[0] / 200).toBeCloseTo(wanted[0], 2);
    expect(mixed[2] / 200).toBeCloseTo(wanted[2], 2);
  });

  test('permutations are whole, and draws do not depend on what was drawn before', () => {
    expect([...permutation(9, randomFor(4))].toSorted((a, b) => a - b)).toEqual([
      ...Array.from({ length: 9 }).keys(),
    ]);
    expect(randomFor(1, 2)()).not.toBe(randomFor(2, 1)());
    expect(randomFor(1, 2)()).toBe(randomFor(1, 2)());
  });

  test('the learning rate warms up and comes down to nothing', () => {
    const rates = Array.from({ length: 100 }, (_, step) => cosineSchedule(step, 100, 10));
    expect(Math.max(...rates)).toBe(1);
    expect(rates.indexOf(1)).toBe(10);
    expect(rates[0]).toBeCloseTo(1 / 11);
    expect(rates[99]).toBeLessThan(0.001);
  });
});
