/** Products of matrices that are too large for one go. */
import type { Pacer } from '../pacer.ts';
import { PANEL_COLUMNS, WASM_COST, type SymmetricPrimitives } from './primitives.ts';

/** Rows that one step takes on. */
const STEP_ROWS = 8;

/**
 * @param rows [count × m], m the primitives' order; quickest where it is in their memory.
 * @param vectors [columns × m]
 * @param out room for what is found.
 * @param isTransposed whether vectors · rowsᵀ, [columns × count], is wanted.
 * @returns [count × columns] rows · vectorsᵀ
 */
export async function rowsTimesVectors(
  primitives: SymmetricPrimitives,
  rows: Float64Array | Float32Array,
  count: number,
  vectors: Float64Array,
  columns: number,
  pacer: Pacer,
  out: Float64Array = new Float64Array(count * columns),
  isTransposed = false,
): Promise<Float64Array> {
  const { order: m, panel, products } = primitives;
  const [rowStep, columnStep] = isTransposed ? [1, count] : [columns, 1];
  for (let c = 0; c < columns; c += PANEL_COLUMNS) {
    const width = Math.min(PANEL_COLUMNS, columns - c);
    panel.set(vectors.subarray(c * m, (c + width) * m));
    for (let i = 0; i < count; i += STEP_ROWS) {
      const height = Math.min(STEP_ROWS, count - i);
      primitives.timesVectors(rows, i, height, width);
      const at = i * rowStep + c * columnStep;
      copyBlock(products, PANEL_COLUMNS, height, width, out, at, rowStep, columnStep);
      if (pacer.due(height * width * m * WASM_COST)) await pacer.rest();
    }
  }
  return out;
}
/** Copies the first rows and columns of a matrix, whose rows are `stride` numbers apart, to out[at …], where both are as far apart as said. */
export function copyBlock(
  from: Float64Array,
  stride: number,
  rows: number,
  columns: number,
  out: Float64Array | Float32Array,
  at: number,
  rowStep: number,
  columnStep = 1,
): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[at + r * rowStep + c * columnStep] = from[r * stride + c];
  }
}
