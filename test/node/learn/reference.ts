/** Slow and obvious versions of what src/learn does cleverly. */

/** Solves the square system a·x = b for several right-hand sides, by Gaussian elimination with pivoting. */
export function solveDense(a: number[][], b: number[][]): number[][] {
  const n = a.length;
  const rows = a.map((row, i) => [...row, ...b[i]]);
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[best][k])) best = i;
    [rows[k], rows[best]] = [rows[best], rows[k]];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / rows[k][k];
      if (factor !== 0) for (let j = k; j < rows[i].length; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, i) => row.slice(n).map((value) => value / row[i]));
}

/**
 * Weighted ridge regression with an unpenalised bias from the normal equations.
 * @returns [D + 1][C], the bias last.
 */
export function ridgeFit(z: number[][], y: number[][], weights: number[], lambda: number): number[][] {
  const d = z[0].length;
  const rows = z.map((row) => [...row, 1]);
  const left = Array.from({ length: d + 1 }, (_, i) =>
    Array.from({ length: d + 1 }, (_, j) => {
      const sum = rows.reduce((total, row, e) => total + weights[e] * row[i] * row[j], 0);
      return sum + (i === j && i < d ? lambda : 0);
    }),
  );
  const right = Array.from({ length: d + 1 }, (_, i) =>
    y[0].map((_, c) => rows.reduce((total, row, e) => total + weights[e] * row[i] * y[e][c], 0)),
  );
  return solveDense(left, right);
}

/** Eigenpairs of a symmetric matrix by cyclic Jacobi rotations, values falling; vectors[k] is the k-th. */
export function jacobiEigen(matrix: number[][]): { values: number[]; vectors: number[][] } {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const v = a.map((_, i) => a.map((_, j): number => (i === j ? 1 : 0)));
  const size = Math.max(...a.map((row, i) => Math.abs(row[i])));
  for (let sweep = 0; sweep < 30; sweep++) {
    let largest = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        largest = Math.max(largest, Math.abs(a[p][q]));
        if (Math.abs(a[p][q]) < size * 1e-15) continue;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++)
          [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < n; k++)
          [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
        for (let k = 0; k < n; k++)
          [v[k][p], v[k][q]] = [c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]];
      }
    }
    if (largest < size * 1e-13) break;
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j][j] - a[i][i]);
  return { values: order.map((i) => a[i][i]), vectors: order.map((i) => v.map((row) => row[i])) };
}
