import { describe, expect, test } from 'vitest';
import { mutantsOf } from '../../mutants/operators.ts';

const changes = (source: string): string[] =>
  mutantsOf('made-up.ts', source).map(
    ({ start, end, replacement }) => source.slice(0, start) + replacement + source.slice(end),
  );

describe('mutation operators', () => {
  test('move a boundary, and turn a condition around', () => {
    expect(changes('if (a < b) f();')).toEqual(['if (a <= b) f();', 'if (a < b) ;']);
    expect(changes('if (a) b = 1;')).toEqual(['if (!(a)) b = 1;', 'if (a) ;']);
  });

  test('leave a condition out of an SQL statement', () => {
    expect(changes('const s = "DELETE FROM a WHERE b = ? AND c IS NULL";')).toEqual([
      'const s = "DELETE FROM a WHERE b = ?";',
    ]);
  });

  test('leave types, imports and messages alone', () => {
    expect(changes("import a from 'a'; type A = B | C; throw new Error(`${a + 1}`);")).toEqual([]);
  });

  test('know the function that they are in', () => {
    const source = 'function f() { return a && b; } const g = () => a || b;';
    expect(mutantsOf('made-up.ts', source).map(({ body }) => body)).toEqual([14, undefined]);
  });
});
