/** Feature maps between the host's order, channels last, and the machine's, in blocks of eight channels. */
import type { FeatureMap } from './map.ts';
import { BLOCK } from './sizes.ts';

/** @param values height × width × channels numbers, to be filled with what the map holds. */
export function readMap(map: FeatureMap, memory: Float32Array, values: Float32Array): void {
  eachRun(map, (at, from, count) => {
    for (let i = 0; i < count; i++) values[from + i] = memory[at + i];
  });
}

/** @param values height × width × channels numbers. Channels that only fill a block up become zero. */
export function writeMap(map: FeatureMap, memory: Float32Array, values: ArrayLike<number>): void {
  eachRun(map, (at, from, count) => {
    for (let i = 0; i < BLOCK; i++) memory[at + i] = i < count ? values[from + i] : 0;
  });
}

/**
 * Calls back for the channels of each pixel that lie beside each other in both orders.
 * @param visit with their index in the machine's memory and in the host's values, both in numbers, and how many they are.
 */
function eachRun(map: FeatureMap, visit: (at: number, from: number, count: number) => void): void {
  const { height, width, channels } = map.shape;
  for (let first = 0; first < channels; first += BLOCK) {
    const plane = map.region.address + (first / BLOCK) * map.blockBytes;
    const count = Math.min(BLOCK, channels - first);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        visit((plane + map.offset(y, x)) / 4, (y * width + x) * channels + first, count);
      }
    }
  }
}
