import { constants16, rounding, type IntegerStep } from '../integer/constants.ts';
import { blocksOf, type FeatureMap } from '../map.ts';
import { blockedRows } from '../pack.ts';
import type { Step } from '../program.ts';
import { pixelTable } from './filter.ts';
import { runTable } from './runs.ts';

/** A convolution of 16-bit codes. @param output of 16 or of 8 bits. */
export function conv16(input: FeatureMap, step: IntegerStep, output: FeatureMap): Step {
  const { filter, ends, bounds } = step;
  const { height, width, stride, padding, inputs } = filter;
  const rows = blockedRows(height, width, inputs);
  const start = input.offset(-padding[0], -padding[2]);
  const from = { start, row: stride * input.rowBytes, step: stride * input.pixelBytes };
  return (program) => {
    const [runs, runCount] = runTable(program, input, filter);
    const [pixels, count] = pixelTable(program, from, output, output.shape.height);
    const [weights, tables] = constants16(program, step, rows);
    return [
      'conv16',
      [input.region, runs, runCount, 0, pixels, count],
      [output.region, output.blockBytes, blocksOf(filter.outputs), weights, tables],
      [rounding(program, ends.output, bounds), Number(output.bits === 16)],
    ];
  };
}
