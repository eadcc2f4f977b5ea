import { describe, expect, it } from 'vitest';
import { writeHead } from '../../../src/head/index.ts';
import { score } from '../../../src/head/score.ts';
import { trainHead, trainWithMetrics, type TrainingSet } from '../../../src/learn/ridge/train.ts';
import { GOLDEN_HASH, goldenHeads } from './golden.ts';
import { linalg } from './linalg.ts';
import { generator, randomSet } from './random.ts';

/** The same data with labels and examples in another order. */
function shuffled(set: TrainingSet, seed: number): TrainingSet {
  const random = generator(seed);
  const codeLength = set.codes.length / set.targets.length;
  const examples = [...set.targets.keys()].sort(() => random() - 0.5);
  const labels = set.labels.toSorted(() => random() - 0.5);
  const codes = new Float16Array(set.codes.length);
  examples.forEach((from, to) =>
    codes.set(set.codes.subarray(from * codeLength, (from + 1) * codeLength), to * codeLength),
  );
  const targets = Uint16Array.from(examples, (from) => labels.indexOf(set.labels[set.targets[from]]));
  return { ...set, labels, codes, targets };
}

function everyNumber(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (value instanceof Float32Array) return [...value];
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(everyNumber);
  return [];
}

async function recallOfRare(balance: number): Promise<number> {
  const { metrics } = await trainWithMetrics(randomSet(10, [150, 8], 40, 0.35), { linalg, balance });
  return metrics!.perClass[1].recall;
}

describe('trainHead', () => {
  it('makes the same file whatever the order of examples and labels', async () => {
    const set = randomSet(1, [9, 14, 6], 50);
    const file = writeHead(await trainHead(set, { linalg }));
    for (const seed of [2, 3])
      expect(writeHead(await trainHead(shuffled(set, seed), { linalg }))).toEqual(file);
  });

  it('learns what can be learnt and says how well', async () => {
    const { head, metrics } = await trainWithMetrics(randomSet(4, [40, 40, 40], 150), { linalg });
    expect(metrics!.accuracy).toBeGreaterThan(0.95);
    expect(head.training).toMatchObject({
      method: { fit: 'ridge-dual' },
      examples: 120,
      counts: [40, 40, 40],
    });
    expect(head.training.leaveOneOut!.accuracy).toBe(metrics!.accuracy);
  });

  it('says honestly that noise cannot be learnt', async () => {
    const { metrics } = await trainWithMetrics(randomSet(5, [60, 60], 80, 0), { linalg });
    expect(metrics!.accuracyInterval[0]).toBeLessThan(0.5);
    expect(metrics!.logLoss).toBeLessThan(0.8);
  });

  it('returns the left-out probabilities in the order of the set', async () => {
    const set = shuffled(randomSet(6, [12, 15], 30), 9);
    const { leaveOneOut, head, metrics } = await trainWithMetrics(set, { linalg });
    const right = set.targets.reduce((count, target, i) => {
      const top = leaveOneOut[i * 2] >= leaveOneOut[i * 2 + 1] ? 0 : 1;
      return count + Number(head.labels[top] === set.labels[target]);
    }, 0);
    expect(right / set.targets.length).toBeCloseTo(metrics!.accuracy, 12);
  });

  it('has no metrics where every example is the only one of its class', async () => {
    const { head, metrics } = await trainWithMetrics(randomSet(7, [1, 1], 20), { linalg });
    expect(metrics).toBeNull();
    expect(head.training.leaveOneOut).toBeNull();
    const mixed = await trainWithMetrics(randomSet(7, [1, 5, 4], 20), { linalg });
    expect(mixed.metrics!.examples).toBe(9);
  });

  it('pauses often when it is told how', async () => {
    let pauses = 0;
    await trainHead(randomSet(8, [100, 100], 400), {
      linalg,
      pause: () => {
        pauses++;
        return Promise.resolve();
      },
    });
    expect(pauses).toBeGreaterThan(8);
  });

  it('gives rare classes a hearing', async () => {
    expect(await recallOfRare(1)).toBeGreaterThan(await recallOfRare(0));
  });
});

