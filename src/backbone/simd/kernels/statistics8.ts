import type { Codes } from '../integer/codes.ts';
import type { FeatureMap } from '../map.ts';
import type { Program, Region, Step } from '../program.ts';

/** What is to be known of a map of codes. */
export interface CodeStatistics {
  readonly means?: Region | undefined;
  readonly deviations?: Region | undefined;
  /** Where the means go as codes. */
  readonly pooled?: { readonly map: FeatureMap; readonly codes: Codes } | undefined;
}

export function statistics8(
  input: FeatureMap,
  codes: Codes,
  { means, deviations, pooled }: CodeStatistics,
): Step {
  const { height, width, channels } = input.shape;
  return (program) => [
    'statistics8',
    [input.place(), input.rowBytes, input.blockBytes, height, width, channels],
    [Number(input.bits === 16), numbers(program, codes), means ?? 0, deviations ?? 0],
    [pooled?.map.place() ?? 0, pooled?.map.blockBytes ?? 0],
    [pooled === undefined ? 0 : numbers(program, pooled.codes)],
  ];
}

/** Unit and zero point as doubles, and the least and the greatest code. */
function numbers(program: Program, { unit, zero, top }: Codes): Region {
  return program.shared(`codes ${unit} ${zero} ${top}`, 24, ({ buffer, byteOffset }, integers) => {
    new Float64Array(buffer, byteOffset, 2).set([unit, zero]);
    integers.set([0, top], 4);
  });
}
