// For its cpu backend, and for the gradients of operations, which tfjs-core alone does not register in Node.
import * as everything from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { cutAt, type Activation, type Backbone, type Cut } from '../../../src/backbone/index.ts';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { useWasmBackend } from '../../../src/backbone/tfjs/backend.ts';
import { registerGradients } from '../../../src/backbone/tfjs/gradients.ts';
import { augment, AUGMENTATION, PLAIN } from '../../../src/learn/fine-tune/augment.ts';
import { FineTune, trunkFor, type FineTuneTask } from '../../../src/learn/fine-tune/fine-tune.ts';
import { mixUp } from '../../../src/learn/fine-tune/mix-up.ts';
import { TrainableNetwork } from '../../../src/learn/fine-tune/network.ts';
import { FINE_TUNE_DEFAULTS, type FineTuneOptions } from '../../../src/learn/fine-tune/options.ts';
import { gather, layOut } from '../../../src/learn/fine-tune/parameters.ts';
import { permutation, randomFor } from '../../../src/learn/fine-tune/random.ts';
import { cosineSchedule } from '../../../src/learn/fine-tune/schedule.ts';
import { readState, writeState } from '../../../src/learn/fine-tune/state.ts';
import { gradientsWasm, tfjsWasm } from '../backbone/files.ts';
import { BackboneMaker } from '../backbone/random.ts';

beforeAll(async () => registerGradients(tfjsWasm(), gradientsWasm()));

/** A network with every kind of step and activation, cut behind its first. */
function smallBackbone(seed: number): Backbone {
  const same = { stride: 1, padding: [1, 1, 1, 1] as const };
  const pointwise = { stride: 1, padding: [0, 0, 0, 0] as const };
  return new BackboneMaker(seed, 12, 12, 3)
    .conv('stem', 'input', [3, 3, 3, 8], { ...same, stride: 2, activation: 'hard-swish' }, 0.01)
    .conv('expand', 'stem', [1, 1, 8, 12], { ...pointwise, activation: 'hard-swish' })
    .depthwise('depthwise', 'expand', [3, 3, 12], { ...same, activation: 'relu6' })
    .squeezeExcite('gate', 'depthwise', 12, 4)
    .conv('project', 'gate', [1, 1, 12, 8], { ...pointwise, activation: 'none' })
    .add('add', 'project', 'stem')
    .conv('spatial', 'add', [3, 3, 8, 10], { ...same, stride: 2, activation: 'relu' })
    .depthwise('last', 'spatial', [3, 3, 10], { ...same, stride: 2, activation: 'hard-sigmoid' })
    .load([
      { step: 'depthwise', channels: 12 },
      { step: 'last', channels: 10 },
    ]);
}

describe('the gradients of a trainable network', () => {
  test.each([1, 2, 3, 4])(
    'are those of automatic differentiation on the cpu backend, backbone %i',
    async (seed) => {
      const backbone = smallBackbone(seed);
      const cut = cutAt(backbone.plan, 'stem');
      const parameters = layOut(cut.tailSteps, backbone);
      const values = gather(parameters, backbone);
      const random = randomFor(seed, 8);
      const { height, width, channels } = backbone.shapes.get('stem')!;
      const shape: [number, number, number, number] = [3, height, width, channels];
      const input = Float32Array.from({ length: 3 * height * width * channels }, () => 2 * random() - 1);
      const direction = Float32Array.from({ length: 3 * 22 }, () => 2 * random() - 1);
      useWasmBackend();
      const network = new TrainableNetwork(cut, parameters);
      network.load(values);
      const found = new Float32Array(values.length);
      const map = tf.tensor4d(input, shape);
      network.accumulate(map, () => tf.tensor2d(direction, [3, 22]), found);
      map.dispose();
      network.dispose();

      await everything.setBackend('cpu');
      const reference = tf.tidy(() => {
        const variables = parameters.map(({ offset, length, shape }) =>
          tf.tensor(values.slice(offset, offset + length), [...shape]),
        );
        const loss = (...tensors: tf.Tensor[]): tf.Scalar => {
          const byName = new Map(parameters.map(({ name }, i) => [name, tensors[i]]));
          return tf.sum(
            tf.mul(taped(cut, tf.tensor4d(input, shape), byName), tf.tensor2d(direction, [3, 22])),
          );
        };
        return tf
          .grads(loss)(variables)
          .flatMap((grad) => [...grad.dataSync<'float32'>()]);
      });
      for (const { name, offset, length } of parameters) {
        const expected = Float32Array.from(reference.slice(offset, offset + length));
        const off = expected.map((slope, i) => slope - found[offset + i]);
        expect(norm(off) / norm(expected), name).toBeLessThan(1e-4);
      }
    },
  );
});

/** The tail in TensorFlow.js's own differentiable operations, to the joined means of its taps. */
function taped(cut: Cut, input: tf.Tensor4D, tensors: ReadonlyMap<string, tf.Tensor>): tf.Tensor {
  const maps = new Map<string, tf.Tensor4D>([[cut.from, input]]);
  const dense = (x: tf.Tensor, weights: string, bias: string): tf.Tensor =>
    tf.add(tf.matMul(tf.reshape(x, [x.shape[0], -1]), tensors.get(weights)!), tensors.get(bias)!);
  for (const step of cut.tailSteps) {
    const x = maps.get(step.input)!;
    if (step.op === 'conv' || step.op === 'depthwise') {
      const weights = tensors.get(step.weights)!;
      const filter = tf.reshape<tf.Rank.R4>(weights, [
        weights.shape[0],
        weights.shape[1] ?? 1,
        x.shape[3],
        -1,
      ]);
      const [top, bottom, left, right] = step.padding;
      const pad: tf.backend_util.ExplicitPadding = [[0, 0], [top, bottom], [left, right], [0, 0]]; // prettier-ignore
      const convolve = step.op === 'conv' ? tf.conv2d : tf.depthwiseConv2d;
      const u = tf.add(convolve(x, filter, step.stride, pad), tensors.get(step.bias)!);
      maps.set(
        step.name,
        tf.reshape<tf.Rank.R4>(activated(u, step.activation), [
          u.shape[0],
          u.shape[1] ?? 1,
          u.shape[2] ?? 1,
          -1,
        ]),
      );
    } else if (step.op === 'squeeze-excite') {
      const reduced = tf.relu(dense(tf.mean(x, [1, 2]), step.reduceWeights, step.reduceBias));
      const factors = activated(dense(reduced, step.expandWeights, step.expandBias), 'hard-sigmoid');
      maps.set(step.name, tf.mul(x, tf.reshape(factors, [x.shape[0], 1, 1, -1])));
    } else if (step.op === 'add') {
      maps.set(step.name, tf.add(x, maps.get(step.other)!));
    }
  }
  return tf.concat(cut.tailTaps.map(({ step }) => tf.mean(maps.get(step)!, [1, 2])), 1); // prettier-ignore
}

function activated(u: tf.Tensor, activation: Activation): tf.Tensor {
  const gate = (): tf.Tensor => tf.div(tf.clipByValue(tf.add(u, 3), 0, 6), 6);
  switch (activation) {
    case 'none':
      return u;
    case 'relu':
      return tf.relu(u);
    case 'relu6':
      return tf.clipByValue(u, 0, 6);
    case 'hard-swish':
      return tf.mul(u, gate());
    case 'hard-sigmoid':
      return gate();
  }
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

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
