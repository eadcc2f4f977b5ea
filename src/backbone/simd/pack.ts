/** Puts weights into the order in which the kernels read them, filled up with zeros to whole blocks. */
import { BLOCK } from '../../wasm/engine/codes.ts';
import { blocksOf } from './map.ts';

/** Stands for a row of zeros: an input channel that only fills up a block. */
const ZEROS = -1;

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

/** Writes weights [rows, outputs] into `target` as [outputs / 8][rows in the given order][8]. */
export function packMatrix(
  target: Float32Array,
  weights: Float32Array,
  rows: Int32Array,
  outputs: number,
): void {
  let to = 0;
  for (let first = 0; first < outputs; first += BLOCK) {
    const count = Math.min(BLOCK, outputs - first);
    for (const row of rows) {
      if (row !== ZEROS) {
        const from = row * outputs + first;
        for (let i = 0; i < count; i++) target[to + i] = weights[from + i];
      }
      to += BLOCK;
    }
  }
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
