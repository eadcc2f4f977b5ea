/** Teaching a head whose training data nobody has: old answers stay, new labels are found, whatever the order. */
import { describe, expect, it } from 'vitest';
import { readHead, score, writeHead } from '../../../src/head/index.ts';
import type { Head } from '../../../src/head/index.ts';
import { extendHead } from '../../../src/learn/further/extend.ts';
import { teachFurther } from '../../../src/learn/further/teach-further.ts';
import { importedHead } from '../../../src/learn/imported.ts';
import { MAX_TAUGHT_EXAMPLES, type TaughtExamples } from '../../../src/learn/further/taught-examples.ts';
import { random } from '../backbone/random.ts';
import { linalg } from './linalg.ts';

const FEATURES = 200;
const HIDDEN = 16;
const D = FEATURES + HIDDEN;

/** Roughly normal. */
function normal(next: () => number): number {
  return Array.from({ length: 12 }, next).reduce((sum, value) => sum + value, -6);
}

/** Every class has a place among the features; the hidden layer reads the old ones. */
function world(seed: number) {
  const next = random(seed);
  const mean = Float32Array.from({ length: FEATURES }, () => 0.5 + next());
  const deviation = Float32Array.from({ length: FEATURES }, () => 0.1 + 0.1 * next());
  const places = Array.from({ length: 5 }, () => Float64Array.from(mean, () => 1.2 * normal(next)));
  const code = (place: number): Float32Array => {
    const z = Float64Array.from(mean, (_, d) => places[place][d] + normal(next));
    const features = Float32Array.from(z, (value, d) => mean[d] + deviation[d] * value);
    const hidden = Float32Array.from({ length: HIDDEN }, (_, h) => {
      const like = places[h % 3].reduce((sum, value, d) => sum + value * z[d], 0) / FEATURES;
      return Math.max(like + 0.05 * normal(next), 0);
    });
    const code = new Float32Array(D);
    code.set(features);
    code.set(hidden, FEATURES);
    return code;
  };
  const weights = Float32Array.from({ length: 3 * HIDDEN }, (_, at) => {
    const [c, h] = [Math.floor(at / HIDDEN), at % HIDDEN];
    return h % 3 === c ? 1.5 : -0.5;
  });
  const head = importedHead({
    backbone: { name: 'b', version: '1', weightsSha256: '0'.repeat(64) },
    taps: ['features', 'dense'],
    labels: ['a', 'b', 'c'],
    weights,
    bias: new Float32Array(3),
    prior: { mean, deviation },
    hidden: HIDDEN,
  });
  return { head, code };
}

function taught(
  code: (place: number) => Float32Array,
  each: Record<string, [place: number, count: number]>,
): TaughtExamples {
  const labels = Object.keys(each);
  const codes: number[] = [];
  const targets: number[] = [];
  for (const [target, label] of labels.entries()) {
    const [place, count] = each[label];
    for (let i = 0; i < count; i++) {
      codes.push(...code(place));
      targets.push(target);
    }
  }
  return { labels, codes: Float16Array.from(codes), targets: Uint16Array.from(targets) };
}

function accuracy(head: Head, code: (place: number) => Float32Array, place: number, label: string): number {
  const right = Array.from({ length: 40 }, () => {
    const { probabilities } = score(head, code(place));
    return head.labels[probabilities.indexOf(Math.max(...probabilities))] === label ? 1 : 0;
  });
  return right.reduce<number>((sum, value) => sum + value, 0) / right.length;
}

