/** The dot product of two stretches of memory. */

/** a[i…]·b[j…]. Four running sums, so that additions need not wait for one another. */
export function dot(
  a: Float64Array | Float32Array,
  i: number,
  b: Float64Array | Float32Array,
  j: number,
  length: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const whole = length & ~3;
  let k = 0;
  for (; k < whole; k += 4) {
    s0 += a[i + k] * b[j + k];
    s1 += a[i + k + 1] * b[j + k + 1];
    s2 += a[i + k + 2] * b[j + k + 2];
    s3 += a[i + k + 3] * b[j + k + 3];
  }
  for (; k < length; k++) s0 += a[i + k] * b[j + k];
  return s0 + s1 + (s2 + s3);
}
