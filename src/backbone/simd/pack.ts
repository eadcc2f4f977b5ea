/** Puts weights into the order in which the kernels read them, filled up with zeros to whole blocks. */
import { BLOCK } from './sizes.ts';
import { blocksOf } from './map.ts';

/** Stands for a row of zeros: an input channel that only fills up. */
export const ZEROS = -1;

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

// Plain loops, for there are a million weights: with a callback for each stretch an isolate starts milliseconds later.

/** Writes weights [rows, outputs] into `target` as [outputs / 8][rows in the given order][8]. */
export function packMatrix(
  target: Float32Array,
  weights: Float32Array,
  rows: Int32Array,
  outputs: number,
): void {
  for (let place = 0; place < rows.length; place++) {
    if (rows[place] === ZEROS) continue;
    const from = rows[place] * outputs;
    for (let output = 0; output < outputs; output++) {
      const within = output % BLOCK;
      target[(output - within) * rows.length + place * BLOCK + within] = weights[from + output];
    }
  }
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
  for (let place = 0; place < rows.length; place++) {
    if (rows[place] === ZEROS) continue;
    const from = rows[place] * outputs;
    const to = (place >> 1) * BLOCK * 2 + (place & 1);
    for (let output = 0; output < outputs; output++) {
      const within = output % BLOCK;
      const at = (output - within) * rows.length + to + within * 2;
      target[at] = Math.round(weights[from + output] / units[output]);
    }
  }
  return units;
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
  for (let tap = 0; tap < taps; tap++) {
    for (let channel = 0; channel < channels; channel++) {
      const within = channel % half;
      target[(channel - within) * taps + tap * half + within] = weights[tap * channels + channel];
    }
  }
}
