import { describe, expect, test } from 'vitest';
import { score } from '../../../src/head/score.ts';
import { randomFor } from '../../../src/random.ts';
import { RidgePath, selectHeldOut } from '../../../src/learn/ridge/ridge-path.ts';
import { trainHead, type TrainingSet } from '../../../src/learn/ridge/train.ts';
import { evaluate } from '../../../src/learn/statistics/metrics.ts';
import { linalg } from './linalg.ts';

const CLASSES = 3;
const D = 12;

/** Codes around a centre a class. */
function makeSet(seed: number, n: number): TrainingSet {
  const random = randomFor(seed);
  const centre = randomFor(99);
  const centres = Float64Array.from({ length: CLASSES * D }, () => centre() - 0.5);
  const targets = Uint16Array.from({ length: n }, (_, i) => i % CLASSES);
  const codes = Float16Array.from({ length: n * D }, (_, at) => {
    return centres[targets[Math.floor(at / D)] * D + (at % D)] + 1.2 * (random() + random() - 1);
  });
  const backbone = { name: 'test', version: '1', weightsSha256: '0'.repeat(64) };
  return { backbone, taps: ['all'], labels: ['a', 'b', 'c'], codes, targets };
}

describe('a closed-form head with settings from elsewhere', () => {
  test('is the head of trainHead at that λ and temperature', async () => {
    const set = makeSet(1, 90);
    const path = await RidgePath.fit(set, { linalg });
    const expected = await trainHead(set, { linalg });
    const unit = (await path.head(0, 1)).training.lambda;
    const found = await path.head(Math.log10(expected.training.lambda / unit), expected.temperature);
    const code = Float32Array.from(set.codes.subarray(0, D));
    const [mine, theirs] = [score(found, code), score(expected, code)];
    theirs.probabilities.forEach((share, c) => expect(mine.probabilities[c]).toBeCloseTo(share, 6));
  });

  test('takes λ and temperature from held-out examples, and says how those were judged', async () => {
    const folds = [2, 3].map((seed) => {
      const held = makeSet(seed + 10, 45);
      return { set: makeSet(seed, 60), codes: held.codes, targets: held.targets };
    });
    const heldOut = await selectHeldOut(folds, { linalg });
    expect(heldOut.probabilities).toHaveLength(90 * CLASSES);
    const targets = Uint16Array.from(folds.flatMap((fold) => [...fold.targets]));
    expect(evaluate(heldOut.probabilities, targets, CLASSES).logLoss).toBeLessThan(Math.log(CLASSES));
    const passed = await Promise.all(
      folds.map(async ({ set, codes, targets }) => {
        const path = await RidgePath.fit(set, { linalg });
        const head = await path.head(heldOut.decade, heldOut.temperature, heldOut.novelty);
        return [...targets.keys()].filter((i) => {
          return !score(head, Float32Array.from(codes.subarray(i * D, (i + 1) * D))).unknown.isUnknown;
        }).length;
      }),
    );
    expect((passed[0] + passed[1]) / targets.length).toBeGreaterThanOrEqual(0.93);
  });
});
