/** Maps of codes as numbers. */
import type { FeatureMap } from '../map.ts';
import type { Codes } from './codes.ts';

/** @param values height × width × channels numbers, to be filled with what the map's codes stand for. */
export function readCodes(
  map: FeatureMap,
  { unit, zero }: Codes,
  buffer: ArrayBuffer,
  values: Float32Array,
): void {
  const { height, width, channels } = map.shape;
  const numbers = map.bits === 16 ? new Int16Array(buffer) : new Uint8Array(buffer);
  for (let first = 0; first < channels; first += map.block) {
    const plane = map.region.address + (first / map.block) * map.blockBytes;
    const count = Math.min(map.block, channels - first);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (plane + map.offset(y, x)) / numbers.BYTES_PER_ELEMENT;
        const to = (y * width + x) * channels + first;
        for (let i = 0; i < count; i++) values[to + i] = (numbers[at + i] - zero) * unit;
      }
    }
  }
}
