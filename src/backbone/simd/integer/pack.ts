/** Puts integer weights into the order in which the kernels read them, filled up with zeros to whole blocks. */
import { BLOCK } from '../sizes.ts';
import { ZEROS } from '../pack.ts';

/**
 * Writes weights [rows, outputs] into `target` as [outputs / 8][rows in the given order / word][8][word].
 * @param word rows that lie side by side.
 */
export function packWords(
  target: Int8Array | Int16Array,
  weights: Int8Array | Int16Array,
  rows: Int32Array,
  outputs: number,
  word: number,
): void {
  for (let place = 0; place < rows.length; place++) {
    if (rows[place] === ZEROS) continue;
    const from = rows[place] * outputs;
    const within = place % word;
    const to = (place - within) * BLOCK + within;
    for (let output = 0; output < outputs; output++) {
      const lane = output % BLOCK;
      target[(output - lane) * rows.length + to + lane * word] = weights[from + output];
    }
  }
}

/**
 * The order of a depthwise kernel's taps so that those of `together` rows lie side by side: [height / together][width]
 * [together]; rows beyond the kernel are zeros.
 */
export function tapsTogether(height: number, width: number, together: number): Int32Array {
  const order = new Int32Array(Math.ceil(height / together) * together * width);
  for (let i = 0; i < order.length; i++) {
    const [row, column] = [i % together, Math.floor(i / together) % width];
    const y = Math.floor(i / (together * width)) * together + row;
    order[i] = y < height ? y * width + column : ZEROS;
  }
  return order;
}

/** The order of all taps, filled up to a multiple of `word`. */
export function filledUp(count: number, word: number): Int32Array {
  return Int32Array.from({ length: Math.ceil(count / word) * word }, (_, i) => (i < count ? i : ZEROS));
}

/** The same for the picture, [kernel width × in] of each kernel row: first what fills runs of eight, then the rest in pairs. */
export function pairedPictureRows(kernelHeight: number, rowLength: number): Int32Array {
  const filled = Math.ceil(rowLength / 2) * 2;
  const inRuns = rowLength & ~7;
  const rows: number[] = [];
  for (const [from, to] of [
    [0, inRuns],
    [inRuns, filled],
  ]) {
    for (let y = 0; y < kernelHeight; y++) {
      for (let i = from; i < to; i++) rows.push(i < rowLength ? y * rowLength + i : ZEROS);
    }
  }
  return Int32Array.from(rows);
}
