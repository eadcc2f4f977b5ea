/** A goal that is missed by a hair must not look met. */
import { describe, expect, it } from 'vitest';
import { goalTable, ratioGoal } from '../../../bench/goals.ts';
import type { Timing } from '../../../bench/measure.ts';

function spread(median: number): Timing['wall'] {
  return { median, p10: median, p90: median, samples: 1 };
}

describe('goals', () => {
  it.each([
    [0.3600001, undefined, ['≤ 0.36', '0.361', 'missed']],
    [0.36, undefined, ['≤ 0.36', '0.36', 'met']],
    [24.01, 'MB', ['≤ 0.36 MB', '24.1 MB', 'missed']],
    [4.2e-12, undefined, ['≤ 0.36', '4.2e-12', 'met']],
    [-1.5, 'points', ['≤ 0.36 points', '-1.5 points', 'met']],
    [Number.NaN, undefined, ['≤ 0.36', 'NaN', 'missed']],
  ])('never rounds %f %s towards the goal', (measured, unit, cells) => {
    const goal = { what: 'x', atMost: 0.36, measured, ...(unit === undefined ? {} : { unit }) };
    expect(goalTable([goal]).rows).toEqual([['x', ...cells]]);
  });

  it('compares CPU time where both have it, else the clock', () => {
    const timings = new Map<string, Timing>([
      ['a', { wall: spread(9), cpu: spread(1) }],
      ['b', { wall: spread(10), cpu: spread(4) }],
      ['c', { wall: spread(18) }],
    ]);
    expect(ratioGoal('x', timings, ['a', 'b'], 1)).toEqual([{ what: 'x', atMost: 1, measured: 0.25 }]);
    expect(ratioGoal('x', timings, ['a', 'c'], 1)).toEqual([{ what: 'x', atMost: 1, measured: 0.5 }]);
    expect(ratioGoal('x', timings, ['a', 'd'], 1)).toEqual([]);
  });
});
