/** Some columns of the codes of a whole backbone: those of the taps that are wanted. */
import type { Backbone } from '../../../src/backbone/index.ts';
import type { CodeRows } from '../../../src/learn/code-rows.ts';

/** @param rows codes of the whole plan. @param taps in the plan's order. */
export function tapRows(rows: CodeRows, { plan, codeLength }: Backbone, taps: readonly string[]): CodeRows {
  if (taps.length === plan.taps.length) return rows;
  const columns = columnsOf(plan.taps, taps);
  const length = columns.reduce((sum, { count }) => sum + count, 0);
  return {
    examples: rows.examples,
    codeLength: length,
    read(begin, out) {
      const count = out.length / length;
      const whole = new Float16Array(Math.min(count, ROWS) * codeLength);
      for (let first = 0; first < count; first += ROWS) {
        const some = whole.subarray(0, Math.min(ROWS, count - first) * codeLength);
        rows.read(begin + first, some);
        let to = first * length;
        for (let at = 0; at < some.length; at += codeLength) {
          for (const column of columns) {
            out.set(some.subarray(at + column.from, at + column.from + column.count), to);
            to += column.count;
          }
        }
      }
    },
  };
}

/** Whole rows that are held at once. */
const ROWS = 64;

function columnsOf(
  all: readonly { readonly name: string; readonly channels: number }[],
  taps: readonly string[],
): { from: number; count: number }[] {
  const columns: { from: number; count: number }[] = [];
  let from = 0;
  for (const { name, channels } of all) {
    if (taps.includes(name)) columns.push({ from, count: channels });
    from += channels;
  }
  return columns;
}
