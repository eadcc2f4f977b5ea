/**
 * Ridge regression on one-hot targets with an unpenalised bias and example weights, for every λ from one reduction of
 * one symmetric matrix. With A the weighted, centred rows (n × D), the smaller of A·Aᵀ (dual) and Aᵀ·A (primal) is
 * brought to tridiagonal form Q·T·Qᵀ once; then each λ costs O(nm): fits, leverages and with them the exact
 * leave-one-out predictions eᵢ = (yᵢ − fᵢ)/(1 − hᵢᵢ) (Allen 1974; Golub, Heath & Wahba 1979).
 */
import { ROWS_AT_ONCE } from '../linalg/add-rows.ts';
import { HALF, type Pacer } from '../pacer.ts';
import { fillPanel, type Rows } from '../linalg/panels.ts';
import {
  BLOCK_ROWS,
  PANEL_COLUMNS,
  symmetricPrimitives,
  WASM_COST,
  type SymmetricPrimitives,
} from '../linalg/primitives.ts';
import { rowsTimesVectors } from '../linalg/products.ts';
import { BLOCK_COLUMNS, closeGaps, tridiagonalise } from '../linalg/symmetric.ts';
import { factor, quadraticForms, solve, type Tridiagonal } from '../linalg/tridiagonal.ts';

/** 1 − h below this would be a point that the fit cannot do without; it keeps the quotient finite. */
const SMALLEST_SLACK = 1e-12;

export interface Decomposition {
  readonly form: 'dual' | 'primal';
  /** m: n in the dual, D in the primal. */
  readonly order: number;
  readonly tridiagonal: Tridiagonal;
  /** [m × m] Q. */
  readonly basis: Float64Array;
  /** [n × m] rows of Q (dual) or of A·Q (primal). */
  readonly rows: Float64Array | Float32Array;
  /** What found it; its memory holds the basis. */
  readonly primitives: SymmetricPrimitives;
}

/**
 * Sums up A·Aᵀ or Aᵀ·A and reduces it.
 * @param linalg compiled from linalg.as.ts.
 * @param form the one with the smaller matrix, if no other is wanted.
 */
export async function decompose(
  a: Rows,
  linalg: WebAssembly.Module,
  pacer: Pacer,
  form: Decomposition['form'] = a.examples <= a.codeLength ? 'dual' : 'primal',
): Promise<Decomposition> {
  const order = form === 'dual' ? a.examples : a.codeLength;
  const primitives = symmetricPrimitives(order, linalg);
  await sumUp(a, form, primitives, pacer);
  const tridiagonal = await tridiagonalise(primitives, pacer);
  const rotated = form === 'dual' ? undefined : await rotateRows(a, primitives, pacer);
  const basis = closeGaps(primitives);
  return { form, order, tridiagonal, basis, rows: rotated ?? basis, primitives };
}

async function sumUp(
  a: Rows,
  form: Decomposition['form'],
  primitives: SymmetricPrimitives,
  pacer: Pacer,
): Promise<void> {
  const { order: m, panel } = primitives;
  const depth = form === 'dual' ? a.codeLength : a.examples;
  for (let begin = 0; begin < depth; begin += PANEL_COLUMNS) {
    fillPanel(a, form, begin, panel);
    if (pacer.due(m * PANEL_COLUMNS * HALF)) await pacer.rest();
    for (let row = 0; row < m; row += BLOCK_ROWS) {
      primitives.addPanel(row, Math.min(row + BLOCK_ROWS, m));
      if (pacer.due(row * BLOCK_ROWS * PANEL_COLUMNS * WASM_COST)) await pacer.rest();
    }
  }
}

/** A·Q, in single precision: it is n × D and the only thing of that size that is held. */
async function rotateRows(a: Rows, primitives: SymmetricPrimitives, pacer: Pacer): Promise<Float32Array> {
  const { order: m, stride, reflectors, rotated } = primitives;
  const rows = new Float32Array(a.examples * m);
  for (let begin = 0; begin < a.examples; begin += BLOCK_ROWS) {
    const end = Math.min(begin + BLOCK_ROWS, a.examples);
    for (let i = begin; i < end; i++) a.writeRow(i, 0, m, reflectors, (i - begin) * stride, 1);
    if (pacer.due(BLOCK_ROWS * m * HALF)) await pacer.rest();
    for (let column = 0; column < stride; column += BLOCK_COLUMNS) {
      primitives.multiplyRows(column, Math.min(column + BLOCK_COLUMNS, stride));
      if (pacer.due(BLOCK_ROWS * BLOCK_COLUMNS * m * WASM_COST)) await pacer.rest();
    }
    for (let i = begin; i < end; i++) {
      rows.set(rotated.subarray((i - begin) * stride, (i - begin) * stride + m), i * m);
    }
  }
  return rows;
}

