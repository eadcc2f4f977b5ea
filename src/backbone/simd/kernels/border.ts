import type { FeatureMap } from '../map.ts';
import type { Step } from '../program.ts';
import { PIXEL_BYTES } from '../sizes.ts';

/** Clears the padding of a map. */
export function border(map: FeatureMap): Step {
  const [top, bottom, left, right] = map.padding;
  return () => [
    'border',
    [map.region, map.rowBytes, map.planeBytes, map.planes, map.shape.height],
    [top * map.rowBytes, bottom * map.rowBytes, left * PIXEL_BYTES, right * PIXEL_BYTES],
  ];
}
