import type { FeatureMap } from '../map.ts';
import type { Region, Step } from '../program.ts';

/** What there is to know of a map. */
export interface Statistics {
  /** The mean over space, a map of one pixel. */
  readonly means: FeatureMap;
  /** A vector of the standard deviations over space, where wanted. */
  readonly deviations: Region | undefined;
  /** A vector of the largest magnitudes, where wanted. */
  readonly peaks: Region | undefined;
}

export function statistics(input: FeatureMap, { means, deviations, peaks }: Statistics): Step {
  const { height, width } = input.shape;
  const words = [input.place(), input.rowBytes, input.blockBytes, height, width, input.blocks];
  return () => ['statistics', words, [means.region, peaks ?? 0, deviations ?? 0]];
}
