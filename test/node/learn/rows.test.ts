/** What is taken four at once, against the same one by one, also where there are not four. */
import { describe, expect, it } from 'vitest';
import { rowProducts, ROWS_AT_ONCE } from '../../../src/learn/add-rows.ts';
import { dot } from '../../../src/learn/dot.ts';
import { factor, quadraticForms, solve } from '../../../src/learn/tridiagonal.ts';
import { generator } from './random.ts';

const numbers = (seed: number, length: number): Float64Array => {
  const random = generator(seed);
  return Float64Array.from({ length }, () => random() - 0.5);
};

describe('products of rows', () => {
  for (const [rows, columns, length] of [
    [1, 1, 1],
    [3, 2, 5],
    [4, 3, 16],
    [6, 5, 33],
    [9, 1, 7],
  ]) {
    it(`are those of ${rows} with ${columns} of ${length} numbers`, () => {
      for (const left of [numbers(1, rows * length), new Float32Array(numbers(1, rows * length))]) {
        const right = numbers(2, columns * length);
        const out = new Float64Array(ROWS_AT_ONCE * columns);
        for (let i = 0; i < rows; i += ROWS_AT_ONCE) {
          rowProducts(left, i, rows, right, columns, length, out);
          for (let r = 0; r < Math.min(ROWS_AT_ONCE, rows - i); r++) {
            for (let c = 0; c < columns; c++) {
              const expected = dot(left, (i + r) * length, right, c * length, length);
              expect(out[r * columns + c]).toBeCloseTo(expected, 12);
            }
          }
        }
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
