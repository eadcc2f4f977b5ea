/** Pictures and head files that are nearly right, by fixed seeds: `npm run fuzz` draws others. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../fuzz/random.ts';
import { parserPart } from '../../fuzz/parsers.ts';

const CASES = 600;
const SEED = 20_261_201;

/** The first choices of a case. */
function draw(seed: number, number: number): number[] {
  const random = new Random(seed, number);
  return Array.from({ length: 8 }, () => random.below(1000));
}

describe('pictures and head files that are nearly right', () => {
  it(`are read or refused in order: ${CASES} cases`, async () => {
    const part = await parserPart(SEED, false);
    const faults: string[] = [];
    for (let number = 0; number < CASES; number++) {
      const fault = await part.run(number);
      if (fault !== undefined) faults.push(`case ${number}: ${fault.what}`);
    }
    expect(faults).toEqual([]);
  });
});

describe('a case', () => {
  it('is the same for the same seed and number, and another for others', () => {
    expect(draw(1, 2)).toEqual(draw(1, 2));
    const others = [draw(1, 2), draw(1, 3), draw(2, 2), draw(2, 1)].map(String);
    expect(new Set(others).size).toBe(others.length);
  });
});
