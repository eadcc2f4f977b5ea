import type { Codes } from '../integer/codes.ts';
import { rounding } from '../integer/constants.ts';
import type { FeatureMap } from '../map.ts';
import type { Step } from '../program.ts';
import { twoMaps } from './elementwise.ts';

/** output = input + other, maps of 8-bit codes. @param codes what each of the three stands for. */
export function add8(
  [input, other, output]: readonly [FeatureMap, FeatureMap, FeatureMap],
  codes: readonly [input: Codes, other: Codes, output: Codes],
): Step {
  const [a, b, sum] = codes;
  const factors = [a.unit / sum.unit, b.unit / sum.unit];
  return (program) => {
    const addends = program.constant(16, (floats, integers) => {
      floats.set(factors);
      integers.set([a.zero, b.zero], 2);
    });
    return ['add8', twoMaps(input, other, output), [rounding(program, sum, [0, sum.top]), addends]];
  };
}
