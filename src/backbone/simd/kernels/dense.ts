import type { FeatureMap } from '../map.ts';
import { blockedRows } from '../pack.ts';
import type { Step } from '../program.ts';
import { activationOf, bias, matrix, type Filter } from './filter.ts';

/** A fully connected layer between vectors, maps of one pixel. */
export function dense(input: FeatureMap, filter: Filter, output: FeatureMap): Step {
  const rows = blockedRows(1, 1, filter.inputs);
  return (program) => {
    const [weights, weightUnits] = matrix(program, filter, ['blocked', rows], input.bits === 16 ? 16 : 32);
    return [
      'dense',
      [activationOf(filter), input.region, (rows.length * input.bits) / 32],
      [weights, bias(program, filter), output.region, output.blocks],
      [weightUnits, input.bits === 16 ? input.unit : 0],
    ];
  };
}
