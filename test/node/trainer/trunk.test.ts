/** Tails are trained on the maps of the engine that answers. */
import { describe, expect, test } from 'vitest';
import { backboneAt, cutPlaces, WHOLE } from '../../../src/backbone/index.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { loadTrunk } from '../../../trainer/runtime.ts';
import { randomPixels } from '../backbone/random.ts';
import { BUILDS } from '../backbone/simd-support.ts';
import { smallNetwork } from '../backbone/small-network.ts';

describe('the trunk that a tail is trained behind', () => {
  test('gives the bits of the map that the tail will read, for every cut and size', async () => {
    const backbone = smallNetwork(4);
    const deployed = createSimdEngine(backbone, BUILDS['relaxed'], { bits: 32 });
    for (const side of [48, 64]) {
      const size = { height: side, width: side };
      const pixels = randomPixels(side, side * side * 3);
      for (const from of cutPlaces(backbone.plan).filter((place) => place !== WHOLE)) {
        const trunk = await loadTrunk(backboneAt(backbone, size), from);
        const map = trunk.codesAndMaps(pixels, [from]).maps.get(from);
        expect(map, from).toEqual(deployed.codesAndMaps(pixels, [from], size).maps.get(from));
      }
    }
  });
});
