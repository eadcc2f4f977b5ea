import type { FeatureMap } from '../map.ts';
import { blockedRows } from '../pack.ts';
import type { Step } from '../program.ts';
import { activationOf, bias, matrix, pixelTable, type Filter } from './filter.ts';
import { runTable } from './runs.ts';

/** A convolution. @param residual a map padded like the output that is added to it. */
export function conv(input: FeatureMap, filter: Filter, output: FeatureMap, residual?: FeatureMap): Step {
  const { height, width, stride, padding } = filter;
  const [row, step] = [stride * input.rowBytes, stride * input.pixelBytes];
  const start = input.offset(-padding[0], -padding[2]);
  const rows = ['blocked', blockedRows(height, width, filter.inputs)] as const;
  return (program) => {
    const [pixels, count] = pixelTable(program, { start, row, step }, output, output.shape.height);
    const [runs, runCount] = runTable(program, input, filter);
    const [weights, weightUnits] = matrix(program, filter, rows, input.bits === 16 ? 16 : 32);
    return [
      'conv',
      [input.region, runs, runCount, 0, pixels, count],
      [output.region, output.blockBytes, output.blocks, weights, bias(program, filter)],
      [activationOf(filter), residual?.region ?? 0, weightUnits, input.bits === 16 ? input.unit : 0],
    ];
  };
}
