import { depthwiseConstants8, repeated, type IntegerStep } from '../integer/constants.ts';
import { tapsTogether } from '../integer/pack.ts';
import { blocksOf, type FeatureMap } from '../map.ts';
import type { Step } from '../program.ts';

/** A depthwise convolution of 8-bit codes. @param relaxed whether it runs on the build with relaxed SIMD, for which weights lie otherwise. */
export function depthwise8(input: FeatureMap, step: IntegerStep, output: FeatureMap, relaxed: boolean): Step {
  const { filter, bounds } = step;
  const { height, width, stride, padding } = filter;
  const together = relaxed ? 2 : 1;
  const rows = tapsTogether(height, width, together);
  return (program) => {
    const [weights, tables] = depthwiseConstants8(program, step, rows, together);
    return [
      'depthwise8',
      [input.place(-padding[0], -padding[2]), input.rowBytes, input.blockBytes],
      [stride, height, width, weights, tables],
      [output.place(), output.rowBytes, output.blockBytes],
      [output.shape.height, output.shape.width, blocksOf(filter.outputs)],
      bounds.map((code) => repeated(code, 8)),
    ];
  };
}
