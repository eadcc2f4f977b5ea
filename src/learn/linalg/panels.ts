/** Rows that are never held as a whole: they are written out PANEL_COLUMNS features at a time, and multiplied. */
import type { DesignMatrix } from '../ridge/design-matrix.ts';
import { HALF, type Pacer } from '../pacer.ts';
import { copyBlock } from './products.ts';
import { BLOCK_ROWS, PANEL_COLUMNS, WASM_COST, type SymmetricPrimitives } from './primitives.ts';

/** Rows that can be written out a part at a time: DesignMatrix, for example. */
export type Rows = Pick<DesignMatrix, 'examples' | 'codeLength' | 'writeRow'>;

/** Panel column c holds feature begin + c of every example (dual), or every feature of example begin + c (primal). */
export function fillPanel(a: Rows, form: 'dual' | 'primal', begin: number, panel: Float64Array): void {
  if (form === 'dual') {
    for (let i = 0; i < a.examples; i++) a.writeRow(i, begin, PANEL_COLUMNS, panel, i * PANEL_COLUMNS, 1);
    return;
  }
  const end = Math.min(begin + PANEL_COLUMNS, a.examples);
  if (end - begin < PANEL_COLUMNS) panel.fill(0);
  for (let i = begin; i < end; i++) a.writeRow(i, 0, a.codeLength, panel, i - begin, PANEL_COLUMNS);
}

/** A product that is wanted with rows [n × D]. */
export interface WantedProduct {
  /** [count × n] */
  readonly left: Float64Array;
  /** [count × D] room for left · rows. */
  readonly out: Float64Array | Float32Array;
}

/** @param primitives of order n. */
export async function timesRows(
  a: Rows,
  wanted: readonly WantedProduct[],
  primitives: SymmetricPrimitives,
  pacer: Pacer,
): Promise<void> {
  for (let begin = 0; begin < a.codeLength; begin += PANEL_COLUMNS) {
    fillPanel(a, 'dual', begin, primitives.panel);
    if (pacer.due(a.examples * PANEL_COLUMNS * HALF)) await pacer.rest();
    for (const each of wanted) await timesPanel(each, begin, a.codeLength, primitives, pacer);
  }
}

async function timesPanel(
  { left, out }: WantedProduct,
  begin: number,
  d: number,
  primitives: SymmetricPrimitives,
  pacer: Pacer,
): Promise<void> {
  const { order: n, stride, reflectors, products } = primitives;
  const width = Math.min(PANEL_COLUMNS, d - begin);
  const count = left.length / n;
  for (let first = 0; first < count; first += BLOCK_ROWS) {
    const height = Math.min(BLOCK_ROWS, count - first);
    for (let r = 0; r < height; r++)
      reflectors.set(left.subarray((first + r) * n, (first + r + 1) * n), r * stride);
    primitives.timesPanel();
    copyBlock(products, PANEL_COLUMNS, height, width, out, first * d + begin, d);
    if (pacer.due(BLOCK_ROWS * PANEL_COLUMNS * n * WASM_COST)) await pacer.rest();
  }
}
