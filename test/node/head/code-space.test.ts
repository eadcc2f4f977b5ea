import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/backbone/plan.ts';
import {
  sameInput,
  sameSpace,
  shortest,
  spaceInWords,
  spaceOf,
  spaceOfPlan,
  type CodeSpace,
  type PictureInput,
} from '../../../src/head/index.ts';

const plan: Plan = {
  format: 'headwater-plan/1',
  name: 'n',
  version: '1',
  weightsSha256: 'ab'.repeat(32),
  input: { height: 224, width: 224, channels: 3, padValue: [0, 0, 0], sides: [160] },
  steps: [],
  taps: [
    { name: 'a', step: 'a', channels: 8 },
    { name: 'b', step: 'b', channels: 4, statistic: 'deviation' },
  ],
};
const OWN: PictureInput = { height: 224, width: 224, rules: 1 };
const SMALL: PictureInput = { height: 160, width: 160, rules: 2 };

describe('a code space', () => {
  const own = spaceOfPlan(plan);
  const small = spaceOfPlan(plan, SMALL);

  it('is another one where anything of it differs, and only there', () => {
    const others: CodeSpace[] = [
      { ...small, weightsSha256: 'cd'.repeat(32) },
      { ...small, taps: ['a', 'c'] },
      { ...small, taps: ['a'] },
      { ...small, codeLength: 13 },
      { ...small, statistics: ['deviation', 'deviation'] },
      { ...small, input: { ...SMALL, height: 224 } },
      { ...small, input: { ...SMALL, width: 224 } },
      { ...small, input: { ...SMALL, rules: 1 } },
      own,
    ];
    for (const other of others) {
      expect(sameSpace(small, other)).toBe(false);
      expect(sameSpace(other, small)).toBe(false);
    }
    expect(sameSpace(small, structuredClone(small))).toBe(true);
    const { statistics: _, ...means } = small;
    expect(sameSpace(means, { ...small, statistics: ['mean', 'mean'] })).toBe(true);
  });

  it('has the same input where size and rules are the same', () => {
    expect(sameInput(SMALL, { ...SMALL })).toBe(true);
    expect(sameInput(undefined, undefined)).toBe(true);
    expect(sameInput(undefined, OWN)).toBe(false);
    for (const change of [{ height: 1 }, { width: 1 }, { rules: 1 as const }])
      expect(sameInput(SMALL, { ...SMALL, ...change })).toBe(false);
  });

  it('of the own size by rules 1 is written without it', () => {
    expect(own).toEqual({
      weightsSha256: plan.weightsSha256,
      taps: ['a', 'b'],
      statistics: ['mean', 'deviation'],
      codeLength: 12,
    });
    expect(spaceOfPlan(plan, OWN)).toEqual(own);
    expect(small).toEqual({ ...own, input: SMALL });
    expect(spaceOfPlan(plan, { ...OWN, rules: 2 })).toEqual({ ...own, input: { ...OWN, rules: 2 } });
    expect(shortest({ ...own, input: OWN }, plan)).toEqual(own);
    const { statistics: _, ...means } = own;
    expect(shortest({ ...means, statistics: ['mean', 'mean'], input: OWN }, plan)).toEqual(means);
  });

  it('of a head is that of the plan that it reads', () => {
    const head = {
      backbone: plan,
      taps: ['a', 'b'],
      statistics: ['mean', 'deviation'],
      codeLength: 12,
    } as const;
    expect(spaceOf(head)).toEqual(own);
    expect(spaceOf({ ...head, input: SMALL })).toEqual(small);
  });

  it('is said in words', () => {
    expect(spaceInWords(small)).toBe(
      '12 numbers from 2 taps, 1 of them deviations, at 160×160 pixels, pixel rules 2',
    );
    expect(spaceInWords({ weightsSha256: '', taps: ['a'], codeLength: 8 })).toBe(
      "8 numbers from 1 tap at the backbone's own size, pixel rules 1",
    );
  });
});
