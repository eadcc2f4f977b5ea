import { describe, expect, test } from 'vitest';
import { randomFor } from '../../../src/random.ts';
import { evaluate } from '../../../src/learn/statistics/metrics.ts';
import { nearDuplicates } from '../../../trainer/analyse/near-duplicates.ts';
import { choose, type Candidate } from '../../../trainer/strategy/candidates.ts';
import { drawFolds } from '../../../src/learn/folds.ts';
import { cutFor, type Strategy } from '../../../trainer/strategy/strategies.ts';
import { mobileNet } from '../backbone/files.ts';

describe('where a strategy cuts', () => {
  const { plan, shapes } = mobileNet();

  test('fine-tune behind the first tap where the map is smallest, full behind the first convolution', () => {
    expect(cutFor('fine-tune', plan, shapes)).toBe('b3.project');
    expect(cutFor('full', plan, shapes)).toBe('stem');
  });
});

describe('folds', () => {
  test('hold every example out once, every class in each, sizes within one', () => {
    const targets = Uint16Array.from({ length: 50 }, (_, i) => (i < 30 ? 0 : i < 41 ? 1 : 2));
    const folds = drawFolds(targets, 4, 1);
    for (let fold = 0; fold < 4; fold++) {
      const held = [...folds.keys()].filter((i) => folds[i] === fold);
      expect([12, 13]).toContain(held.length);
      expect(new Set(held.map((i) => targets[i])).size).toBe(3);
    }
    expect(drawFolds(targets, 4, 1)).toEqual(folds);
    expect(drawFolds(targets, 4, 2)).not.toEqual(folds);
  });
});

/** Right with probability p on every example but those in `wrong`. */
function candidate(strategy: Strategy, ms: number, p: (i: number) => number): Candidate {
  const probabilities = Float32Array.from({ length: 2 * N }, (_, at) => {
    const [i, c] = [Math.floor(at / 2), at % 2];
    return c === TARGETS[i] ? p(i) : 1 - p(i);
  });
  const metrics = evaluate(probabilities, TARGETS, 2);
  return { strategy, taps: ['last'], folds: 4, metrics, probabilities, cost: { ms, bytes: 1 } };
}

const N = 100;
const TARGETS = Uint16Array.from({ length: N }, (_, i) => i % 2);

describe('the choice', () => {
  test('is the least log-loss where the difference is clear', () => {
    const linear = candidate('linear-all', 0, (i) => (i % 5 === 0 ? 0.3 : 0.8));
    const tuned = candidate('fine-tune', 4, (i) => (i % 5 === 0 ? 0.4 : 0.9));
    expect(choose([linear, tuned], TARGETS).chosen).toBe(tuned);
  });

  test('is the cheaper one at a tie, even where it is a little worse', () => {
    const linear = candidate('linear-all', 0, (i) => (i % 2 === 0 ? 0.9 : 0.7));
    const tuned = candidate('fine-tune', 4, (i) => (i % 2 === 0 ? 0.7 : 0.902));
    const { chosen, because } = choose([tuned, linear], TARGETS);
    expect(chosen).toBe(linear);
    expect(because).toContain('cheaper');
  });
});

describe('near duplicates', () => {
  test('are found among unrelated codes, most alike first', () => {
    const random = randomFor(1);
    const [n, d] = [40, 300];
    const codes = Float16Array.from({ length: n * d }, () => random() - 0.5);
    const copy = (from: number, to: number, noise: number): void => {
      for (let c = 0; c < d; c++) codes[to * d + c] = codes[from * d + c] + noise * (random() - 0.5);
    };
    copy(3, 17, 0.1);
    copy(8, 30, 0.2);
    const pairs = nearDuplicates(codes, n, randomFor(2)).map(({ first, second }) => [first, second]);
    expect(pairs).toEqual([
      [3, 17],
      [8, 30],
    ]);
  });
});
