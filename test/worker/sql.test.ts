/** Statements with their values in place. */
import { expect, it } from 'vitest';
import { part } from '../../worker/tenant/sql.ts';
import { inRows } from './in-rows.ts';

it('a value is bound, whatever it holds', () =>
  inRows(({ sql }) => {
    const text = "'; DROP TABLE marks; --";
    sql`INSERT INTO marks VALUES (${text})`;
    expect(sql`SELECT name FROM marks WHERE name = ${text}`).toEqual([{ name: text }]);
    const code = new Uint8Array([1, 2]).buffer;
    expect(sql`SELECT ${null} AS absent, ${1.5} AS number, ${code} AS code`).toEqual([
      { absent: null, number: 1.5, code },
    ]);
  }));

it('parts stand in other parts with their values, in order', () =>
  inRows(({ sql }) => {
    const inner = part`SELECT ${2} AS b`;
    const outer = part`SELECT ${1} AS a, b FROM (${inner}) WHERE b = ${2}`;
    expect(outer).toEqual({ text: 'SELECT ? AS a, b FROM (SELECT ? AS b) WHERE b = ?', values: [1, 2, 2] });
    expect(sql`SELECT * FROM (${outer}), (SELECT ${3} AS c)`).toEqual([{ a: 1, b: 2, c: 3 }]);
    expect(sql`SELECT count(*) AS n FROM ${part(['marks'])}`).toEqual([{ n: 0 }]);
  }));
