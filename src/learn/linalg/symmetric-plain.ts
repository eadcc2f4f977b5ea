/** The primitives of symmetric.ts in plain TypeScript: the reference, and quick enough for a few hundred examples. */
import { dot } from './dot.ts';
import { BLOCK_ROWS, PANEL_COLUMNS, type SymmetricPrimitives } from './symmetric.ts';

/** @param order m, at least 1. */
export function plainPrimitives(order: number): SymmetricPrimitives {
  const m = order;
  const stride = order;
  const matrix = new Float64Array(m * stride);
  const panel = new Float64Array(m * PANEL_COLUMNS);
  const [v, w, x, product] = Array.from({ length: 4 }, () => new Float64Array(stride));
  const reflectors = new Float64Array(BLOCK_ROWS * stride);
  const triangle = new Float64Array(BLOCK_ROWS * BLOCK_ROWS);
  const rotated = new Float64Array(BLOCK_ROWS * stride);
  const products = new Float64Array(BLOCK_ROWS * PANEL_COLUMNS);

  function addPanel(begin: number, end: number): void {
    for (let i = begin; i < end; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let c = 0; c < PANEL_COLUMNS; c++)
          sum += panel[i * PANEL_COLUMNS + c] * panel[j * PANEL_COLUMNS + c];
        matrix[i * stride + j] += sum;
      }
    }
  }

  function updateAndMultiply(from: number, begin: number, end: number): void {
    for (let i = begin; i < end; i++) {
      const row = i * stride;
      const vi = v[i];
      const wi = w[i];
      const xi = x[i];
      let sum = 0;
      for (let k = from; k < i; k++) {
        const value = matrix[row + k] - (vi * w[k] + wi * v[k]);
        matrix[row + k] = value;
        sum += value * x[k];
        product[k] += value * xi;
      }
      matrix[row + i] -= 2 * vi * wi;
      product[i] += sum + matrix[row + i] * xi;
    }
  }

  /** One reflector after the other: H₀·H₁·…·Q from the last to the first. The triangle's diagonal holds their τ. */
  function applyReflectors(row: number, begin: number, end: number): void {
    const along = new Float64Array(end - begin);
    for (let r = BLOCK_ROWS - 1; r >= 0; r--) {
      const tau = triangle[r * BLOCK_ROWS + r];
      if (tau === 0) continue;
      along.fill(0);
      for (let i = row; i < m; i++) {
        const share = tau * reflectors[r * stride + i];
        if (share !== 0) for (let k = begin; k < end; k++) along[k - begin] += share * matrix[i * stride + k];
      }
      for (let i = row; i < m; i++) {
        const share = reflectors[r * stride + i];
        if (share !== 0) for (let k = begin; k < end; k++) matrix[i * stride + k] -= share * along[k - begin];
      }
    }
  }

  function multiplyReflectors(
    by: Float64Array,
    width: number,
    begin: number,
    end: number,
    out: Float64Array,
  ): void {
    for (let r = 0; r < BLOCK_ROWS; r++) {
      out.fill(0, r * width + begin, r * width + end);
      for (let i = 0; i < m; i++) {
        const share = reflectors[r * stride + i];
        for (let k = begin; k < end; k++) out[r * width + k] += share * by[i * width + k];
      }
    }
  }

  return {
    order,
    cost: 1,
    stride,
    matrix,
    panel,
    v,
    w,
    x,
    product,
    reflectors,
    triangle,
    rotated,
    products,
    addPanel,
    updateAndMultiply,
    applyReflectors,
    multiplyRows: (begin, end) => multiplyReflectors(matrix, stride, begin, end, rotated),
    timesPanel: (begin, end) => multiplyReflectors(panel, PANEL_COLUMNS, begin, end, products),
    timesVectors(rows, first, count, columns) {
      for (let r = 0; r < count; r++) {
        for (let c = 0; c < columns; c++)
          products[r * PANEL_COLUMNS + c] = dot(rows, (first + r) * m, panel, c * m, m);
      }
    },
  };
}
