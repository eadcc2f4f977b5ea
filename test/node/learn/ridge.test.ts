import { describe, expect, it } from 'vitest';
import { DesignMatrix } from '../../../src/learn/ridge/design-matrix.ts';
import { leadingEigenpairs } from '../../../src/learn/linalg/eigenpairs.ts';
import { Pacer } from '../../../src/learn/pacer.ts';
import { findPrincipal, leftOutResiduals } from '../../../src/learn/statistics/principal.ts';
import { decompose, Ridge } from '../../../src/learn/ridge/ridge.ts';
import { canonicalise } from '../../../src/learn/training-set.ts';
import { linalg } from './linalg.ts';
import { generator, randomSet } from './random.ts';
import { jacobiEigen, ridgeFit } from './reference.ts';

const pacer = new Pacer();

/** Everything that the tests need of one random problem, with uneven weights. */
async function problem(counts: readonly number[], codeLength: number) {
  const data = await canonicalise(randomSet(7, counts, codeLength), 1e6, pacer);
  const random = generator(3);
  const raw = Array.from({ length: data.examples }, () => 0.5 + random());
  const mean = raw.reduce((sum, value) => sum + value, 0) / raw.length;
  const weights = raw.map((value) => value / mean);
  const a = await DesignMatrix.create(data, Float64Array.from(weights), pacer);
  const decomposition = await decompose(a, linalg, pacer);
  const ridge = await Ridge.create(decomposition, data.targets, a.rootWeights, counts.length, pacer);
  // Standardised and centred, as rows of plain numbers.
  const z = Array.from({ length: data.examples }, (_, i) => {
    const row = new Float64Array(codeLength);
    a.writeRow(i, 0, codeLength, row, 0, 1);
    return [...row].map((value) => value / a.rootWeights[i]);
  });
  const y = [...data.targets].map((target) => counts.map((_, c) => (c === target ? 1 : 0)));
  return { data, a, weights, decomposition, ridge, z, y };
}

const SHAPES: [string, number[], number][] = [
  ['dual', [7, 5, 9], 40],
  ['dual, order no multiple of 8', [17, 18], 60],
  ['primal', [30, 21, 14], 13],
  ['as many examples as numbers', [12, 12], 24],
  ['one example a class', [1, 1], 5],
];

type Problem = Awaited<ReturnType<typeof problem>>;

/** What the example's logits are when everything is fitted again without it. */
function refitted({ z, y, weights }: Problem, i: number, lambda: number): number[] {
  const without = <T>(values: T[]): T[] => values.filter((_, e) => e !== i);
  const fit = ridgeFit(without(z), without(y), without(weights), lambda);
  return y[i].map((_, c) => [...z[i], 1].reduce((sum, value, d) => sum + value * fit[d][c], 0));
}

describe('leave-one-out', () => {
  it.each(SHAPES)('equals refitting without the example: %s', async (_, counts, codeLength) => {
    const made = await problem(counts, codeLength);
    for (const lambda of [0.3, 20]) {
      const logits = await made.ridge.leaveOneOut(lambda, pacer);
      made.z.forEach((_row, i) =>
        refitted(made, i, lambda).forEach((expected, c) => {
          // The primal form keeps its rotated rows in single precision.
          expect(Math.abs(logits[i * counts.length + c] - expected)).toBeLessThan(1e-6);
        }),
      );
    }
  });

  it.each([
    ['dual', 150, 1e-10],
    ['primal', 70, 1e-6],
  ])('equals it at an order of several blocks: %s', async (form, codeLength, tolerance) => {
    const made = await problem([60, 71], codeLength);
    expect(made.decomposition.form).toBe(form);
    const logits = await made.ridge.leaveOneOut(5, pacer);
    for (const i of [0, 31, 64, 130])
      refitted(made, i, 5).forEach((expected, c) =>
        expect(Math.abs(logits[i * 2 + c] - expected)).toBeLessThan(tolerance),
      );
  });
});

