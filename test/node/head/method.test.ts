/** Methods of training: the text of every head file comes back as it was. */
import { describe, expect, it } from 'vitest';
import {
  heldOutFolds,
  heldOutText,
  methodText,
  parseMethod,
  type TrainingMethod,
} from '../../../src/head/method.ts';

/** What heads have been written with, the fields, and how their examples were held out. */
const WRITTEN: readonly (readonly [string, TrainingMethod, string])[] = [
  ['ridge-dual', { fit: 'ridge-dual' }, 'leave-one-out'],
  ['logistic, 4-fold', { fit: 'logistic', folds: 4 }, '4-fold'],
  [
    'fine-tune from b3, ridge-primal, 4-fold',
    { fit: 'ridge-primal', tuned: { strategy: 'fine-tune', from: 'b3' }, folds: 4 },
    '4-fold',
  ],
  [
    'full from a, b/c:0, ridge-dual, 2-fold, continued',
    {
      fit: 'ridge-dual',
      tuned: { strategy: 'full', from: 'a, b/c:0' },
      folds: 2,
      further: 'continued',
    },
    'leave-one-out',
  ],
  ['ridge-dual, continued', { fit: 'ridge-dual', further: 'continued' }, 'leave-one-out'],
  ['imported', { fit: 'imported' }, 'leave-one-out'],
  ['imported-extended', { fit: 'imported', further: 'extended' }, 'leave-one-out'],
  ['imported-extended, 8-fold', { fit: 'imported', further: 'extended', furtherFolds: 8 }, '8-fold'],
  ['logistic, 4-fold-extended', { fit: 'logistic', folds: 4, further: 'extended' }, 'leave-one-out'],
  [
    'logistic, 4-fold-extended, 8-fold',
    { fit: 'logistic', folds: 4, further: 'extended', furtherFolds: 8 },
    '8-fold',
  ],
];

describe('a training method', () => {
  it.each(WRITTEN)('%s has fields and the same text', (text, method, heldOut) => {
    expect(parseMethod(text)).toEqual(method);
    expect(methodText(method)).toBe(text);
    expect(heldOutText(heldOutFolds(method))).toBe(heldOut);
  });

  it.each([
    'logistic, 04-fold',
    'logistic, 99999999999999999999-fold',
    'logistic, 4-fold, 4-fold',
    'ridge-dual, continued, continued',
    ', 4-fold',
    '-extended',
    ' from b3, ridge-dual',
    'a from , ridge-dual',
    'méthode à moi, très bonne',
  ])('%s comes back as it was', (text) => {
    expect(methodText(parseMethod(text))).toBe(text);
  });

  it('comes back as it was whatever it is made of', () => {
    const parts = ['ridge-dual', 'full from b3', '4-fold', '0-fold', 'continued', '-extended', ' ', ', ', ''];
    for (const a of parts)
      for (const b of parts)
        for (const c of parts)
          for (const d of parts) {
            const text = [a, b, c, d].join(', ') + a + c;
            expect(methodText(parseMethod(text))).toBe(text);
          }
  });
});
