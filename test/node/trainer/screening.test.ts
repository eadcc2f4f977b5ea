/** How `auto` chooses backbone and size: the estimate of cost, paired comparisons, the choice. */
import { describe, expect, test } from 'vitest';
import { backboneAt } from '../../../src/backbone/index.ts';
import { randomFor } from '../../../src/random.ts';
import { evaluate } from '../../../src/learn/statistics/metrics.ts';
import type { DataSet } from '../../../trainer/datasets/dataset.ts';
import { readingAt } from '../../../trainer/reading.ts';
import { codeMs, engineBits } from '../../../trainer/strategy/cost/edge.ts';
import type { EngineBits } from '../../../trainer/strategy/cost/edge.ts';
import { lossDifference, signTest } from '../../../trainer/strategy/paired.ts';
import type { Judged } from '../../../trainer/strategy/space/screening.ts';
import { chooseSpace, sampleOf, withinBudget } from '../../../trainer/strategy/space/screening.ts';
import { mobileNet as mobileBackbone, liteBackbone } from '../backbone/files.ts';
import { smallNetwork } from '../backbone/small-network.ts';

const N = 200;
const TARGETS = Uint16Array.from({ length: N }, (_, i) => i % 2);

/** [n × 2] with probability p for the true class. */
function held(p: (i: number) => number): Float32Array {
  return Float32Array.from({ length: 2 * N }, (_, at) => {
    const [i, c] = [Math.floor(at / 2), at % 2];
    return c === TARGETS[i] ? p(i) : 1 - p(i);
  });
}

describe('paired comparison', () => {
  test('the difference of log-losses and its standard error', () => {
    // Half of the examples lose ln 2, half of them nothing.
    const { mean, error } = lossDifference(
      held((i) => (i < N / 2 ? 0.25 : 0.5)),
      held(() => 0.5),
      TARGETS,
    );
    expect(mean).toBeCloseTo(Math.LN2 / 2, 6);
    expect(error).toBeCloseTo(Math.LN2 / 2 / Math.sqrt(N - 1), 6);
  });

  test('the sign test is that of fair coins, and looks at disagreements alone', () => {
    const wrong = (...examples: number[]) => held((i) => (examples.includes(i) ? 0.4 : 0.6));
    // Of four disagreements three go against the first: (4 + 1) of 16.
    expect(signTest(wrong(1, 2, 3), wrong(4), TARGETS)).toBeCloseTo(5 / 16, 9);
    expect(signTest(wrong(1, 2, 3, 9), wrong(4, 9), TARGETS)).toBeCloseTo(5 / 16, 9);
    expect(signTest(wrong(), wrong(), TARGETS)).toBe(1);
    expect(
      signTest(
        held(() => 0.1),
        held(() => 0.9),
        TARGETS,
      ),
    ).toBeCloseTo(2 ** -N, 9);
  });
});

/** Of EfficientNet-Lite0 on a picture of this side. */
function liteMs(side: number, bits?: EngineBits): number {
  return codeMs(backboneAt(liteBackbone(), { height: side, width: side }), bits);
}

describe('the estimate of cost', () => {
  test('is within a twelfth of what was measured, with each engine', () => {
    const measured = [
      [codeMs(mobileBackbone(), 32), 2],
      [codeMs(mobileBackbone(), 16), 1.64],
      [liteMs(128, 32), 5],
      [liteMs(224, 32), 13.6],
      [liteMs(128, 16), 3.9],
      [liteMs(224, 16), 10.7],
      [liteMs(128, 8), 2.3],
      [liteMs(160, 8), 3.67],
      [liteMs(224, 8), 6.97],
      [liteMs(288, 8), 11.4],
    ];
    for (const [estimated, ms] of measured) {
      expect(estimated / ms).toBeGreaterThan(11 / 12);
      expect(estimated / ms).toBeLessThan(13 / 12);
    }
  });

  test('is that of the engine which answers: 8 bits where the backbone has ranges', () => {
    expect(engineBits(liteBackbone())).toBe(8);
    expect(engineBits(mobileBackbone())).toBe(32);
    expect(liteMs(160)).toBe(liteMs(160, 8));
  });

  test('grows with the size', () => {
    const small = smallNetwork();
    const at = (side: number) => codeMs(backboneAt(small, { height: side, width: side }), 32);
    expect(at(96)).toBeGreaterThan(3 * at(48));
    expect(at(96)).toBeLessThan(4 * at(48));
  });

  test('says which sizes fit the budget', () => {
    const small = smallNetwork();
    const readings = [96, 32, 64].map((side) => readingAt(small, { height: side, width: side, rules: 2 }));
    const limit = codeMs(readings[2].backbone);
    const { within, beyond } = withinBudget(readings, limit);
    expect(within.map(({ reading }) => reading.input.width)).toEqual([32, 64]);
    expect(beyond.map(({ reading }) => reading.input.width)).toEqual([96]);
    expect(() => withinBudget(readings, 1e-6)).toThrow(
      /^No backbone fits the CPU budget of 0\.000001 ms: the cheapest, random at 32 px, .* Give --cpu-budget 0\.1 or more\.$/,
    );
  });
});

