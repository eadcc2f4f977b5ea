import type { FeatureMap } from '../map.ts';
import type { Step } from '../program.ts';

/** Fills the padding of a map. @param value four bytes of what it holds. */
export function border(map: FeatureMap, value = 0): Step {
  const [top, bottom, left, right] = map.padding;
  return () => [
    'border',
    [map.region, map.rowBytes, map.planeBytes, map.planes, map.shape.height],
    [top * map.rowBytes, bottom * map.rowBytes, left * map.pixelBytes, right * map.pixelBytes, value],
  ];
}
