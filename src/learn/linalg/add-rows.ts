/** Sums and products of rows, four at once, so that what they share is read a quarter as often. */

/** Rows that are taken up at once. */
export const ROWS_AT_ONCE = 4;

// Rows are not taken by array patterns: until V8 optimises a caller, each makes objects.

/** out[from …] += Σ rows[r]·factors[r · stride + column], r from 0 to 3. */
export function addRows(
  out: Float64Array,
  from: number,
  rows: readonly Float64Array[],
  factors: Float64Array,
  column: number,
  stride: number,
): void {
  const r0 = rows[0];
  const r1 = rows[1];
  const r2 = rows[2];
  const r3 = rows[3];
  const f0 = factors[column];
  const f1 = factors[stride + column];
  const f2 = factors[2 * stride + column];
  const f3 = factors[3 * stride + column];
  for (let d = 0; d < r0.length; d++) out[from + d] += f0 * r0[d] + f1 * r1[d] + (f2 * r2[d] + f3 * r3[d]);
}

/** out[r · stride + column] = start + values[from …]·rows[r], r from 0 to 3. */
export function multiplyRows(
  values: Float64Array,
  from: number,
  rows: readonly Float64Array[],
  start: number,
  out: Float64Array,
  column: number,
  stride: number,
): void {
  const r0 = rows[0];
  const r1 = rows[1];
  const r2 = rows[2];
  const r3 = rows[3];
  let s0 = start;
  let s1 = start;
  let s2 = start;
  let s3 = start;
  for (let d = 0; d < r0.length; d++) {
    const value = values[from + d];
    s0 += value * r0[d];
    s1 += value * r1[d];
    s2 += value * r2[d];
    s3 += value * r3[d];
  }
  out[column] = s0;
  out[stride + column] = s1;
  out[2 * stride + column] = s2;
  out[3 * stride + column] = s3;
}