/** The side that is chosen. */
function chosen(...all: Judged[]): number {
  return chooseSpace(all, TARGETS).chosen.reading.input.width;
}

describe('the choice of backbone and size', () => {
  const small = smallNetwork();
  const judged = (side: number, ms: number, p: (i: number) => number): Judged => ({
    reading: readingAt(small, { height: side, width: side, rules: 2 }),
    ms,
    metrics: evaluate(held(p), TARGETS, 2),
    probabilities: held(p),
  });
  const random = randomFor(3);
  const noise = Array.from({ length: N }, () => random() - 0.5);

  test('is the cheaper one where the two cannot be told apart', () => {
    const cheap = judged(32, 1, (i) => 0.7 + 0.4 * noise[i]);
    const dear = judged(64, 4, (i) => 0.702 - 0.4 * noise[i]);
    expect(dear.metrics.logLoss).toBeLessThan(cheap.metrics.logLoss);
    expect(chosen(cheap, dear)).toBe(32);
  });

  test('is the usual one where it is level with the best, whatever is cheaper', () => {
    const cheap = judged(32, 1, (i) => 0.702 - 0.4 * noise[i]);
    const usual = judged(64, 4, (i) => 0.7 + 0.4 * noise[i]);
    const all = chooseSpace([cheap, usual], TARGETS, usual.reading);
    expect(all.chosen.reading.input.width).toBe(64);
    expect(all.because).toContain('the usual one');
    const worse = judged(64, 4, (i) => 0.5 + 0.4 * noise[i]);
    expect(chooseSpace([cheap, worse], TARGETS, worse.reading).chosen.reading.input.width).toBe(32);
  });

  test('is the better one where each example is a little better, though the intervals overlap', () => {
    const cheap = judged(32, 1, (i) => 0.6 + 0.7 * noise[i]);
    const dear = judged(64, 4, (i) => 0.63 + 0.7 * noise[i]);
    expect(dear.metrics.logLossInterval[1]).toBeGreaterThan(cheap.metrics.logLossInterval[0]);
    expect(chosen(cheap, dear)).toBe(64);
  });

  test('is the better one where it is right more often at the same log-loss', () => {
    // The cheap one is wrong on ten more, but very sure on others.
    const cheap = judged(32, 1, (i) => (i < 40 ? 0.45 : i < 60 ? 0.99 : 0.7));
    const dear = judged(64, 4, (i) => (i < 30 ? 0.45 : 0.75));
    const { spaces } = chooseSpace([cheap, dear], TARGETS);
    expect(spaces[0].level).toBe(false);
    expect(chosen(cheap, dear)).toBe(64);
  });
});

/** A data set with so many pictures of each class. */
function dataSet(counts: readonly number[]): DataSet {
  return {
    source: 'x',
    labels: counts.map((_, c) => `c${c}`),
    pictures: counts.flatMap((count, c) =>
      Array.from({ length: count }, (__, i) => ({ path: `/${c}/${i}`, name: `${c}/${i}`, label: `c${c}` })),
    ),
    skipped: [],
    notPictures: [],
  };
}

describe('the part of the data that is looked at', () => {
  test('has each class in proportion, two at least, and is drawn by the seed', () => {
    const all = dataSet([900, 90, 8, 2]);
    const part = sampleOf(all, 1, 108);
    const counts = all.labels.map(
      (label) => part.pictures.filter((picture) => picture.label === label).length,
    );
    expect(counts).toEqual([92, 11, 2, 2]);
    expect(sampleOf(all, 1, 108)).toEqual(part);
    expect(sampleOf(all, 2, 108)).not.toEqual(part);
    expect(sampleOf(all, 1, 1000)).toBe(all);
  });
});
