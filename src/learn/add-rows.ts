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

/**
 * out[r·columns + c] = row `first + r` of the left matrix · row c of the right one, for up to ROWS_AT_ONCE rows of the left.
 * Four by two are summed up at a time, so that additions need not wait for one another and a number that was loaded is
 * used more than once.
 * @param left [… × length]
 * @param end of the left matrix's rows; what lies behind it is not written, or written twice.
 * @param right [columns × length]
 * @param out [ROWS_AT_ONCE × columns]
 */
export function rowProducts(
  left: Float64Array | Float32Array,
  first: number,
  end: number,
  right: Float64Array,
  columns: number,
  length: number,
  out: Float64Array,
): void {
  const last = end - 1;
  const a0 = first * length;
  const a1 = Math.min(first + 1, last) * length;
  const a2 = Math.min(first + 2, last) * length;
  const a3 = Math.min(first + 3, last) * length;
  for (let c = 0; c < columns; c += 2) {
    const other = Math.min(c + 1, columns - 1);
    productsOfTile(left, a0, a1, a2, a3, right, c * length, other * length, length, out, c, other, columns);
  }
}

function productsOfTile(
  left: Float64Array | Float32Array,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  right: Float64Array,
  b0: number,
  b1: number,
  length: number,
  out: Float64Array,
  c0: number,
  c1: number,
  columns: number,
): void {
  let s00 = 0;
  let s01 = 0;
  let s10 = 0;
  let s11 = 0;
  let s20 = 0;
  let s21 = 0;
  let s30 = 0;
  let s31 = 0;
  for (let k = 0; k < length; k++) {
    const x = right[b0 + k];
    const y = right[b1 + k];
    const p = left[a0 + k];
    s00 += p * x;
    s01 += p * y;
    const q = left[a1 + k];
    s10 += q * x;
    s11 += q * y;
    const r = left[a2 + k];
    s20 += r * x;
    s21 += r * y;
    const s = left[a3 + k];
    s30 += s * x;
    s31 += s * y;
  }
  out[c0] = s00;
  out[c1] = s01;
  out[columns + c0] = s10;
  out[columns + c1] = s11;
  out[2 * columns + c0] = s20;
  out[2 * columns + c1] = s21;
  out[3 * columns + c0] = s30;
  out[3 * columns + c1] = s31;
}
