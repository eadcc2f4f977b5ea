/** Training sets in which codes repeat: flat pictures, copies of one picture, classes that cannot be told apart. */
import { describe, expect, it } from 'vitest';
import { readHead, writeHead, type Head } from '../../../src/head/index.ts';
import { score } from '../../../src/head/score.ts';
import { teachFurther } from '../../../src/learn/further/teach-further.ts';
import { trainWithMetrics, type TrainingSet } from '../../../src/learn/ridge/train.ts';
import { linalg } from './linalg.ts';
import { BACKBONE, generator } from './random.ts';

const D = 96;
type Numbers = readonly number[];

function randomCode(seed: number, scale = 3): Numbers {
  const random = generator(seed);
  return Array.from({ length: D }, () => Math.fround(scale * random()));
}

/** @param code of example i of class c. */
function setOf(counts: readonly number[], code: (c: number, i: number) => Numbers): TrainingSet {
  const rows = counts.flatMap((count, c) =>
    Array.from({ length: count }, (_, i) => ({ c, row: code(c, i) })),
  );
  return {
    backbone: BACKBONE,
    taps: ['all'],
    labels: counts.map((_, c) => `class ${c}`),
    codes: Float16Array.from(rows.flatMap(({ row }) => row)),
    targets: Uint16Array.from(rows, ({ c }) => c),
  };
}

const codeOf = ({ codes }: TrainingSet, i: number): Float32Array =>
  Float32Array.from(codes.subarray(i * D, (i + 1) * D));

/** As a store gives it back: the reader refuses numbers that no head should have. */
const stored = (head: Head): Head => readHead(writeHead(head));

const [one, other] = [randomCode(1), randomCode(2)];
/** A flat picture has deviations of 0. */
const flat = (code: Numbers): Numbers => code.map((value, d) => (d < D / 2 ? value : 0));

const KINDS: [string, (c: number, i: number) => Numbers][] = [
  ['one code a class', (c) => randomCode(c + 1)],
  ['one code a class, half of it zeros', (c) => flat(randomCode(c + 1))],
  ['one code in all', () => one],
  ['one large code in all', () => randomCode(3, 60_000)],
  ['one constant, which no sum hits exactly', () => one.map(() => 0.1)],
  ['zeros alone', () => one.map(() => 0)],
  ['zeros of both signs', (_, i) => one.map(() => (i % 2 ? 0 : -0))],
  ['codes that differ in the last bit of one number', (c) => one.map((_, d) => (d === 0 ? c * 6e-8 : 0))],
  ['codes that differ in one number', (c) => one.map((value, d) => (d === 0 ? c : value))],
  ['all alike but one', (c, i) => (c + i === 0 ? other : one)],
];
const COUNTS = [
  [1, 1],
  [2, 2],
  [5, 5],
  [1, 7],
  [10, 11, 12],
  [120, 60],
];
const cases = KINDS.flatMap(([kind, code]) => COUNTS.map((counts) => ({ kind, code, counts })));

describe('codes that repeat', () => {
  it.each(cases)('give a head that can be stored and used: $kind, $counts', async ({ code, counts }) => {
    const set = setOf(counts, code);
    const { head, metrics, leaveOneOut } = await trainWithMetrics(set, { linalg });
    const read = stored(head);
    expect(leaveOneOut.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(metrics === null).toBe(Math.max(...counts) === 1);
    for (const input of [codeOf(set, 0), Float32Array.from(other), new Float32Array(D).fill(60_000)]) {
      const { probabilities, unknown } = score(read, input);
      expect(probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
      expect(Number.isFinite(unknown.score)).toBe(true);
    }
  });

  it.each(cases)('can be taught further: $kind, $counts', async ({ code, counts }) => {
    const base = stored((await trainWithMetrics(setOf(counts, code), { linalg })).head);
    const { codes } = setOf([3, 3], code);
    const further = { labels: ['class 0', 'new'], codes, targets: Uint16Array.of(0, 0, 0, 1, 1, 1) };
    const { head } = await teachFurther(base, further, { linalg });
    expect(stored(head).labels).toEqual([...base.labels, 'new']);
  });

  it.each([KINDS[0], KINDS[1]])('tell the classes apart and are known: %s', async (_, code) => {
    for (const counts of COUNTS.filter((each) => Math.min(...each) > 1)) {
      const set = setOf(counts, code);
      const { head, metrics } = await trainWithMetrics(set, { linalg });
      expect(metrics!.accuracy).toBe(1);
      for (const target of new Set(set.targets)) {
        const { probabilities, unknown } = score(stored(head), Float32Array.from(code(target, 0)));
        expect(probabilities.indexOf(Math.max(...probabilities))).toBe(target);
        expect(unknown.isUnknown).toBe(false);
      }
      expect(score(head, Float32Array.from(randomCode(9))).unknown.isUnknown).toBe(true);
    }
  });

  it.each(KINDS.slice(2, 7))('say that classes which are the same cannot be told: %s', async (_, code) => {
    const set = setOf([10, 10], code);
    const { head, metrics } = await trainWithMetrics(set, { linalg });
    // As a backbone gives it: what is kept of it was rounded to half precision.
    const { probabilities, unknown } = score(stored(head), Float32Array.from(code(0, 0)));
    expect(probabilities[0]).toBeCloseTo(0.5, 6);
    expect(unknown.isUnknown).toBe(false);
    expect(metrics!.accuracy).toBeLessThanOrEqual(0.5);
    expect(metrics!.logLoss).toBeGreaterThan(Math.LN2);
    // A number that no example had moves nothing: only what varied is learnt from.
    expect(head.weights.every((weight) => weight === 0)).toBe(true);
  });
});

it('passes known pictures with one example a class', async () => {
  const known = generator(5);
  const set = setOf([1, 1], (c) => randomCode(c + 1).map((value) => value + known()));
  const { head } = await trainWithMetrics(set, { linalg });
  const next = [0, 1].map((c) => Float32Array.from(randomCode(c + 1), (value) => value + known()));
  for (const [c, code] of next.entries()) {
    const { probabilities, unknown } = score(head, code);
    expect(probabilities[c]).toBeGreaterThan(0.5);
    expect(unknown.isUnknown).toBe(false);
  }
});
