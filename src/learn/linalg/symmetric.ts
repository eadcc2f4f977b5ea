/**
 * Brings a symmetric m × m matrix K to tridiagonal form K = Q·T·Qᵀ by Householder reflections (Golub & Van Loan,
 * 8.3.1), in steps of about a millisecond between which the caller may pause, and forms Q in K's place. The loops that
 * take the time are primitives, in plain TypeScript (symmetric-plain.ts) or WebAssembly SIMD (symmetric-wasm.ts).
 */
import { dot } from './dot.ts';
import type { Tridiagonal } from './tridiagonal.ts';

/** Columns of a panel: features (dual) or examples (primal) that are added to K at once. */
export const PANEL_COLUMNS = 64;
/** Rows of K that one step of a column's pass takes on. Even. */
const PASS_ROWS = 128;
/** Rows of K that one step of a sum takes on, and reflectors that one block of the back-transformation holds. */
export const BLOCK_ROWS = 32;
/** Columns of Q that one step of the back-transformation takes on. */
export const BLOCK_COLUMNS = 32;

/** Memory and the loops over it. Vectors have `stride` entries, of which the first `order` are used. */
export interface SymmetricPrimitives {
  /** m */
  readonly order: number;
  /** How long a multiply-add of these loops takes, in those of plain JavaScript: see pacer.ts. */
  readonly cost: number;
  /** Distance of rows in memory, at least m. What lies beyond column m is zero and stays so. */
  readonly stride: number;
  /** [m × stride] */
  readonly matrix: Float64Array;
  /** [m × PANEL_COLUMNS]; or for `timesVectors`, [PANEL_COLUMNS × m]. */
  readonly panel: Float64Array;
  /** Rank-two update that is still to be applied: K − v·wᵀ − w·vᵀ. */
  readonly v: Float64Array;
  readonly w: Float64Array;
  readonly x: Float64Array;
  readonly product: Float64Array;
  /** [BLOCK_ROWS × stride] and [BLOCK_ROWS × BLOCK_ROWS]: V and T of the block reflector I − Vᵀ·T·V. */
  readonly reflectors: Float64Array;
  readonly triangle: Float64Array;
  /** [BLOCK_ROWS × stride] what `multiplyRows` finds. */
  readonly rotated: Float64Array;
  /** [BLOCK_ROWS × PANEL_COLUMNS] what `timesPanel` and `timesVectors` find. */
  readonly products: Float64Array;
  /** K += P·Pᵀ, lower triangle of rows [begin, end). What is above the diagonal may change as well. */
  addPanel(begin: number, end: number): void;
  /**
   * Applies the rank-two update to rows [begin, end) of the lower triangle from column `from` on, and adds what they
   * contribute to product = K·x of the result. A number of rows that is no multiple of four only where `begin` is `from`.
   */
  updateAndMultiply(from: number, begin: number, end: number): void;
  /** Applies the block reflector to rows from `row` on and columns [begin, end), both multiples of 8 or the stride. */
  applyReflectors(row: number, begin: number, end: number): void;
  /** rotated = reflectors · matrix, columns [begin, end), multiples of 8 or the stride. */
  multiplyRows(begin: number, end: number): void;
  /** products = reflectors · panel, columns [begin, end), multiples of 8. */
  timesPanel(begin: number, end: number): void;
  /**
   * products[r, c] = row `first + r` of the given ones, [… × m], times the vector that is row c of the panel's memory.
   * @param count of rows, at most BLOCK_ROWS.
   * @param columns number of vectors, at most PANEL_COLUMNS.
   */
  timesVectors(rows: Float64Array | Float32Array, first: number, count: number, columns: number): void;
}

export class SymmetricReduction {
  readonly #p: SymmetricPrimitives;
  readonly #diagonal: Float64Array;
  readonly #offDiagonal: Float64Array;
  /** [m] the factor τ of each reflector I − τ·v·vᵀ. */
  readonly #tau: Float64Array;

  constructor(primitives: SymmetricPrimitives) {
    this.#p = primitives;
    this.#diagonal = new Float64Array(primitives.order);
    this.#offDiagonal = new Float64Array(primitives.order);
    this.#tau = new Float64Array(primitives.order);
  }

  /**
   * Begins step j of 0 … m − 2, in order: makes the reflector that clears column j below its subdiagonal. Then all rows
   * go through `passRows`, and `endColumn` ends the step.
   */
  beginColumn(j: number): void {
    const { order: m, stride, matrix, v, w, x, product } = this.#p;
    updateColumn(matrix, stride, j, m, v, w, x);
    this.#diagonal[j] = x[j];
    this.#offDiagonal[j] = this.#makeReflector(j);
    product.fill(0);
  }

  /**
   * Rows of K's pass in step j, from `row` on, at first j + 1. The pass applies the update that the step before left and
   * finds this step's product, so that K is read once a step.
   * @returns the row to go on with; m after the last.
   */
  passRows(j: number, row: number): number {
    const { order: m } = this.#p;
    // A multiple of four rows is left for the calls to come.
    const end = Math.min(row + PASS_ROWS - (-(m - row) & 3), m);
    this.#p.updateAndMultiply(j + 1, row, end);
    return end;
  }

