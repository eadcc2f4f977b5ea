/** Products of matrices that are too large for one go. */
import type { Pacer } from './pacer.ts';
import { PANEL_COLUMNS, type SymmetricPrimitives } from './symmetric.ts';

/** Rows that one step takes on. */
const STEP_ROWS = 8;

/**
 * @param rows [count × m], m the primitives' order; quickest where it is in their memory.
 * @param vectors [columns × m]
 * @returns [count × columns] rows · vectorsᵀ
 */
export async function rowsTimesVectors(
  primitives: SymmetricPrimitives,
  rows: Float64Array | Float32Array,
  count: number,
  vectors: Float64Array,
  columns: number,
  pacer: Pacer,
): Promise<Float64Array> {
  const { order: m, panel, products, cost } = primitives;
  const out = new Float64Array(count * columns);
  for (let c = 0; c < columns; c += PANEL_COLUMNS) {
    const width = Math.min(PANEL_COLUMNS, columns - c);
    panel.set(vectors.subarray(c * m, (c + width) * m));
    for (let i = 0; i < count; i += STEP_ROWS) {
      const height = Math.min(STEP_ROWS, count - i);
      primitives.timesVectors(rows, i, height, width);
      copyBlock(products, PANEL_COLUMNS, height, width, out, i * columns + c, columns);
      if (pacer.due(height * width * m * cost)) await pacer.rest();
    }
  }
  return out;
}

/** Copies the first rows and columns of a matrix, whose rows are `stride` numbers apart, to out[at …]. */
export function copyBlock(
  from: Float64Array,
  stride: number,
  rows: number,
  columns: number,
  out: Float64Array,
  at: number,
  outStride: number,
): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[at + r * outStride + c] = from[r * stride + c];
  }
}

/** @param matrix [rows × columns] @returns [columns × rows] */
export function transpose(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j];
  return out;
}
