import { describe, expect, it } from 'vitest';
import { jackknifeF1, studentQuantile95, wilsonInterval } from '../../../src/learn/statistics/intervals.ts';
import { auroc } from '../../../src/learn/statistics/auroc.ts';
import { evaluate } from '../../../src/learn/statistics/metrics.ts';
import { generator } from './random.ts';

describe('evaluate', () => {
  const probabilities = Float64Array.from([0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.5, 0.3, 0.2, 0.2, 0.2, 0.6]);
  const metrics = evaluate(probabilities, Uint16Array.of(0, 1, 1, 2), 3);

  it('counts what was called what', () => {
    expect(metrics.confusion).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
    expect(metrics.accuracy).toBe(0.75);
    expect(metrics.perClass.map(({ precision }) => precision)).toEqual([0.5, 1, 1]);
    expect(metrics.perClass.map(({ recall }) => recall)).toEqual([1, 0.5, 1]);
    expect(metrics.macroF1).toBeCloseTo((2 / 3 + 2 / 3 + 1) / 3, 12);
  });

  it('takes the log-loss and the calibration error of the top prediction', () => {
    // Losses are in single precision.
    expect(metrics.logLoss).toBeCloseTo(-Math.log(0.7 * 0.8 * 0.3 * 0.6) / 4, 7);
    // Four predictions in four bins.
    expect(metrics.calibrationError).toBeCloseTo((0.3 + 0.2 + 0.5 + 0.4) / 4, 12);
    expect(metrics.reliability.reduce((sum, { count }) => sum + count, 0)).toBe(4);
  });

  it('stays finite for certain mistakes and classes that nothing is of', () => {
    const worst = evaluate(Float32Array.of(1, 0, 0), Uint16Array.of(1), 3);
    expect(worst.logLoss).toBeGreaterThan(30);
    expect(JSON.stringify(worst)).not.toContain('null');
  });

  it('refuses what does not fit together', () => {
    expect(() => evaluate(Float32Array.of(1, 0), Uint16Array.of(), 2)).toThrow(RangeError);
    expect(() => evaluate(Float32Array.of(1, 0), Uint16Array.of(2), 2)).toThrow(RangeError);
    expect(() => evaluate(Float32Array.of(1), Uint16Array.of(0), 2)).toThrow(RangeError);
  });
});

describe('intervals', () => {
  it('are those of Wilson', () => {
    const [low, high] = wilsonInterval(8, 10);
    expect(low).toBeCloseTo(0.4901625, 6);
    expect(high).toBeCloseTo(0.9433178, 6);
    expect(wilsonInterval(0, 10)[0]).toBe(0);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });

  it('of macro-F1 follow from leaving each example out', () => {
    const confusion = [
      [5, 2, 0],
      [1, 7, 1],
      [0, 0, 4],
    ];
    const n = 20;
    const macro = (cells: number[][]) => jackknifeF1(cells, n).macroF1;
    const left: number[] = [];
    confusion.forEach((row, i) =>
      row.forEach((count, j) => {
        const without = confusion.map((cells) => [...cells]);
        without[i][j]--;
        for (let e = 0; e < count; e++) left.push(macro(without));
      }),
    );
    const mean = left.reduce((sum, value) => sum + value, 0) / n;
    const variance = ((n - 1) / n) * left.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const [low] = jackknifeF1(confusion, n).interval;
    expect(macro(confusion) - low).toBeCloseTo(1.959964 * Math.sqrt(variance), 5);
  });

  it('use the quantile of Student for few', () => {
    expect(studentQuantile95(1)).toBe(6.314);
    expect(Math.abs(studentQuantile95(40) - 1.68385)).toBeLessThan(0.002);
    expect(studentQuantile95(1e9)).toBeCloseTo(1.644854, 6);
  });
});

describe('unknown pictures', () => {
  it('are told apart as counting all pairs does, ties included', () => {
    const random = generator(5);
    const known = Array.from({ length: 40 }, () => Math.floor(random() * 10));
    const unknown = Array.from({ length: 30 }, () => Math.floor(random() * 10) + 2);
    let wins = 0;
    for (const k of known) for (const s of unknown) wins += s > k ? 1 : Number(s === k) / 2;
    expect(auroc(known, unknown)).toBeCloseTo(wins / 1200, 12);
    expect(auroc([], unknown)).toBe(0.5);
  });
});
