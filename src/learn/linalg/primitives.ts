/**
 * The loops of symmetric.ts and products.ts that take the time, on WebAssembly SIMD (linalg.as.ts). Memory is laid out and
 * taken once; it goes when the primitives go, since a WebAssembly memory cannot shrink.
 */

/** Columns of a panel: features (dual) or examples (primal) that are added to K at once. As in linalg.as.ts. */
export const PANEL_COLUMNS = 64;
/** Rows of K that one step of a sum takes on, and reflectors that one block of the back-transformation holds. */
export const BLOCK_ROWS = 32;
/** How long a multiply-add of these loops takes at most, in those of plain JavaScript: see pacer.ts. */
export const WASM_COST = 1 / 4;

const PAGE_BYTES = 65_536;
/** The module's own constants lie below. */
const FIRST_ADDRESS = PAGE_BYTES;
/** Columns that the module's innermost loops take at once. */
const STRIDE_MULTIPLE = 8;

const FUNCTIONS = [
  'addPanel',
  'updateAndMultiply',
  'applyReflectors',
  'multiplyRows',
  'timesVectors',
] as const;
/** Their parameters: linalg.as.ts. */
type LinalgExports = Record<(typeof FUNCTIONS)[number], (...numbers: number[]) => void>;

/** Memory and the loops over it. Vectors have `stride` entries, of which the first `order` are used. */
export type SymmetricPrimitives = ReturnType<typeof symmetricPrimitives>;

/**
 * @param order m of the matrix K, at least 1.
 * @param module compiled from linalg.as.ts.
 */
export function symmetricPrimitives(order: number, module: WebAssembly.Module) {
  const { stride, sizes, pages } = layOut(order);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const exports = instantiate(module, memory);
  let next = FIRST_ADDRESS;
  const take = (size: number): Float64Array => {
    const array = new Float64Array(memory.buffer, next, size);
    next += size * Float64Array.BYTES_PER_ELEMENT;
    return array;
  };
  const taken = Object.values(sizes).map(take);
  const [matrix, panel, v, w, x, product, reflectors, triangle, rotated, products] = taken;
  const [k, p, vAt, wAt, xAt, productAt, r, t, rotatedAt, productsAt, work] = taken.map(
    ({ byteOffset }) => byteOffset,
  );
  const arrays = { matrix, panel, v, w, x, product, reflectors, triangle, rotated, products };
  /** Reflectors, as the left factor of a product. */
  const left = [r, stride, BLOCK_ROWS];
  return {
    order,
    stride,
    ...arrays,
    /** K += P·Pᵀ, lower triangle of rows [begin, end). What is above the diagonal may change as well. */
    addPanel(begin: number, end: number): void {
      exports.addPanel(k, stride, p, order, begin, end);
    },
    /**
     * Applies the rank-two update to rows [begin, end) of the lower triangle from column `from` on, and adds what they
     * contribute to product = K·x of the result. A number of rows that is no multiple of four only where `begin` is `from`.
     */
    updateAndMultiply(from: number, begin: number, end: number): void {
      exports.updateAndMultiply(k, stride, from, begin, end, vAt, wAt, xAt, productAt);
    },
    /** Applies the block reflector to rows from `row` on and columns [begin, end), both multiples of 8 or the stride. */
    applyReflectors(row: number, begin: number, end: number): void {
      exports.applyReflectors(k, stride, order, r, t, BLOCK_ROWS, row, begin, end, work);
    },
    /** rotated = reflectors · matrix, columns [begin, end), multiples of 8 or the stride. */
    multiplyRows(begin: number, end: number): void {
      exports.multiplyRows(k, stride, order, ...left, begin, end, rotatedAt, stride, work);
    },
    /** products = reflectors · panel. */
    timesPanel(): void {
      const columns = [0, PANEL_COLUMNS];
      exports.multiplyRows(p, PANEL_COLUMNS, order, ...left, ...columns, productsAt, PANEL_COLUMNS, work);
    },
    /**
     * products[r, c] = row `first + r` of the given ones, [… × m], times the vector that is row c of the panel's memory.
     * @param count of rows, at most BLOCK_ROWS.
     * @param columns number of vectors, at most PANEL_COLUMNS.
     */
    timesVectors(rows: Float64Array | Float32Array, first: number, count: number, columns: number): void {
      let at = rows.byteOffset + first * order * Float64Array.BYTES_PER_ELEMENT;
      if (rows.buffer !== memory.buffer) {
        reflectors.set(rows.subarray(first * order, (first + count) * order));
        at = r;
      }
      exports.timesVectors(at, count, p, columns, order, productsAt);
    },
  };
}

/** Bytes of memory that primitives of an order take. */
export function wasmBytes(order: number): number {
  return layOut(order).pages * PAGE_BYTES;
}

/** Numbers of each array, in the order in which they lie, and pages for all of them. */
function layOut(order: number) {
  /** Distance of rows in memory. What lies beyond column m is zero and stays so. */
  const stride = Math.ceil(order / STRIDE_MULTIPLE) * STRIDE_MULTIPLE;
  const sizes = {
    /** K, [m × stride]; after the reduction Q. */
    matrix: order * stride,
    /** [m × PANEL_COLUMNS]; or for `timesVectors`, [PANEL_COLUMNS × m]. */
    panel: order * PANEL_COLUMNS,
    /** Rank-two update that is still to be applied: K − v·wᵀ − w·vᵀ. */
    v: stride,
    w: stride,
    x: stride,
    product: stride,
    /** V and T of the block reflector I − Vᵀ·T·V. */
    reflectors: BLOCK_ROWS * stride,
    triangle: BLOCK_ROWS * BLOCK_ROWS,
    /** What `multiplyRows` finds. */
    rotated: BLOCK_ROWS * stride,
    /** What `timesPanel` and `timesVectors` find. */
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
  return FUNCTIONS.every((name) => name in exports);
}