describe('extendHead', () => {
  it('finds new labels and keeps the old ones', async () => {
    const { head, code } = world(1);
    for (const [place, label] of ['a', 'b', 'c'].entries())
      expect(accuracy(head, code, place, label)).toBe(1);
    const extended = await extendHead(head, taught(code, { e: [4, 6], d: [3, 6] }));
    expect(extended.labels).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(extended.training).toMatchObject({ examples: 12, counts: [0, 0, 0, 6, 6] });
    for (const [place, label] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      expect(accuracy(extended, code, place, label), label).toBeGreaterThanOrEqual(place < 3 ? 0.95 : 0.7);
    }
    expect(readHead(writeHead(extended))).toEqual(extended);
  });

  it('answers as before among old labels', async () => {
    const { head, code } = world(2);
    const extended = await extendHead(head, taught(code, { d: [3, 5] }));
    for (let place = 0; place < 5; place++) {
      const x = code(place);
      const [before, after] = [score(head, x).probabilities, score(extended, x).probabilities];
      const old = after[0] + after[1] + after[2];
      for (let c = 0; c < 3; c++) expect(Math.abs(after[c] / old - before[c])).toBeLessThan(1e-5);
    }
  });

  it('learns a new label from one picture', async () => {
    const { head, code } = world(3);
    const extended = await extendHead(head, taught(code, { d: [3, 1] }));
    expect(accuracy(extended, code, 3, 'd')).toBeGreaterThanOrEqual(0.9);
    expect(accuracy(extended, code, 0, 'a')).toBeGreaterThanOrEqual(0.9);
  });

  it('corrects an old label that its examples contradict, and no other', async () => {
    const { head, code } = world(4);
    // Pictures from a place that the head takes for something else.
    const examples = taught(code, { b: [4, 8] });
    const before = accuracy(head, code, 4, 'b');
    const extended = await extendHead(head, examples);
    expect(extended.labels).toEqual(['a', 'b', 'c']);
    expect(before).toBeLessThan(0.7);
    expect(accuracy(extended, code, 4, 'b')).toBeGreaterThanOrEqual(0.9);
    for (const [place, label] of ['a', 'b', 'c'].entries()) {
      expect(accuracy(extended, code, place, label), label).toBeGreaterThanOrEqual(0.9);
    }
  });

  it('does not depend on the order of examples or labels', async () => {
    const { head, code } = world(5);
    const { labels, codes, targets } = taught(code, { d: [3, 4], a: [0, 3], e: [4, 5] });
    const n = targets.length;
    const turned = {
      labels: labels.toReversed(),
      codes: Float16Array.from(codes, (_, at) => codes[(n - 1 - Math.floor(at / D)) * D + (at % D)]),
      targets: targets.map((_, i) => labels.length - 1 - targets[n - 1 - i]),
    };
    const bytes = writeHead(await extendHead(head, { labels, codes, targets }));
    expect(Buffer.compare(bytes, writeHead(await extendHead(head, turned)))).toBe(0);
  });

  it('teaches a head that reads the features themselves', async () => {
    const { head, code } = world(6);
    const plain = importedHead({
      backbone: head.backbone,
      taps: ['features'],
      labels: ['a', 'b'],
      weights: new Float32Array(2 * FEATURES).fill(0.01),
      bias: Float32Array.of(0, 1),
      prior: { mean: head.mean.subarray(0, FEATURES), deviation: head.deviation.subarray(0, FEATURES) },
      hidden: 0,
    });
    const features = (place: number): Float32Array => code(place).subarray(0, FEATURES);
    expect(
      accuracy(await extendHead(plain, taught(features, { d: [3, 5] })), features, 3, 'd'),
    ).toBeGreaterThanOrEqual(0.7);
  });

  it('is judged on new examples by heads that never saw them', async () => {
    const { head, code } = world(8);
    const examples = taught(code, { d: [3, 12], a: [0, 6], e: [4, 1] });
    const { metrics, leaveOneOut, head: extended } = await teachFurther(head, examples, { linalg });
    expect(extended.training.method).toMatchObject({ further: 'extended', furtherFolds: 8 });
    // The only example of its label can't be judged.
    expect(metrics?.perClass.map(({ support }) => support)).toEqual([6, 0, 0, 12, 0]);
    expect(metrics?.accuracy).toBeGreaterThanOrEqual(0.8);
    expect(leaveOneOut).toHaveLength(19 * 5);
    expect(extended.training.leaveOneOut?.accuracy).toBe(metrics?.accuracy);
    expect(readHead(writeHead(extended))).toEqual(extended);
    const one = await teachFurther(head, taught(code, { d: [3, 1] }), { linalg });
    expect(one.head.training.leaveOneOut).toBeNull();
  });

  it.each<[string, (examples: TaughtExamples) => TaughtExamples, RegExp]>([
    ['no examples', (e) => ({ ...e, codes: new Float16Array(), targets: new Uint16Array() }), /no examples/],
    ['codes of another length', (e) => ({ ...e, codes: e.codes.subarray(1) }), /not the codes of/],
    ['a number that is none', (e) => ({ ...e, codes: e.codes.map(() => NaN) }), /not finite/],
    ['a class that is none', (e) => ({ ...e, targets: e.targets.map(() => 7) }), /class 7/],
    ['a label twice', (e) => ({ ...e, labels: ['d', 'd'] }), /twice/],
    [
      'too many',
      () => ({
        labels: ['d'],
        codes: new Float16Array((MAX_TAUGHT_EXAMPLES + 1) * D),
        targets: new Uint16Array(MAX_TAUGHT_EXAMPLES + 1),
      }),
      /are the most/,
    ],
  ])('refuses %s', async (_, change, message) => {
    const { head, code } = world(7);
    await expect(extendHead(head, change(taught(code, { d: [3, 2] })))).rejects.toThrow(message);
  });
});
