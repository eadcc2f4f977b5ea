import type { FeatureMap } from '../map.ts';
import type { Step } from '../program.ts';
import { conv } from './conv.ts';
import { depthwise } from './depthwise.ts';
import type { Filter } from './filter.ts';
import { statistics, type Statistics } from './statistics.ts';

/**
 * A convolution and the depthwise one that reads it.
 * @param between a map that shares one plane among its blocks.
 * @param about what to find out of the output on the way.
 */
export function blockwise(
  [input, filter]: [FeatureMap, Filter],
  [between, depthwiseFilter]: [FeatureMap, Filter],
  output: FeatureMap,
  about?: Statistics,
): Step {
  return (program) => {
    const first = program.nested(conv(input, filter, between));
    const second = program.nested(depthwise(between, depthwiseFilter, output));
    const third = about === undefined ? 0 : program.nested(statistics(output, about));
    return ['blockwise', [first, second, third]];
  };
}
