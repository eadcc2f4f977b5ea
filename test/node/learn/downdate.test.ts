/** The exact residual after a rank-one downdate, against eigenvectors of the downdated matrix itself. */
import { describe, expect, it } from 'vitest';
import { leftOutResidual } from '../../../src/learn/statistics/downdate.ts';
import { generator } from './random.ts';
import { jacobiEigen } from './reference.ts';

interface Row {
  readonly values: Float64Array;
  readonly squares: Float64Array;
  readonly tail: { readonly tailSquare: number; readonly tailValue: number };
}

const RHO = 1.01;

/**
 * @param mass of the row, as a share of what the matrix can lose.
 * @param faint share of the coordinates that are as good as zero.
 */
function randomRow(seed: number, mass: number, faint: number): Row {
  const random = generator(seed);
  const values = Float64Array.from({ length: 4 + Math.floor(random() * 14) }, () => Math.exp(random() * 8))
    .sort()
    .toReversed();
  const raw = values.map((value) => (random() < faint ? 1e-18 : random() * value));
  const tailValue = values[values.length - 1] * (0.2 + 0.8 * random());
  const rawTail = seed % 2 === 0 ? 0 : random() * tailValue;
  const lost = raw.reduce((sum, square, l) => sum + square / values[l], rawTail / tailValue);
  const factor = mass / (RHO * lost);
  return {
    values,
    squares: raw.map((square) => square * factor),
    tail: { tailSquare: rawTail * factor, tailValue: rawTail === 0 ? 0 : tailValue },
  };
}

/** Squared length of the row outside the leading k eigenvectors of S − ρ·a·aᵀ, found from scratch. */
function residualFromScratch({ values, squares, tail }: Row, k: number): number {
  const diagonal = [...values, tail.tailValue];
  const row = [...squares, tail.tailSquare].map(Math.sqrt);
  const { vectors } = jacobiEigen(
    diagonal.map((value, p) => row.map((q, i) => (i === p ? value : 0) - RHO * row[p] * q)),
  );
  const along = vectors.slice(0, k).map((vector) => vector.reduce((sum, x, i) => sum + x * row[i], 0) ** 2);
  return along.reduce(
    (left, square) => left - square,
    [...squares].reduce((a, b) => a + b, tail.tailSquare),
  );
}

describe('the left-out residual', () => {
  it.each([
    ['a row of little weight', 0.05, 0],
    ['a row that most of an eigenvalue hangs on', 0.98, 0],
    ['coordinates as good as zero', 0.5, 0.4],
  ])('is that of the matrix without the row: %s', (_, mass, faint) => {
    for (let seed = 1; seed <= 60; seed++) {
      const row = randomRow(seed, mass, faint);
      const total = row.squares.reduce((a, b) => a + b, row.tail.tailSquare);
      const k = 1 + (seed % (row.values.length - 1));
      const found = leftOutResidual(row.values, k, { squares: row.squares, rho: RHO, ...row.tail });
      expect(found / total).toBeCloseTo(residualFromScratch(row, k) / total, 6);
    }
  });

  it('is nothing where the directions span everything', () => {
    const { values, squares } = randomRow(2, 0.9, 0);
    const row = { squares, rho: RHO, tailSquare: 0, tailValue: 0 };
    expect(leftOutResidual(values, values.length, row)).toBeLessThan(1e-6);
  });
});
