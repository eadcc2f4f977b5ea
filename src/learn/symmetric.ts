/**
 * The heavy arithmetic of the closed-form head on one symmetric m × m matrix K: summing it up from panels, reducing it
 * to tridiagonal form K = Q·T·Qᵀ, and forming Q in K's place. Work comes in steps of a few milliseconds, between which
 * the caller may pause. This is the plain reference; linalg.ts runs the same on WebAssembly SIMD.
 */
import type { Tridiagonal } from './tridiagonal.ts';

/** Columns of a panel: features (dual) or examples (primal) that are added to K at once. */
export const PANEL_COLUMNS = 64;
/** Reflectors or rows that one step of the back-transformation and of the sums takes on. */
export const BLOCK_ROWS = 32;

export interface SymmetricKernel {
  readonly order: number;
  /** [m × m], row-major. Summed up in its lower triangle; holds Q in the end. */
  readonly matrix: Float64Array;
  /** [m × PANEL_COLUMNS], row-major: what the next `addPanel` adds. */
  readonly panel: Float64Array;
  /** Rows [begin, begin + BLOCK_ROWS) of K += P·Pᵀ, lower triangle. */
  addPanel(begin: number): void;
  /** Householder step j of 0 … m − 2; in order. */
  reduceColumn(j: number): void;
  /** After the last reduceColumn. */
  tridiagonal(): Tridiagonal;
  /** Turns the reflectors [begin, begin + BLOCK_ROWS) into columns of Q; from the last block to the first. */
  formBasis(begin: number): void;
}

/** @param order m, at least 1. */
export function createPlainKernel(order: number): SymmetricKernel {
  return new PlainKernel(order);
}

class PlainKernel implements SymmetricKernel {
  readonly order: number;
  readonly matrix: Float64Array;
  readonly panel: Float64Array;
  readonly #diagonal: Float64Array;
  readonly #offDiagonal: Float64Array;
  /** The factor τ of each reflector I − τ·v·vᵀ. */
  readonly #tau: Float64Array;
  readonly #work: Float64Array;

  constructor(order: number) {
    this.order = order;
    this.matrix = new Float64Array(order * order);
    this.panel = new Float64Array(order * PANEL_COLUMNS);
    this.#diagonal = new Float64Array(order);
    this.#offDiagonal = new Float64Array(order);
    this.#tau = new Float64Array(order);
    this.#work = new Float64Array(order);
  }

  addPanel(begin: number): void {
    const { order: m, matrix, panel } = this;
    for (let i = begin; i < Math.min(begin + BLOCK_ROWS, m); i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let c = 0; c < PANEL_COLUMNS; c++)
          sum += panel[i * PANEL_COLUMNS + c] * panel[j * PANEL_COLUMNS + c];
        matrix[i * m + j] += sum;
      }
    }
  }

  /**
   * Makes the reflector that clears column j below its subdiagonal and applies it from both sides (Golub & Van Loan,
   * 8.3.1). Its vector v, scaled so that v[j+1] = 1, is kept in row j, right of the diagonal, where nothing is stored.
   */
  reduceColumn(j: number): void {
    const { order: m, matrix } = this;
    const v = matrix.subarray(j * m, (j + 1) * m);
    this.#diagonal[j] = v[j];
    if (j === m - 2) this.#diagonal[m - 1] = matrix[m * m - 1];
    for (let i = j + 1; i < m; i++) v[i] = matrix[i * m + j];
    this.#offDiagonal[j] = this.#makeReflector(v, j + 1);
    const tau = this.#tau[j];
    if (tau === 0) return;
    const p = this.#work;
    symmetricTimes(matrix, m, j + 1, v, p);
    let dot = 0;
    for (let i = j + 1; i < m; i++) dot += p[i] * v[i];
    // K − vwᵀ − wvᵀ with w = τp − (τ²/2)(pᵀv)v.
    for (let i = j + 1; i < m; i++) p[i] = tau * (p[i] - (tau / 2) * dot * v[i]);
    for (let i = j + 1; i < m; i++) {
      const vi = v[i];
      const wi = p[i];
      for (let k = j + 1, at = i * m + k; k <= i; k++, at++) matrix[at] -= vi * p[k] + wi * v[k];
    }
    if (j === m - 2) this.#diagonal[m - 1] = matrix[m * m - 1];
  }

  tridiagonal(): Tridiagonal {
    if (this.order === 1) this.#diagonal[0] = this.matrix[0];
    return { diagonal: this.#diagonal, offDiagonal: this.#offDiagonal };
  }

  formBasis(begin: number): void {
    const { order: m, matrix } = this;
    for (let j = Math.min(begin + BLOCK_ROWS, m) - 1; j >= begin; j--) {
      if (j <= m - 2) applyReflector(matrix, m, j, this.#tau[j], this.#work);
      matrix.fill(0, j * m, (j + 1) * m);
      for (let i = j + 1; i < m; i++) matrix[i * m + j] = 0;
      matrix[j * m + j] = 1;
    }
  }

  /** Turns v[from…] into the reflector that maps it onto the first axis; returns what it is mapped to. */
  #makeReflector(v: Float64Array, from: number): number {
    let rest = 0;
    for (let i = from + 1; i < v.length; i++) rest += v[i] * v[i];
    const first = v[from];
    this.#tau[from - 1] = 0;
    if (rest === 0) return first;
    const mapped = first > 0 ? -Math.sqrt(first * first + rest) : Math.sqrt(first * first + rest);
    const scale = 1 / (first - mapped);
    for (let i = from + 1; i < v.length; i++) v[i] *= scale;
    v[from] = 1;
    this.#tau[from - 1] = (mapped - first) / mapped;
    return mapped;
  }
}

/** out = K·v over the rows and columns from `from` on, reading the lower triangle only. */
function symmetricTimes(
  matrix: Float64Array,
  m: number,
  from: number,
  v: Float64Array,
  out: Float64Array,
): void {
  out.fill(0, from);
  for (let i = from; i < m; i++) {
    const row = i * m;
    const vi = v[i];
    let sum = 0;
    for (let k = from; k < i; k++) {
      const value = matrix[row + k];
      sum += value * v[k];
      out[k] += value * vi;
    }
    out[i] += sum + matrix[row + i] * vi;
  }
}

/** Applies reflector j, kept in row j, to the block of Q below and right of (j, j). */
function applyReflector(matrix: Float64Array, m: number, j: number, tau: number, work: Float64Array): void {
  if (tau === 0) return;
  const v = matrix.subarray(j * m, (j + 1) * m);
  work.fill(0);
  for (let i = j + 1; i < m; i++) {
    const vi = tau * v[i];
    for (let k = j + 1; k < m; k++) work[k] += vi * matrix[i * m + k];
  }
  for (let i = j + 1; i < m; i++) {
    const vi = v[i];
    for (let k = j + 1; k < m; k++) matrix[i * m + k] -= vi * work[k];
  }
}
