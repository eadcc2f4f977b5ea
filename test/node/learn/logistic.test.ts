import { describe, expect, test } from 'vitest';
import { readHead, writeHead } from '../../../src/head/index.ts';
import { rowsInMemory } from '../../../src/learn/code-rows.ts';
import { minimise } from '../../../src/learn/logistic/lbfgs.ts';
import { softmaxObjective, type LogisticData } from '../../../src/learn/logistic/softmax-objective.ts';
import { trainLogistic } from '../../../src/learn/logistic/train-logistic.ts';
import type { StreamedSet } from '../../../src/learn/training-set.ts';
import { Pacer } from '../../../src/learn/pacer.ts';
import { generator, normal, randomSet } from './random.ts';
import { linalg } from './linalg.ts';

function streamedSet(...options: Parameters<typeof randomSet>): StreamedSet {
  const { codes, ...set } = randomSet(...options);
  return { ...set, rows: rowsInMemory(codes, set.targets.length) };
}

/** Standardised data, weights that differ, and parameters to look at the objective from. */
function problem(
  seed: number,
  counts: readonly number[],
  codeLength: number,
): { data: LogisticData; weights: Float64Array; random: () => number } {
  const { codes, targets } = randomSet(seed, counts, codeLength, 0.4);
  const random = generator(seed + 100);
  const data = {
    rows: rowsInMemory(codes, targets.length),
    mean: Float64Array.from({ length: codeLength }, () => normal(random)),
    deviation: Float32Array.from({ length: codeLength }, () => 0.5 + random()),
    targets,
    classes: counts.length,
  };
  return { data, weights: Float64Array.from(targets, (_, i) => (i % 5 === 0 ? 0 : 0.5 + random())), random };
}

function quartic([a, b]: Float64Array, gradient: Float64Array): Promise<number> {
  gradient[0] = 4 * a ** 3 + b;
  gradient[1] = a + 400 * b ** 3;
  return Promise.resolve(a ** 4 + a * b + 100 * b ** 4);
}

describe('L-BFGS', () => {
  test.each([2, 3, 10])('finds the bottom of Rosenbrock’s valley with %i pairs', async (memory) => {
    const { x, converged } = await minimise(
      ([a, b], gradient) => {
        gradient[0] = -400 * a * (b - a * a) - 2 * (1 - a);
        gradient[1] = 200 * (b - a * a);
        return Promise.resolve(100 * (b - a * a) ** 2 + (1 - a) ** 2);
      },
      Float64Array.of(-1.2, 1),
      { memory, maxIterations: 200, gradientTolerance: 1e-9, valueTolerance: 0 },
    );
    expect(converged).toBe(true);
    expect(x[0]).toBeCloseTo(1, 7);
    expect(x[1]).toBeCloseTo(1, 7);
  });

  test('solves a badly scaled quadratic, and leaves the start alone', async () => {
    const scales = Float64Array.from({ length: 30 }, (_, i) => 10 ** (i / 10));
    const start = new Float64Array(30).fill(5);
    const { x } = await minimise(
      (at, gradient) => {
        at.forEach((value, i) => (gradient[i] = scales[i] * (value - i)));
        return Promise.resolve(at.reduce((sum, value, i) => sum + (scales[i] / 2) * (value - i) ** 2, 0));
      },
      start,
      { memory: 10, maxIterations: 500, gradientTolerance: 1e-8, valueTolerance: 0 },
    );
    x.forEach((value, i) => expect(value).toBeCloseTo(i, 6));
    expect(start.every((value) => value === 5)).toBe(true);
  });

  test('says when its iterations ran out', async () => {
    const options = { memory: 3, maxIterations: 2, gradientTolerance: 1e-12, valueTolerance: 0 };
    expect(await minimise(quartic, Float64Array.of(3, 4), options)).toMatchObject({
      converged: false,
      iterations: 2,
    });
  });
});

describe('the objective of a logistic regression', () => {
  test.each([1, 2, 3])('has the gradient that central differences show, data %i', async (seed) => {
    const { data, weights, random } = problem(seed, [5, 4, 6], 9);
    const objective = softmaxObjective(data, weights, 0.3, new Pacer());
    const x = Float64Array.from({ length: 30 }, () => normal(random) / 3);
    const gradient = new Float64Array(30);
    await objective(x, gradient);
    const ignored = new Float64Array(30);
    for (let i = 0; i < 30; i++) {
      const moved = (by: number): Promise<number> => objective(x.with(i, x[i] + by), ignored);
      expect(gradient[i]).toBeCloseTo(((await moved(1e-5)) - (await moved(-1e-5))) / 2e-5, 7);
    }
  });

  test('is least where the bias alone says the classes’ shares, for codes that say nothing', async () => {
    const targets = Uint16Array.of(0, 0, 0, 0, 0, 1, 1, 1, 2, 2);
    const data = {
      rows: rowsInMemory(new Float16Array(20), 10),
      mean: new Float64Array(2),
      deviation: new Float32Array(2).fill(1),
      targets,
      classes: 3,
    };
    const { x } = await minimise(
      softmaxObjective(data, new Float64Array(10).fill(1), 1, new Pacer()),
      new Float64Array(9),
    );
    const shares = [...x.subarray(6)].map(Math.exp);
    const sum = shares.reduce((total, share) => total + share, 0);
    [0.5, 0.3, 0.2].forEach((share, c) => expect(shares[c] / sum).toBeCloseTo(share, 5));
    expect([...x.subarray(0, 6)].every((weight) => Math.abs(weight) < 1e-9)).toBe(true);
  });

  test('is least where Newton’s method says, for two classes', async () => {
    const { data, weights } = problem(7, [20, 25], 3);
    const lambda = 0.05;
    const { x } = await minimise(softmaxObjective(data, weights, lambda, new Pacer()), new Float64Array(8), {
      memory: 10,
      maxIterations: 500,
      gradientTolerance: 1e-10,
      valueTolerance: 0,
    });
    // Two classes share the penalty: their difference is a binary regression with half of it.
    const difference = newton(data, weights, lambda / 2);
    for (let d = 0; d < 3; d++) {
      expect(x[3 + d] - x[d]).toBeCloseTo(difference[d], 6);
      expect(x[3 + d] + x[d]).toBeCloseTo(0, 6);
    }
    expect(x[7] - x[6]).toBeCloseTo(difference[3], 6);
  });
});

