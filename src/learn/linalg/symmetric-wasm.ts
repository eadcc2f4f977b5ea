/**
 * The primitives of symmetric.ts on WebAssembly SIMD (linalg.as.ts). Memory is laid out and taken once; it goes when
 * the primitives go, since a WebAssembly memory cannot shrink.
 */
import { BLOCK_ROWS, PANEL_COLUMNS, type SymmetricPrimitives } from './symmetric.ts';

interface LinalgExports {
  addPanel(matrix: number, stride: number, panel: number, m: number, begin: number, end: number): void;
  updateAndMultiply(
    ...addresses: [
      ...[matrix: number, stride: number, from: number, begin: number, end: number],
      ...[v: number, w: number, x: number, out: number],
    ]
  ): void;
  multiplyRows(
    ...addresses: [
      ...[matrix: number, stride: number, m: number, rows: number, rowStride: number, count: number],
      ...[begin: number, end: number, out: number, outStride: number, work: number],
    ]
  ): void;
  timesVectors(
    ...addresses: [rows: number, count: number, vectors: number, columns: number, length: number, out: number]
  ): void;
  applyReflectors(
    ...addresses: [
      ...[matrix: number, stride: number, m: number, reflectors: number, triangle: number, count: number],
      ...[rowBegin: number, begin: number, end: number, work: number],
    ]
  ): void;
}

const PAGE_BYTES = 65_536;
/** The module's own constants lie below. */
const FIRST_ADDRESS = PAGE_BYTES;
/** At least this much faster than plain JavaScript. */
export const WASM_COST = 1 / 4;
/** Columns that the module's innermost loops take at once. */
const STRIDE_MULTIPLE = 8;

/**
 * @param order m, at least 1.
 * @param module compiled from linalg.as.ts.
 */
export function wasmPrimitives(order: number, module: WebAssembly.Module): SymmetricPrimitives {
  const { stride, sizes, pages } = layOut(order);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const exports = instantiate(module, memory);
  let next = FIRST_ADDRESS;
  const take = (size: number): Float64Array => {
    const array = new Float64Array(memory.buffer, next, size);
    next += size * Float64Array.BYTES_PER_ELEMENT;
    return array;
  };
  const [matrix, panel, v, w, x, product, reflectors, triangle, rotated, products, work] =
    Object.values(sizes).map(take);
  const arrays = { matrix, panel, v, w, x, product, reflectors, triangle, rotated, products };
  const multiplyReflectors = (
    by: Float64Array,
    width: number,
    begin: number,
    end: number,
    out: Float64Array,
  ) =>
    exports.multiplyRows(
      ...([by.byteOffset, width, order, reflectors.byteOffset, stride, BLOCK_ROWS] as const),
      ...([begin, end, out.byteOffset, width, work.byteOffset] as const),
    );
  return {
    order,
    cost: WASM_COST,
    stride,
    ...arrays,
    addPanel: (begin, end) =>
      exports.addPanel(matrix.byteOffset, stride, panel.byteOffset, order, begin, end),
    updateAndMultiply: (from, begin, end) => {
      const [vAt, wAt, xAt, out] = [v.byteOffset, w.byteOffset, x.byteOffset, product.byteOffset];
      exports.updateAndMultiply(matrix.byteOffset, stride, from, begin, end, vAt, wAt, xAt, out);
    },
    applyReflectors: (row, begin, end) => {
      const [v, t, room] = [reflectors.byteOffset, triangle.byteOffset, work.byteOffset];
      exports.applyReflectors(matrix.byteOffset, stride, order, v, t, BLOCK_ROWS, row, begin, end, room);
    },
    multiplyRows: (begin, end) => multiplyReflectors(matrix, stride, begin, end, rotated),
    timesPanel: (begin, end) => multiplyReflectors(panel, PANEL_COLUMNS, begin, end, products),
    timesVectors(rows, first, count, columns) {
      let at = rows.byteOffset + first * order * Float64Array.BYTES_PER_ELEMENT;
      if (rows.buffer !== memory.buffer) {
        reflectors.set(rows.subarray(first * order, (first + count) * order));
        at = reflectors.byteOffset;
      }
      exports.timesVectors(at, count, panel.byteOffset, columns, order, products.byteOffset);
    },
  };
}

/** Bytes of memory that primitives of an order take. */
export function wasmBytes(order: number): number {
  return layOut(order).pages * PAGE_BYTES;
}

/** Numbers of each array, in the order in which they lie, and pages for all of them. */
function layOut(order: number) {
  const stride = Math.ceil(order / STRIDE_MULTIPLE) * STRIDE_MULTIPLE;
  const sizes = {
    matrix: order * stride,
    panel: order * PANEL_COLUMNS,
    v: stride,
    w: stride,
    x: stride,
    product: stride,
    reflectors: BLOCK_ROWS * stride,
    triangle: BLOCK_ROWS * BLOCK_ROWS,
    rotated: BLOCK_ROWS * stride,
    products: BLOCK_ROWS * PANEL_COLUMNS,
    work: 2 * BLOCK_ROWS * STRIDE_MULTIPLE,
  };
  const numbers = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  const pages = Math.ceil((FIRST_ADDRESS + numbers * Float64Array.BYTES_PER_ELEMENT) / PAGE_BYTES);
  return { stride, sizes, pages };
}

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): LinalgExports {
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort: () => {} } });
  if (!isLinalg(exports))
    throw new TypeError('The module handed in is not src/learn/linalg/linalg.as.ts, compiled.');
  return exports;
}

function isLinalg(exports: object): exports is LinalgExports {
  return ['addPanel', 'updateAndMultiply', 'applyReflectors', 'multiplyRows', 'timesVectors'].every(
    (name) => name in exports,
  );
}
