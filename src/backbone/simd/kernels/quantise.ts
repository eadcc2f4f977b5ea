import type { FeatureMap } from '../map.ts';
import type { Region, Step } from '../program.ts';

/**
 * Turns a map into one of 16 bits.
 * @param peaks a vector of the largest magnitudes, signs apart.
 * @param factors a vector to multiply the map by, none of them negative.
 */
export function quantise(input: FeatureMap, output: FeatureMap, peaks: Region, factors?: Region): Step {
  const words = [input.region, input.planeBytes, input.blocks, factors ?? 0, peaks];
  return () => ['quantise', words, [output.region, output.unit]];
}
