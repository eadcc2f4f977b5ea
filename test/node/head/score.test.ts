/** Scores of heads at the bounds of what they may hold. */
import { beforeAll, describe, expect, it } from 'vitest';
import { goldenFault } from '../../../src/head/golden.ts';
import { score, type Head } from '../../../src/head/index.ts';
import { trainHead } from '../../../src/learn/ridge/train.ts';
import { randomSet } from '../learn/random.ts';
import { refusal } from './refusal.ts';
import { linalg } from '../learn/linalg.ts';

let head: Head;
beforeAll(async () => {
  head = await trainHead(randomSet(1, [12, 9, 11], 24), { linalg });
});

describe('scores', () => {
  it('are finite for every code that a picture can have, at the bounds of what a head may hold', () => {
    const least = { residual: { centre: -1e12, spread: 1e-9 }, logit: { centre: 1e12, spread: 1e-9 } };
    const extreme: Head = {
      ...head,
      temperature: 1e-6,
      deviation: head.deviation.map(() => 1e-12),
      weights: head.weights.map((_, i) => (i % 2 === 0 ? 1e6 : -1e6)),
      novelty: { ...head.novelty, ...least, threshold: 1e12 },
    };
    for (const value of [0, 1, -65_504, 65_504]) {
      const { logits, probabilities, unknown } = score(extreme, new Float32Array(24).fill(value));
      for (const found of [...logits, ...probabilities, unknown.score])
        expect(found).toSatisfy(Number.isFinite);
    }
  });

  it('that are no finite numbers are an error, for golden codes as well', () => {
    const broken: [string, Head][] = [
      ['a spread', { ...head, novelty: { ...head.novelty, logit: { centre: 0, spread: 5e-324 } } }],
      ['a centre', { ...head, novelty: { ...head.novelty, logit: { centre: -1.7e308, spread: 0.1 } } }],
      ['a temperature', { ...head, temperature: 1e-300 }],
      ['a weight', { ...head, weights: head.weights.map(() => NaN) }],
    ];
    for (const [what, each] of broken)
      expect(
        refusal(() => goldenFault(each)),
        what,
      ).toMatchObject({ code: 'head_invalid' });
    for (const value of [Infinity, NaN, 3e38])
      expect(refusal(() => score(head, new Float32Array(24).fill(value)))).toMatchObject({
        code: 'head_invalid',
      });
  });
});
