import { FeatureMap } from '../map.ts';
import type { Region, Step } from '../program.ts';
import { PIXEL_BYTES } from '../sizes.ts';

/** output = input × factors, a vector, or input + another map, or input. */
export function elementwise(input: FeatureMap, output: FeatureMap, by?: Region | FeatureMap): Step {
  const [factors, other] = by instanceof FeatureMap ? [undefined, by] : [by, undefined];
  const { height, width } = output.shape;
  return () => [
    'elementwise',
    [input.place(), input.rowBytes, input.blockBytes, factors ?? 0],
    [other?.place() ?? 0, other?.rowBytes ?? 0, other?.blockBytes ?? 0],
    [output.place(), output.rowBytes, output.blockBytes, height, width * PIXEL_BYTES, output.blocks],
  ];
}
