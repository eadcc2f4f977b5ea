/**
 * The numbers of an 8-bit model as other runtimes want it: activations by the ranges that the backbone's weights carry,
 * symmetric weights by channel, biases in 32 bits. Every step has 8 bits, those included that our engine runs on 16.
 */
import type { Range } from '../../src/backbone/ranges.ts';
import type { Convolution } from '../../src/export/walk.ts';

/** real = scale · (integer − zero), the integer unsigned. */
export interface Affine {
  readonly scale: number;
  readonly zero: number;
}

interface EightBitLayer {
  /** In the layout of the kernel that was given. */
  readonly weights: Int8Array;
  /** One for each output channel. */
  readonly weightScales: Float32Array;
  readonly bias: Int32Array;
  readonly biasScales: Float32Array;
}

const LARGEST_WEIGHT = 127;

/** All 256 steps over the range. */
export function affineOf({ low, high }: Range): Affine {
  const scale = (high - low) / 255;
  return { scale, zero: Math.round((0 - low) / scale) };
}

/** Pixels are integers already; their zero is what padding holds. @throws Error where channels differ in it. */
export function affineOfPixels(padValue: readonly number[]): Affine {
  if (padValue.some((value) => value !== padValue[0]))
    throw new Error('8-bit pixels have one zero for all channels; this backbone pads them differently.');
  return { scale: 1, zero: padValue[0] };
}

/**
 * @param kernel the layer's weights in the runtime's own layout. @param channelOf output channel of each weight.
 * @param inputScale of what the layer reads.
 */
export function eightBitLayer(
  { bias }: Convolution,
  kernel: Float32Array,
  channelOf: (index: number) => number,
  inputScale: number,
): EightBitLayer {
  const largest = new Float32Array(bias.length);
  for (const [i, weight] of kernel.entries()) {
    const channel = channelOf(i);
    largest[channel] = Math.max(largest[channel], Math.abs(weight));
  }
  // A filter of zeros needs a scale all the same.
  const weightScales = largest.map((value) => (value > 0 ? value / LARGEST_WEIGHT : 1));
  const biasScales = weightScales.map((scale) => scale * inputScale);
  return {
    weights: Int8Array.from(kernel, (weight, i) => Math.round(weight / weightScales[channelOf(i)])),
    weightScales,
    bias: Int32Array.from(bias, (value, channel) => Math.round(value / biasScales[channel])),
    biasScales,
  };
}