describe('odd data', () => {
  const base = randomSet(11, [4, 3], 16);
  const cases: [string, TrainingSet][] = [
    ['one example a class', randomSet(1, [1, 1], 16)],
    ['one code number', randomSet(1, [3, 4], 1)],
    ['all codes alike', { ...base, codes: base.codes.map(() => 1.5) }],
    ['all codes zero', { ...base, codes: base.codes.map(() => 0) }],
    [
      'a few codes, each many times',
      { ...base, codes: base.codes.map((_, i) => (i < 48 ? i % 16 : -(i % 16))) },
    ],
    [
      'numbers at the ends of half precision',
      { ...base, codes: base.codes.map((_, i) => (i % 2 ? 65_504 : 6e-8)) },
    ],
    ['very uneven classes', randomSet(2, [60, 1, 2], 16)],
    [
      'more classes than numbers',
      randomSet(
        3,
        Array.from({ length: 30 }, () => 2),
        5,
      ),
    ],
    ['primal', randomSet(12, [30, 30], 4)],
  ];
  it.each(cases)('gives finite numbers: %s', async (_, set) => {
    const { head, leaveOneOut } = await trainWithMetrics(set, { linalg });
    const strange = everyNumber(head).filter((value) => !Number.isFinite(value));
    expect(strange).toEqual([]);
    expect(leaveOneOut.every((value) => value >= 0 && value <= 1)).toBe(true);
    const scored = score(head, Float32Array.from(set.codes.subarray(0, head.codeLength)));
    expect(everyNumber(scored).every(Number.isFinite)).toBe(true);
  });

  const refusals: [string, Partial<TrainingSet>, RegExp, string?][] = [
    ['one class', { labels: ['a'] }, /1 classes/],
    ['equal labels', { labels: ['a', 'a'] }, /occurs twice/],
    ['an empty label', { labels: ['a', ''] }, /empty/],
    ['a class without examples', { labels: ['a', 'b', 'c'] }, /"c" has no example/],
    ['a target beyond the labels', { targets: Uint16Array.of(0, 0, 0, 0, 1, 1, 7) }, /class 7 of only 2/],
    ['codes of another length', { codes: new Float16Array(50) }, /50 numbers/],
    [
      'infinity',
      { codes: base.codes.map((value, i) => (i === 20 ? Infinity : value)) },
      /example 1 holds Infinity/,
    ],
    ['not a number', { codes: base.codes.map((value, i) => (i === 0 ? NaN : value)) }, /example 0 holds NaN/],
    ['no examples', { targets: new Uint16Array(0), codes: new Float16Array(0) }, /no examples/],
    [
      '10⁶ labels',
      { labels: Array.from({ length: 1e6 }, (_, i) => `${i}`) },
      /1000000 classes/,
      'training_data_too_large',
    ],
  ];
  it.each(refusals)('is refused: %s', async (_, change, message, code = 'training_data_invalid') => {
    const training = trainHead({ ...base, ...change }, { linalg });
    await expect(training).rejects.toMatchObject({ code });
    await expect(training).rejects.toThrow(message);
  });

  it('is refused beyond the host’s number of examples', async () => {
    await expect(trainHead(base, { linalg, maxExamples: 6 })).rejects.toMatchObject({
      code: 'training_data_too_large',
    });
  });
});

describe('unknown images', () => {
  it('are flagged and known pictures pass with ten examples in all', async () => {
    const known = randomSet(20, [60, 60], 300);
    const d = 300;
    const few = [0, 1, 2, 3, 4, 60, 61, 62, 63, 64];
    const codes = Float16Array.from(few.flatMap((i) => [...known.codes.subarray(i * d, (i + 1) * d)]));
    const head = await trainHead(
      {
        ...known,
        codes,
        targets: Uint16Array.from(few, (i) => known.targets[i]),
      },
      { linalg },
    );
    const flagged = (set: TrainingSet, from: number, to: number): number => {
      let count = 0;
      for (let i = from; i < to; i++) {
        count += Number(
          score(head, Float32Array.from(set.codes.subarray(i * d, (i + 1) * d))).unknown.isUnknown,
        );
      }
      return count / (to - from);
    };
    expect(flagged(known, 10, 60)).toBeLessThan(0.15);
    expect(flagged(randomSet(21, [50], d, 2), 0, 50)).toBeGreaterThan(0.8);
  });
});

it('makes the golden heads, as workerd does', async () => {
  const { hash } = await goldenHeads(linalg);
  expect(hash).toBe(GOLDEN_HASH);
});
