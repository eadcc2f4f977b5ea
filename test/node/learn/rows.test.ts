/** What is taken four at once, against the same one by one, also where there are not four. */
import { describe, expect, it } from 'vitest';
import { ROWS_AT_ONCE } from '../../../src/learn/linalg/add-rows.ts';
import { dot } from '../../../src/learn/linalg/dot.ts';
import { Pacer } from '../../../src/learn/pacer.ts';
import { rowsTimesVectors } from '../../../src/learn/linalg/products.ts';
import { symmetricPrimitives } from '../../../src/learn/linalg/primitives.ts';
import { factor, quadraticForms, solve } from '../../../src/learn/linalg/tridiagonal.ts';
import { linalg } from './linalg.ts';
import { generator } from './random.ts';

const numbers = (seed: number, length: number): Float64Array => {
  const random = generator(seed);
  return Float64Array.from({ length }, () => random() - 0.5);
};

describe('products of rows', () => {
  for (const [order, rows, columns] of [
    [1, 1, 1],
    [5, 3, 2],
    [16, 4, 3],
    [33, 9, 70],
  ]) {
    it(`are those of ${rows} with ${columns} of ${order} numbers`, async () => {
      const primitives = symmetricPrimitives(order, linalg);
      primitives.matrix.set(numbers(3, order * order));
      const inMemory = primitives.matrix.subarray(0, order * order);
      const vectors = numbers(2, columns * order);
      for (const [left, count] of [
        [numbers(1, rows * order), rows],
        [new Float32Array(numbers(1, rows * order)), rows],
        [inMemory, order],
      ] as const) {
        const out = await rowsTimesVectors(primitives, left, count, vectors, columns, new Pacer());
        expect(out).toHaveLength(count * columns);
        out.forEach((value, at) => {
          const [i, c] = [Math.floor(at / columns), at % columns];
          expect(value).toBeCloseTo(dot(left, i * order, vectors, c * order, order), 12);
        });
      }
    });
  }
});

describe('quadratic forms with the inverse of a shifted tridiagonal matrix', () => {
  for (const [rows, m] of [
    [1, 1],
    [3, 2],
    [7, 12],
    [8, 30],
  ]) {
    it(`are those of ${rows} rows of ${m}`, () => {
      const offDiagonal = numbers(3, m);
      offDiagonal[m - 1] = 0;
      // Dominated by its diagonal, so positive definite.
      const { lower, inverse } = factor({ diagonal: numbers(4, m).map((x) => x + 2), offDiagonal }, 0.1);
      const all = numbers(5, rows * m);
      const out = new Float64Array(ROWS_AT_ONCE);
      for (let i = 0; i < rows; i += ROWS_AT_ONCE) {
        quadraticForms(lower, inverse, all, i, rows, out);
        for (let r = 0; r < Math.min(ROWS_AT_ONCE, rows - i); r++) {
          const row = all.slice((i + r) * m, (i + r + 1) * m);
          const solution = row.slice();
          solve({ lower, inverse }, solution, 1);
          expect(out[r]).toBeCloseTo(dot(row, 0, solution, 0, m), 12);
        }
      }
    });
  }
});
