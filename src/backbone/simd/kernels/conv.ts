import type { FeatureMap } from '../map.ts';
import { blockedRows } from '../pack.ts';
import type { Step } from '../program.ts';
import { bias, matrix, pixelTable, type Filter } from './filter.ts';

/** A convolution. @param residual a map padded like the output that is added to it. */
export function conv(input: FeatureMap, filter: Filter, output: FeatureMap, residual?: FeatureMap): Step {
  const { height, width, stride, padding } = filter;
  const [row, step] = [stride * input.rowBytes, stride * input.pixelBytes];
  const start = input.offset(-padding[0], -padding[2]);
  const runs = [...Array(input.blocks * height * width).keys()].map((i) => {
    const [block, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    return block * input.blockBytes + y * input.rowBytes + x * input.pixelBytes;
  });
  const rows = ['blocked', blockedRows(height, width, filter.inputs)] as const;
  return (program) => {
    const [pixels, count] = pixelTable(program, { start, row, step }, output, output.shape.height);
    const table = program.table(`runs ${runs.join(' ')}`, runs.length, (integers) => integers.set(runs));
    const [weights, weightUnits] = matrix(program, filter, rows, input.bits);
    return [
      'conv',
      [filter.activation, input.region, table, runs.length, 0],
      [pixels, count, weights, bias(program, filter), output.region, output.blockBytes, output.blocks],
      [residual?.region ?? 0, weightUnits, input.bits === 16 ? input.unit : 0],
    ];
  };
}