describe('coefficients', () => {
  it.each(SHAPES)('equal the normal equations: %s', async (_, counts, codeLength) => {
    const { ridge, decomposition, a, z, y, weights } = await problem(counts, codeLength);
    const fitted = await ridge.coefficients(2, pacer);
    const expected = ridgeFit(z, y, weights, 2);
    for (let d = 0; d < codeLength; d++) {
      counts.forEach((_, c) => {
        let value = fitted[c * decomposition.order + d];
        if (decomposition.form === 'dual') {
          value = z.reduce(
            (sum, row, i) => sum + row[d] * a.rootWeights[i] * fitted[c * decomposition.order + i],
            0,
          );
        }
        expect(value).toBeCloseTo(expected[d][c], 7);
      });
    }
  });
});

describe('principal directions', () => {
  it('come out of a tridiagonal matrix with repeated eigenvalues orthonormal', async () => {
    // Two equal blocks, so that every eigenvalue is there twice.
    const t = {
      diagonal: Float64Array.from([4, 3, 2, 4, 3, 2]),
      offDiagonal: Float64Array.from([1, 1, 0, 1, 1, 0]),
    };
    const { values, vectors } = await leadingEigenpairs(t, 6, pacer);
    const dense = t.diagonal.reduce<number[][]>((rows, value, i) => {
      rows.push(
        Array.from({ length: 6 }, (_, j) => {
          if (i === j) return value;
          return Math.abs(i - j) === 1 ? t.offDiagonal[Math.min(i, j)] : 0;
        }),
      );
      return rows;
    }, []);
    jacobiEigen(dense).values.forEach((value, k) => expect(values[k]).toBeCloseTo(value, 10));
    for (let k = 0; k < 6; k++) {
      for (let l = 0; l < 6; l++) {
        let product = 0;
        for (let j = 0; j < 6; j++) product += vectors[k * 6 + j] * vectors[l * 6 + j];
        expect(product).toBeCloseTo(k === l ? 1 : 0, 10);
      }
    }
  });

  it.each(SHAPES.slice(0, 4))(
    'leave residuals out of the subspace of all others: %s',
    async (_, counts, codeLength) => {
      const { a, decomposition, z, weights } = await problem(counts, codeLength);
      const principal = await findPrincipal(decomposition, 5, pacer);
      const sample = Uint32Array.from({ length: Math.ceil(z.length / 6) }, (_, place) => place * 6);
      const residuals = await leftOutResiduals(sample, a, decomposition, principal, pacer);
      sample.forEach((i, place) => {
        const expected = residualWithout(z, weights, i, z[i], principal.count) * a.leftOutInflation(i);
        expect(residuals[place] / expected).toBeCloseTo(1, 4);
      });
    },
  );

  it('approximate the left-out residual closely where the tail is lumped', async () => {
    const { a, decomposition, z, weights } = await problem([60, 60], 90);
    const principal = await findPrincipal(decomposition, 4, pacer);
    const residuals = await leftOutResiduals(Uint32Array.of(0, 50, 119), a, decomposition, principal, pacer);
    [0, 50, 119].forEach((i, place) => {
      const expected = residualWithout(z, weights, i, z[i], 4) * a.leftOutInflation(i);
      expect(Math.abs(residuals[place] / expected - 1)).toBeLessThan(0.002);
    });
  });
});

/** Refits mean and principal directions without example i and measures what of it lies outside. */
function residualWithout(z: number[][], weights: number[], i: number, row: number[], k: number): number {
  const d = row.length;
  const total = weights.reduce((sum, weight, e) => sum + (e === i ? 0 : weight), 0);
  const mean = Array.from({ length: d }, (_, j) =>
    z.reduce((sum, other, e) => sum + (e === i ? 0 : (weights[e] * other[j]) / total), 0),
  );
  const scatter = mean.map((_, p) =>
    mean.map((_, q) =>
      z.reduce((sum, o, e) => sum + (e === i ? 0 : weights[e] * (o[p] - mean[p]) * (o[q] - mean[q])), 0),
    ),
  );
  const { vectors } = jacobiEigen(scatter);
  const off = row.map((value, j) => value - mean[j]);
  let square = off.reduce((sum, value) => sum + value * value, 0);
  for (const vector of vectors.slice(0, k)) {
    square -= vector.reduce((sum, value, j) => sum + value * off[j], 0) ** 2;
  }
  return Math.sqrt(Math.max(square, 0));
}
