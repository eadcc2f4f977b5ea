/** Which backbones a head accepts. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/backbone/plan.ts';
import { assertCompatible, type Head } from '../../../src/head/index.ts';
import { trainHead } from '../../../src/learn/ridge/train.ts';
import { BACKBONE, randomSet } from '../learn/random.ts';
import { refusal } from './refusal.ts';
import { linalg } from '../learn/linalg.ts';

let head: Head;
beforeAll(async () => {
  head = await trainHead(randomSet(1, [12, 9, 11], 24), { linalg });
});

/** The head that reads pictures of another size. */
const atSize = (height: number, width = height): Head => ({ ...head, input: { height, width, rules: 2 } });

describe('assertCompatible', () => {
  const plan: Plan = {
    format: 'headwater-plan/1',
    ...BACKBONE,
    steps: [],
    input: { height: 1, width: 1, channels: 3, padValue: [0, 0, 0] },
    taps: [{ name: 'all', step: 'all', channels: 24 }],
  };

  it('accepts the backbone that the head was trained on and no other', () => {
    expect(() => assertCompatible(head, plan)).not.toThrow();
    const others: Plan[] = [
      { ...plan, weightsSha256: 'cd'.repeat(32) },
      { ...plan, taps: [{ name: 'all', step: 'all', channels: 25 }] },
      { ...plan, taps: [{ name: 'some', step: 'all', channels: 24 }] },
      { ...plan, taps: [{ name: 'all', step: 'all', channels: 24, statistic: 'deviation' }] },
    ];
    for (const other of others) {
      expect(refusal(() => assertCompatible(head, other)).code).toBe('backbone_mismatch');
    }
  });

  it('wants the statistics that the head reads', () => {
    const spread: Head = { ...head, statistics: ['deviation'] };
    expect(() =>
      assertCompatible(spread, {
        ...plan,
        taps: [{ name: 'all', step: 'all', channels: 24, statistic: 'deviation' }],
      }),
    ).not.toThrow();
    const { code, message } = refusal(() => assertCompatible(spread, plan));
    expect(code).toBe('backbone_mismatch');
    expect(message).toContain('reads the deviation of the tap all, but the backbone has its mean');
  });

  it('wants a size at which the backbone is run', () => {
    const sized = { ...plan, input: { ...plan.input, height: 224, width: 224, sides: [128, 160] } };
    for (const size of [224, 160, 128]) expect(() => assertCompatible(atSize(size), sized)).not.toThrow();
    for (const other of [atSize(192), atSize(160, 128), atSize(1)]) {
      const { code, message } = refusal(() => assertCompatible(other, sized));
      expect(code).toBe('backbone_mismatch');
      expect(message).toContain('is run at 224×224, 128×128, 160×160');
    }
  });
});
