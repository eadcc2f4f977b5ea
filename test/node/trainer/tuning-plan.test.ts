/** The bounds on what a run takes, and what is not worth a try. */
import { describe, expect, test } from 'vitest';
import { backboneAt } from '../../../src/backbone/index.ts';
import { drawFolds } from '../../../src/learn/folds.ts';
import { FINE_TUNE_DEFAULTS } from '../../../src/learn/fine-tune/options.ts';
import { tuningSeconds, tuningWork } from '../../../trainer/strategy/cost/tuning.ts';
import type { LinearWork } from '../../../trainer/strategy/cost/linear.ts';
import { linearSeconds } from '../../../trainer/strategy/cost/linear.ts';
import type { TunedStrategy } from '../../../trainer/strategy/strategies.ts';
import { fitBudget } from '../../../trainer/strategy/tuning/plan.ts';
import { stepsOf } from '../../../trainer/strategy/tuning/runs.ts';
import { smallNetwork } from '../backbone/small-network.ts';

describe('the bound on the work of tuning', () => {
  test('is never below what the folds do, whatever their sizes', () => {
    const options = FINE_TUNE_DEFAULTS;
    for (const folds of [2, 4]) {
      for (let n = 8; n < 700; n += 23) {
        const targets = Uint16Array.from({ length: n }, (_, i) => i % 2);
        const foldOf = drawFolds(targets, folds, 1);
        const steps = Array.from({ length: folds }, (_, fold) =>
          stepsOf(foldOf.filter((of) => of !== fold).length, options),
        ).toSorted((a, b) => b - a);
        // Two runs side by side take as long as the longer one.
        const sideBySide = steps.filter((_, i) => i % 2 === 0).reduce((sum, count) => sum + count, 0);
        const trained = (sideBySide + stepsOf(n, options)) * options.batch;
        expect(
          tuningWork({ examples: n, folds }, options, 2).trained,
          `${n} in ${folds}`,
        ).toBeGreaterThanOrEqual(trained);
      }
    }
  });

  test('grows with the size of the pictures, the depth of the cut and the folds', () => {
    const small = smallNetwork();
    const seconds = (side: number, from: string, folds: number, training = 1): number =>
      tuningSeconds(
        from,
        backboneAt(small, { height: side, width: side }),
        { examples: 480, classes: 6, folds },
        FINE_TUNE_DEFAULTS,
        { decodeMs: 10, slowness: 1, training },
      );
    expect(seconds(96, 'stem', 4)).toBeGreaterThan(seconds(48, 'stem', 4));
    expect(seconds(48, 'stem', 4)).toBeGreaterThan(seconds(48, 'b0.project', 4));
    expect(seconds(48, 'stem', 4)).toBeGreaterThan(seconds(48, 'stem', 2));
    expect(seconds(48, 'stem', 4, 2)).toBeGreaterThan(1.5 * seconds(48, 'stem', 4));
  });
});

/** Tuning takes a minute a fold, everything two. */
function seconds(strategy: TunedStrategy, folds: number): number {
  return (strategy === 'full' ? 120 : 60) * folds;
}

function because(time: string): string {
  return `up to ${time} of tuning on this machine are beyond the budget (--budget)`;
}

describe('what fits the budget of time', () => {
  const targets = Uint16Array.from({ length: 40 }, (_, i) => i % 2);
  const fit = (most: number, of = targets) => fitBudget(['fine-tune', 'full'], of, seconds, most);

  test('is all in four folds, then all in two, then the cheaper alone, then nothing', () => {
    expect(fit(720)).toEqual({ affordable: ['fine-tune', 'full'], folds: 4, seconds: 720, passedOver: [] });
    expect(fit(719)).toEqual({ affordable: ['fine-tune', 'full'], folds: 2, seconds: 360, passedOver: [] });
    expect(fit(359)).toMatchObject({ affordable: ['fine-tune'], folds: 4, seconds: 240 });
    expect(fit(239)).toMatchObject({ affordable: ['fine-tune'], folds: 2, seconds: 120 });
    expect(fit(119)).toMatchObject({ affordable: [], folds: 0, seconds: 0 });
  });

  test('is said with the least that is wanted', () => {
    expect(fit(239).passedOver).toEqual([{ strategy: 'full', because: because('4 min') }]);
    expect(fit(10).passedOver).toEqual([
      { strategy: 'fine-tune', because: because('2 min') },
      { strategy: 'full', because: because('4 min') },
    ]);
  });

  test('is in no more folds than the smallest class has pictures', () => {
    expect(fit(720, Uint16Array.from([0, 0, 0, 1, 1]))).toMatchObject({ folds: 2, seconds: 360 });
  });
});

describe('the bound on all else', () => {
  const pace = { decodeMs: 10, slowness: 1 };
  const work = { screened: 480, examples: 480, tested: 240, classes: 6 };
  const small = smallNetwork();
  const spaces = [48, 96].map((side) => backboneAt(small, { height: side, width: side }));

  test('grows with the spaces that are tried, the pictures, and how slow the machine is', () => {
    const seconds = (more: Partial<LinearWork>, at = pace): number =>
      linearSeconds({ ...work, backbones: spaces, ...more }, at)!;
    const usual = seconds({});
    expect(seconds({ backbones: spaces.slice(1) })).toBeLessThan(usual);
    expect(seconds({ tested: 2400 })).toBeGreaterThan(usual + 2);
    expect(seconds({ examples: 4800 })).toBeGreaterThan(usual + 2);
    expect(seconds({}, { ...pace, slowness: 3 })).toBeGreaterThan(usual);
    // 480 pictures twice and 240 once, decoded by at most eight threads, whatever the network takes.
    expect(usual).toBeGreaterThan((1200 * pace.decodeMs) / 8 / 1000);
  });

  test('is not known where heads are found step by step', () => {
    expect(linearSeconds({ ...work, backbones: spaces, examples: 1e6 }, pace)).toBeUndefined();
  });
});
