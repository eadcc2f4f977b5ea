/** Puts weights into the order in which the kernels read them, filled up with zeros to whole blocks. */
import { BLOCK } from './sizes.ts';
import { blocksOf } from './map.ts';

/** Stands for a row of zeros: an input channel that only fills up. */
const ZEROS = -1;

const INT16_MAX = 32_767;

/**
 * The order of a convolution's rows of weights, [kernel height, kernel width, in] flattened, for an input in blocks:
 * [in / 8][kernel height][kernel width][8].
 */
export function blockedRows(kernelHeight: number, kernelWidth: number, channels: number): Int32Array {
  const taps = kernelHeight * kernelWidth;
  const rows = new Int32Array(blocksOf(channels) * taps * BLOCK);
  for (let i = 0; i < rows.length; i++) {
    const tap = Math.floor(i / BLOCK) % taps;
    const channel = Math.floor(i / (BLOCK * taps)) * BLOCK + (i % BLOCK);
    rows[i] = channel < channels ? tap * channels + channel : ZEROS;
  }
  return rows;
}

/**
 * The same for the picture, whose pixels lie side by side: of each kernel row, [kernel width × in], first what fills
 * runs of eight, then the rest of each.
 */
export function pictureRows(kernelHeight: number, rowWords: number): Int32Array {
  const rows = [...Array(kernelHeight * rowWords).keys()];
  const fills = (row: number): boolean => row % rowWords < (rowWords & ~7);
  return Int32Array.from([...rows.filter(fills), ...rows.filter((row) => !fills(row))]);
}

/** Writes weights [rows, outputs] into `target` as [outputs / 8][rows in the given order][8]. */
export function packMatrix(
  target: Float32Array,
  weights: Float32Array,
  rows: Int32Array,
  outputs: number,
): void {
  forEachStretch(rows, outputs, (from, row, first, count) => {
    const to = first * rows.length + row * BLOCK;
    for (let i = 0; i < count; i++) target[to + i] = weights[from + i];
  });
}

/**
 * Writes weights [rows, outputs] into `target` as 16-bit integers, [outputs / 8][rows / 2][8][2], each output in a unit
 * of its own: the smallest with which its sum over any input up to `peak` fits 32 bits.
 * @returns the units, one an output.
 */
export function packMatrix16(
  target: Int16Array,
  weights: Float32Array,
  rows: Int32Array,
  outputs: number,
  peak: number,
): Float32Array {
  const units = weightUnits(weights, outputs, (2 ** 31 - 2 ** 16) / peak - rows.length / 2);
  forEachStretch(rows, outputs, (from, row, first, count) => {
    const to = first * rows.length + (row >> 1) * BLOCK * 2 + (row & 1);
    for (let i = 0; i < count; i++) target[to + i * 2] = Math.round(weights[from + i] / units[first + i]);
  });
  return units;
}

/** @param use is told where `count` weights of one row lie, for which place in the order and from which output on. */
function forEachStretch(
  rows: Int32Array,
  outputs: number,
  use: (from: number, row: number, first: number, count: number) => void,
): void {
  for (let first = 0; first < outputs; first += BLOCK) {
    rows.forEach((row, place) => {
      if (row !== ZEROS) use(row * outputs + first, place, first, Math.min(BLOCK, outputs - first));
    });
  }
}

/** @param mostSum what an output's magnitudes may add up to, in units, rounding apart. */
function weightUnits(weights: Float32Array, outputs: number, mostSum: number): Float32Array {
  const largest = new Float64Array(outputs);
  const sums = new Float64Array(outputs);
  for (let i = 0; i < weights.length; i += outputs) {
    for (let output = 0; output < outputs; output++) {
      const magnitude = Math.abs(weights[i + output]);
      sums[output] += magnitude;
      if (magnitude > largest[output]) largest[output] = magnitude;
    }
  }
  return Float32Array.from(sums, (sum, output) => Math.max(largest[output] / INT16_MAX, sum / mostSum) || 1);
}

/** Writes depthwise weights [taps, channels] into `target` as [channels / 8][2][taps][4]. */
export function packDepthwise(target: Float32Array, weights: Float32Array, channels: number): void {
  const taps = weights.length / channels;
  const half = BLOCK / 2;
  for (let channel = 0; channel < channels; channel++) {
    const to = Math.floor(channel / half) * taps * half + (channel % half);
    for (let tap = 0; tap < taps; tap++) target[to + tap * half] = weights[tap * channels + channel];
  }
}
