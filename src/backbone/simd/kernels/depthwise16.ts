import { constants16, rounding, type IntegerStep } from '../integer/constants.ts';
import { filledUp } from '../integer/pack.ts';
import type { FeatureMap } from '../map.ts';
import type { Step } from '../program.ts';
import { depthwiseWords } from './filter.ts';

/** A depthwise convolution of 16-bit codes. @param output of 16 or of 8 bits. */
export function depthwise16(input: FeatureMap, step: IntegerStep, output: FeatureMap): Step {
  const { filter, ends, bounds } = step;
  const { height, width } = filter;
  const rows = filledUp(height * width, 2);
  // The tap that only fills a pair up has no weight and reads what the first one does.
  const offsets = [...rows].map((tap) =>
    tap < 0 ? 0 : Math.floor(tap / width) * input.rowBytes + (tap % width) * input.pixelBytes,
  );
  return (program) => {
    const table = program.table(`taps ${offsets.join(' ')}`, offsets.length, (integers) =>
      integers.set(offsets),
    );
    const [weights, tables] = constants16(program, step, rows);
    return [
      'depthwise16',
      depthwiseWords(input, filter, output),
      [weights, tables, table, offsets.length / 2],
      [rounding(program, ends.output, bounds), Number(output.bits === 16)],
    ];
  };
}
