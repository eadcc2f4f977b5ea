import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allRows, rowsInMemory, selectRows, stretches } from '../../../src/learn/code-rows.ts';
import { trainLogistic } from '../../../src/learn/logistic/train-logistic.ts';
import { writeHead } from '../../../src/head/index.ts';
import { createTable } from '../../../trainer/codes/table.ts';
import { tapRows } from '../../../trainer/strategy/linear/tap-rows.ts';
import { mobileNet } from '../backbone/files.ts';
import { randomSet } from '../learn/random.ts';
import { temporaryFolder } from './workspace.ts';
import { linalg } from '../learn/linalg.ts';

const D = 6;

function code(row: number): Float16Array {
  return Float16Array.from({ length: D }, (_, d) => row + d / 8);
}

describe.each([
  ['memory', Infinity],
  ['a file', 0],
])('codes in %s', (_, inMemory) => {
  test('come back as they were set, in any order; those that were not are zeros', () => {
    const { rows, set } = createTable(50, D, temporaryFolder(), inMemory);
    for (let row = 48; row > 0; row -= 2) set(row, code(row));
    const all = allRows(rows);
    for (let row = 0; row < 50; row++) {
      const expected = row > 0 && row % 2 === 0 ? code(row) : new Float16Array(D);
      expect(all.subarray(row * D, (row + 1) * D), `row ${row}`).toEqual(expected);
    }
    const parts: number[] = [];
    for (const { out } of stretches(rows, 7)) parts.push(...out);
    expect(parts).toEqual([...all]);
    expect(allRows(selectRows(rows, [4, 3, 48])).subarray(2 * D)).toEqual(code(48));
  });

  test('train the same head', async () => {
    const { codes, ...set } = randomSet(1, [30, 40], D);
    const expected = writeHead(
      (await trainLogistic({ ...set, rows: rowsInMemory(codes, 70) }, { linalg, seed: 1 })).head,
    );
    const table = createTable(70, D, temporaryFolder(), inMemory);
    for (let row = 0; row < 70; row++) table.set(row, codes.subarray(row * D, (row + 1) * D));
    expect(writeHead((await trainLogistic({ ...set, rows: table.rows }, { linalg, seed: 1 })).head)).toEqual(
      expected,
    );
  });
});

describe('a table in a file', () => {
  test('leaves none behind, and refuses rows that there are not', () => {
    const folder = temporaryFolder();
    const { rows, set } = createTable(3, D, folder, 0);
    set(2, code(2));
    expect(readdirSync(folder)).toEqual([]);
    expect(() => rows.read(2, new Float16Array(2 * D))).toThrow(RangeError);
  });

  test('says where it could not be made', () => {
    const folder = join(temporaryFolder(), 'file');
    writeFileSync(folder, '');
    expect(() => createTable(3, D, folder, 0)).toThrow(`cannot be kept in ${folder}`);
  });
});

test('columns of some taps are those of the whole code', () => {
  const backbone = mobileNet();
  const [n, d] = [130, backbone.codeLength];
  const codes = Float16Array.from({ length: n * d }, (_, i) => (i * 7919) % 2048);
  const [first, second, third] = backbone.plan.taps;
  const found = tapRows(rowsInMemory(codes, n), backbone, [first.name, third.name]);
  expect(found.codeLength).toBe(first.channels + third.channels);
  const begin = first.channels + second.channels;
  const expected = Array.from({ length: n }, (_, i) => [
    ...codes.subarray(i * d, i * d + first.channels),
    ...codes.subarray(i * d + begin, i * d + begin + third.channels),
  ]).flat();
  expect([...allRows(found)]).toEqual(expected);
});