/** Binary logistic regression of class 1 against 0: [w, b], by iteratively reweighted least squares. */
function newton(
  { rows, mean, deviation, targets }: LogisticData,
  weights: Float64Array,
  lambda: number,
): number[] {
  const d = rows.codeLength;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const codes = new Float16Array(rows.examples * d);
  rows.read(0, codes);
  let beta = Array.from({ length: d + 1 }, () => 0);
  for (let iteration = 0; iteration < 50; iteration++) {
    const hessian = beta.map((_, j) => beta.map((_, k) => (j === k && j < d ? lambda : 0)));
    const slope = beta.map((value, j) => (j < d ? lambda * value : 0));
    for (let i = 0; i < targets.length; i++) {
      const row = [...mean.keys()].map((j) => (codes[i * d + j] - mean[j]) / deviation[j]).concat(1);
      const p = 1 / (1 + Math.exp(-row.reduce((sum, value, j) => sum + value * beta[j], 0)));
      const share = weights[i] / total;
      for (let j = 0; j <= d; j++) {
        slope[j] += share * (p - targets[i]) * row[j];
        for (let k = 0; k <= d; k++) hessian[j][k] += share * p * (1 - p) * row[j] * row[k];
      }
    }
    const step = solve(hessian, slope);
    beta = beta.map((value, j) => value - step[j]);
  }
  return beta;
}

/** Gaussian elimination of a positive definite system. */
function solve(matrix: number[][], right: number[]): number[] {
  const [a, b] = [matrix.map((row) => [...row]), [...right]];
  for (let j = 0; j < b.length; j++) {
    for (let i = j + 1; i < b.length; i++) {
      const factor = a[i][j] / a[j][j];
      for (let k = j; k < b.length; k++) a[i][k] -= factor * a[j][k];
      b[i] -= factor * b[j];
    }
  }
  for (let j = b.length - 1; j >= 0; j--) {
    for (let k = j + 1; k < b.length; k++) b[j] -= a[j][k] * b[k];
    b[j] /= a[j][j];
  }
  return b;
}

describe('trainLogistic', () => {
  test('learns what can be learnt, says how well, and writes the same file again', async () => {
    const set = streamedSet(4, [40, 50, 40], 60);
    const { head, metrics, leaveOneOut } = await trainLogistic(set, { linalg, seed: 1 });
    expect(metrics!.accuracy).toBeGreaterThan(0.95);
    expect(leaveOneOut).toHaveLength(130 * 3);
    expect(head.training).toMatchObject({
      method: { fit: 'logistic', folds: 4 },
      examples: 130,
      counts: [40, 50, 40],
    });
    const file = writeHead(head);
    expect(writeHead(readHead(file))).toEqual(file);
    expect(writeHead((await trainLogistic(set, { linalg, seed: 1 })).head)).toEqual(file);
    expect(writeHead((await trainLogistic(set, { linalg, seed: 2 })).head)).not.toEqual(file);
  });

  test('says honestly that noise cannot be learnt', async () => {
    const { metrics } = await trainLogistic(streamedSet(5, [60, 60], 80, 0), { linalg, seed: 1 });
    expect(metrics!.accuracyInterval[0]).toBeLessThan(0.5);
    expect(metrics!.logLoss).toBeLessThan(0.8);
  });

  test('holds out half at a time where examples are many, λ chosen on some of them', async () => {
    const { head, metrics } = await trainLogistic(streamedSet(6, [5600, 5600], 4, 0.3), { linalg, seed: 1 });
    expect(head.training.method).toEqual({ fit: 'logistic', folds: 2 });
    expect(metrics!.examples).toBe(11_200);
  });

  test('cannot judge a class of one picture, and does without', async () => {
    const { metrics } = await trainLogistic(streamedSet(8, [1, 1], 5), { linalg, seed: 1 });
    expect(metrics).toBeNull();
  });

  test('refuses codes with numbers that are none, wherever they are, and too many examples', async () => {
    const set = streamedSet(9, [50, 50], 4);
    const broken: StreamedSet = {
      ...set,
      rows: {
        ...set.rows,
        read(begin, out) {
          set.rows.read(begin, out);
          if (begin + out.length / 4 > 70 && begin <= 70) out[(70 - begin) * 4] = NaN;
        },
      },
    };
    await expect(trainLogistic(broken, { linalg, seed: 1 })).rejects.toMatchObject({
      code: 'training_data_invalid',
    });
    await expect(trainLogistic(broken, { linalg, seed: 1 })).rejects.toThrow(/example 70 /);
    await expect(trainLogistic(set, { linalg, seed: 1, maxExamples: 99 })).rejects.toMatchObject({
      code: 'training_data_too_large',
    });
  });
});
