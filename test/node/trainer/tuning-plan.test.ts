/** The bound on what tuning takes, and what is not worth a try. */
import { describe, expect, test } from 'vitest';
import { backboneAt } from '../../../src/backbone/index.ts';
import { drawFolds } from '../../../src/learn/folds.ts';
import { FINE_TUNE_DEFAULTS } from '../../../src/learn/fine-tune/options.ts';
import { tuningSeconds, tuningWork } from '../../../trainer/strategy/cost.ts';
import { stepsOf } from '../../../trainer/strategy/tuned.ts';
import { defaultBackbone } from '../backbone/files.ts';
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
        expect(tuningWork(n, folds, options).trained, `${n} in ${folds}`).toBeGreaterThanOrEqual(trained);
      }
    }
  });

  test('grows with the size of the pictures, the depth of the cut and the folds', () => {
    const small = smallNetwork();
    const seconds = (side: number, from: string, folds: number): number =>
      tuningSeconds(from, backboneAt(small, { height: side, width: side }), 480, folds, FINE_TUNE_DEFAULTS);
    expect(seconds(96, 'stem', 4)).toBeGreaterThan(seconds(48, 'stem', 4));
    expect(seconds(48, 'stem', 4)).toBeGreaterThan(seconds(48, 'b0.project', 4));
    expect(seconds(48, 'stem', 4)).toBeGreaterThan(seconds(48, 'stem', 2));
    // The MobileNet on TrashNet took 6 to 9 minutes; the bound has to lie above and within the default budget.
    const mobileNet = tuningSeconds('b3.project', defaultBackbone(), 480, 4, FINE_TUNE_DEFAULTS);
    expect(mobileNet).toBeGreaterThan(400);
    expect(mobileNet).toBeLessThan(600);
  });
});
