/** Pictures as a TensorFlow.js tensor, with the border that the plan wants around them. */
import * as tf from '@tensorflow/tfjs-core';
import type { Padding, Plan } from '../plan.ts';

/**
 * @param pixels count × height × width × channels bytes.
 * @returns [count, height + top + bottom, width + left + right, channels], 0 to 255, the border holding padValue.
 */
export function inputTensor(
  pixels: Uint8Array | Float32Array,
  count: number,
  { height, width, channels, padValue }: Plan['input'],
  [top, bottom, left, right]: Padding,
): tf.Tensor4D {
  const paddedHeight = height + top + bottom;
  const paddedWidth = width + left + right;
  const rowLength = paddedWidth * channels;
  const values = new Float32Array(count * paddedHeight * rowLength);
  if (top + bottom + left + right > 0) fillWith(values, padValue);
  for (let picture = 0; picture < count; picture++) {
    for (let y = 0; y < height; y++) {
      const from = (picture * height + y) * width * channels;
      const to = (picture * paddedHeight + y + top) * rowLength + left * channels;
      values.set(pixels.subarray(from, from + width * channels), to);
    }
  }
  return tf.tensor4d(values, [count, paddedHeight, paddedWidth, channels]);
}

function fillWith(values: Float32Array, pixel: readonly number[]): void {
  values.set(pixel);
  // Doubling copies: far faster than a loop over the pixels.
  for (let filled = pixel.length; filled < values.length; filled *= 2) values.copyWithin(filled, 0, filled);
}
