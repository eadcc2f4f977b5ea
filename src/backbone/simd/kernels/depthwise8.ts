import { depthwiseConstants8, repeated, type IntegerStep } from '../integer/constants.ts';
import { tapsTogether } from '../integer/pack.ts';
import type { FeatureMap } from '../map.ts';
import type { Step } from '../program.ts';
import { depthwiseWords } from './filter.ts';

/** A depthwise convolution of 8-bit codes. @param relaxed whether it runs on the build with relaxed SIMD, for which weights lie otherwise. */
export function depthwise8(input: FeatureMap, step: IntegerStep, output: FeatureMap, relaxed: boolean): Step {
  const { filter, bounds } = step;
  const { height, width } = filter;
  const together = relaxed ? 2 : 1;
  const rows = tapsTogether(height, width, together);
  return (program) => {
    const [weights, tables] = depthwiseConstants8(program, step, rows, together);
    return [
      'depthwise8',
      depthwiseWords(input, filter, output),
      [weights, height, width, tables],
      bounds.map((code) => repeated(code, 8)),
    ];
  };
}
