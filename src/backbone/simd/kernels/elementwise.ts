import { FeatureMap } from '../map.ts';
import type { Region, Step, Word } from '../program.ts';

/** output = input × factors, a vector, or input + another map, or input. */
export function elementwise(input: FeatureMap, output: FeatureMap, by?: Region | FeatureMap): Step {
  const [factors, other] = by instanceof FeatureMap ? [undefined, by] : [by, undefined];
  return () => ['elementwise', twoMaps(input, other, output), [factors ?? 0]];
}

/** The words of a TwoMaps. */
export function twoMaps(input: FeatureMap, other: FeatureMap | undefined, output: FeatureMap): Word[] {
  const size = [output.shape.height, output.shape.width * output.pixelBytes, output.blocks];
  return [...layout(input), ...(other === undefined ? [0, 0, 0] : layout(other)), ...layout(output), ...size];
}

function layout(map: FeatureMap): Word[] {
  return [map.place(), map.rowBytes, map.blockBytes];
}
