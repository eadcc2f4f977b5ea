/** Sums of rows, four at once, so that the sum is read and written a quarter as often. */

/** Rows that `addRows` takes up at once. */
export const ROWS_AT_ONCE = 4;

/** out += Σ rows[r]·factors[r · stride + column], r from 0 to 3. */
export function addRows(
  out: Float64Array,
  [r0, r1, r2, r3]: readonly Float64Array[],
  factors: Float64Array,
  column: number,
  stride: number,
): void {
  const f0 = factors[column];
  const f1 = factors[stride + column];
  const f2 = factors[2 * stride + column];
  const f3 = factors[3 * stride + column];
  for (let d = 0; d < out.length; d++) out[d] += f0 * r0[d] + f1 * r1[d] + (f2 * r2[d] + f3 * r3[d]);
}
