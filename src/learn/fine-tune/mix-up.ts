/**
 * Mixes pictures and their target probabilities in the same shares (Zhang et al. 2018). Between two pictures the network
 * should predict in between, which keeps it from memorising single pictures.
 */
import type { Random } from '../../random.ts';

/**
 * Each picture with the next one, the last with the first.
 * @param pixels count pictures. @param wanted count × C.
 * @param most the largest share that the other picture gets.
 */
export function mixUp(
  pixels: Uint8Array,
  wanted: Float32Array,
  count: number,
  most: number,
  random: Random,
): { pixels: Uint8Array; wanted: Float32Array } {
  const mixed = { pixels: new Uint8Array(pixels.length), wanted: new Float32Array(wanted.length) };
  const [size, classes] = [pixels.length / count, wanted.length / count];
  for (let place = 0; place < count; place++) {
    const share = most * random();
    const next = (place + 1) % count;
    blend(mixed.pixels, pixels, place * size, next * size, size, share, 0.5);
    blend(mixed.wanted, wanted, place * classes, next * classes, classes, share, 0);
  }
  return mixed;
}

/** @param rounding ½ where the numbers are cut to whole ones. */
function blend(
  out: Uint8Array | Float32Array,
  values: Uint8Array | Float32Array,
  first: number,
  second: number,
  length: number,
  share: number,
  rounding: number,
): void {
  for (let i = 0; i < length; i++) {
    out[first + i] = (1 - share) * values[first + i] + share * values[second + i] + rounding;
  }
}
