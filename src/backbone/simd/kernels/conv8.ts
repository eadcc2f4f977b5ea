import { convConstants8, rounding, type IntegerStep } from '../integer/constants.ts';
import { blocksOf, type FeatureMap } from '../map.ts';
import type { Program, Region, Step } from '../program.ts';
import { CONV_TILE } from '../sizes.ts';
import { runTable } from './runs.ts';

/**
 * A convolution of 8-bit codes.
 * @param other a map that is added before rounding.
 */
export function conv8(input: FeatureMap, step: IntegerStep, output: FeatureMap, other?: FeatureMap): Step {
  const { filter, ends, bounds } = step;
  return (program) => {
    const [runs, runCount] = runTable(program, input, filter);
    const [pixels, count] = pixelTable(program, input, step, output, other);
    const [weights, tables] = convConstants8(program, step);
    return [
      'conv8',
      [input.region, runs, runCount, 0, pixels, count],
      [output.region, output.blockBytes, blocksOf(filter.outputs), weights, tables],
      [rounding(program, ends.output, bounds, ends.other), other?.region ?? 0, other?.blockBytes ?? 0],
    ];
  };
}

/** As for floats, with the place in the map that is added. */
function pixelTable(
  program: Program,
  input: FeatureMap,
  { filter: { stride, padding } }: IntegerStep,
  output: FeatureMap,
  other: FeatureMap = output,
): [table: Region, count: number] {
  const { height, width } = output.shape;
  const count = Math.max(height * width, CONV_TILE);
  const maps = [input, output, other].map((map) => `${map.offset(0, 0)} ${map.rowBytes}`);
  const name = `pixels of codes ${height} ${width} ${stride} ${padding.join(' ')} ${maps.join(' ')}`;
  const table = program.table(name, count * 3, (integers) => {
    for (let i = 0; i < count; i++) {
      const pixel = Math.min(i, height * width - 1);
      const [y, x] = [Math.floor(pixel / width), pixel % width];
      integers[i * 3] = input.offset(y * stride - padding[0], x * stride - padding[2]);
      integers[i * 3 + 1] = output.offset(y, x);
      integers[i * 3 + 2] = other.offset(y, x);
    }
  });
  return [table, count];
}