  /**
   * Leaves the update that the reflector makes to the next step. The reflector's vector, scaled to begin with 1, is kept
   * in row j, right of the diagonal, where nothing else is stored.
   */
  endColumn(j: number): void {
    const { order: m, stride, matrix, v, w, x, product } = this.#p;
    leaveUpdate(product, x, j + 1, m, this.#tau[j], v, w);
    matrix.set(x.subarray(j + 1, m), j * stride + j + 1);
  }

  /** T, after the last column. */
  tridiagonal(): Tridiagonal {
    const { order: m, stride, matrix } = this.#p;
    // The last reflector is of length one and changes nothing.
    this.#diagonal[m - 1] = matrix[(m - 1) * stride + m - 1];
    return { diagonal: this.#diagonal, offDiagonal: this.#offDiagonal };
  }

  /** Takes up the reflectors [begin, begin + BLOCK_ROWS) for `applyBlock`; from the last block to the first. */
  prepareBlock(begin: number): void {
    const { order: m, stride, matrix, reflectors, triangle } = this.#p;
    reflectors.fill(0);
    triangle.fill(0);
    const end = Math.min(begin + BLOCK_ROWS, m);
    for (let j = begin; j < end; j++) {
      reflectors.set(matrix.subarray(j * stride + j + 1, j * stride + m), (j - begin) * stride + j + 1);
      matrix.fill(0, j * stride, (j + 1) * stride);
      matrix[j * stride + j] = 1;
    }
    for (let i = end; i < m; i++) matrix.fill(0, i * stride + begin, i * stride + end);
    for (let k = 0; k < end - begin; k++) this.#extendTriangle(begin, k);
  }

  /** Applies the prepared block to columns [from, from + BLOCK_COLUMNS) of Q. */
  applyBlock(begin: number, from: number): void {
    this.#p.applyReflectors(begin, from, Math.min(from + BLOCK_COLUMNS, this.#p.stride));
  }

  /** The last call: closes the gaps between rows. @returns [m × m] Q. */
  basis(): Float64Array {
    const { order: m, stride, matrix } = this.#p;
    if (stride !== m) for (let i = 1; i < m; i++) matrix.copyWithin(i * m, i * stride, i * stride + m);
    return matrix.subarray(0, m * m);
  }

  /** Turns x[j + 1 …] into the reflector that maps it onto the first axis; returns what it is mapped to. */
  #makeReflector(j: number): number {
    const { order: m, x } = this.#p;
    const rest = dot(x, j + 2, x, j + 2, m - j - 2);
    const first = x[j + 1];
    x[j + 1] = 1;
    this.#tau[j] = 0;
    if (rest === 0) return first;
    const length = Math.sqrt(first * first + rest);
    const mapped = first > 0 ? -length : length;
    divide(x, j + 2, m, first - mapped);
    this.#tau[j] = (mapped - first) / mapped;
    return mapped;
  }

  /** Column k of T: T[0:k, k] = −τ·T[0:k, 0:k]·V[0:k]·v (Schreiber & Van Loan 1989). */
  #extendTriangle(begin: number, k: number): void {
    const { stride, order: m, reflectors, triangle } = this.#p;
    const tau = begin + k < m - 1 ? this.#tau[begin + k] : 0;
    const overlaps = new Float64Array(k);
    const first = begin + k + 1;
    for (let r = 0; r < k; r++) {
      overlaps[r] = dot(reflectors, r * stride + first, reflectors, k * stride + first, m - first);
    }
    for (let r = 0; r < k; r++) {
      triangle[r * BLOCK_ROWS + k] = -tau * dot(triangle, r * BLOCK_ROWS + r, overlaps, r, k - r);
    }
    triangle[k * BLOCK_ROWS + k] = tau;
  }
}

// Functions of plain arrays, for V8 throws away what it optimised for the shapes of objects that all are collected.

/** x = column j of the matrix from row j on, with the update that is still to be applied. */
function updateColumn(
  matrix: Float64Array,
  stride: number,
  j: number,
  m: number,
  v: Float64Array,
  w: Float64Array,
  x: Float64Array,
): void {
  for (let i = j; i < m; i++) x[i] = matrix[i * stride + j] - (v[i] * w[j] + w[i] * v[j]);
}

function leaveUpdate(
  product: Float64Array,
  x: Float64Array,
  begin: number,
  m: number,
  tau: number,
  v: Float64Array,
  w: Float64Array,
): void {
  const along = dot(product, begin, x, begin, m - begin);
  for (let i = begin; i < m; i++) {
    w[i] = tau * (product[i] - (tau / 2) * along * x[i]);
    v[i] = x[i];
  }
}

function divide(x: Float64Array, begin: number, end: number, by: number): void {
  for (let i = begin; i < end; i++) x[i] /= by;
}