export class Ridge {
  readonly decomposition: Decomposition;
  readonly classes: number;
  /** [C] weighted share of each class: what a fit without any feature would say. */
  readonly prior: Float64Array;
  readonly #targets: Uint16Array;
  readonly #rootWeights: Float64Array;
  /** [C × m] Ỹᵀ·rows with Ỹ the weighted, centred one-hot targets. */
  readonly #right: Float64Array;
  /** [C × m] the same times (T + λI)⁻¹, for the λ of the last call: only one is kept. */
  readonly #solution: Float64Array;

  static async create(
    decomposition: Decomposition,
    targets: Uint16Array,
    rootWeights: Float64Array,
    classes: number,
    pacer: Pacer,
  ): Promise<Ridge> {
    const ridge = new Ridge(decomposition, targets, rootWeights, classes);
    await ridge.#projectTargets(pacer);
    return ridge;
  }

  constructor(
    decomposition: Decomposition,
    targets: Uint16Array,
    rootWeights: Float64Array,
    classes: number,
  ) {
    this.decomposition = decomposition;
    this.classes = classes;
    this.#targets = targets;
    this.#rootWeights = rootWeights;
    this.prior = new Float64Array(classes);
    targets.forEach((target, i) => (this.prior[target] += rootWeights[i] ** 2 / targets.length));
    this.#right = new Float64Array(classes * decomposition.order);
    this.#solution = new Float64Array(this.#right.length);
  }

  /** A natural unit of λ: the mean of the squared length of A's rows; 1 where all codes are alike, and any λ gives the same fit. */
  get scale(): number {
    const trace = this.decomposition.tridiagonal.diagonal.reduce((sum, value) => sum + value, 0);
    return trace > 0 ? trace / this.#targets.length : 1;
  }

  /**
   * To be awaited before a call with the next λ, as `coefficients`.
   * @param out room for the logits.
   * @returns [n × C] what each example's logits would be had it been left out, for λ > 0.
   */
  async leaveOneOut(lambda: number, pacer: Pacer, out?: Float64Array): Promise<Float64Array> {
    const { form, order: m, rows, primitives, tridiagonal } = this.decomposition;
    const { classes } = this;
    const n = this.#targets.length;
    const { lower, inverse } = factor(tridiagonal, lambda);
    const solution = this.#solve(lambda);
    // The fits, which become logits in their places.
    const logits = await rowsTimesVectors(primitives, rows, n, solution, classes, pacer, out);
    const forms = new Float64Array(ROWS_AT_ONCE);
    for (let i = 0; i < n; i++) {
      const together = i % ROWS_AT_ONCE;
      if (together === 0) quadraticForms(lower, inverse, rows, i, n, forms);
      const root = this.#rootWeights[i];
      const slack = (form === 'dual' ? lambda * forms[together] : 1 - forms[together]) - (root * root) / n;
      const scale = 1 / Math.max(slack, SMALLEST_SLACK) / root;
      for (let c = 0; c < classes; c++) {
        const truth = this.#targets[i] === c ? 1 : 0;
        const fit = logits[i * classes + c];
        const residual = form === 'dual' ? lambda * fit : root * (truth - this.prior[c]) - fit;
        logits[i * classes + c] = truth - residual * scale;
      }
      if (pacer.due(4 * m)) await pacer.rest();
    }
    return logits;
  }

  /**
   * The fit at λ, a row a class.
   * @returns [C × m] Dual: multipliers α, the coefficients being α·A. Primal: the coefficients themselves.
   */
  coefficients(lambda: number, pacer: Pacer): Promise<Float64Array> {
    const { basis, order: m, primitives } = this.decomposition;
    return rowsTimesVectors(primitives, basis, m, this.#solve(lambda), this.classes, pacer, undefined, true);
  }

  #solve(lambda: number): Float64Array {
    this.#solution.set(this.#right);
    solve(factor(this.decomposition.tridiagonal, lambda), this.#solution, this.classes);
    return this.#solution;
  }

  async #projectTargets(pacer: Pacer): Promise<void> {
    const { rows, order: m } = this.decomposition;
    const { classes, prior } = this;
    const right = this.#right;
    const sum = new Float64Array(m);
    for (let i = 0; i < this.#targets.length; i++) {
      const row = rows.subarray(i * m, (i + 1) * m);
      addTarget(right, this.#targets[i] * m, sum, row, this.#rootWeights[i]);
      if (pacer.due(2 * m)) await pacer.rest();
    }
    for (let c = 0; c < classes; c++) for (let j = 0; j < m; j++) right[c * m + j] -= sum[j] * prior[c];
  }
}

/** What an example contributes to its class's row of the right-hand side, from `at` on, and to the sum over all classes. */
function addTarget(
  right: Float64Array,
  at: number,
  sum: Float64Array,
  row: Float64Array | Float32Array,
  root: number,
): void {
  for (let j = 0; j < row.length; j++) {
    const value = root * row[j];
    right[at + j] += value;
    sum[j] += value;
  }
}
