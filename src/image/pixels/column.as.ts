/** The vertical pass: squeezed rows, i32, weighed and summed up to rows of the result. Lengths are multiples of 64 bytes. */

/** From the unit of the sums, 2^-22, to whole levels. */
const SHIFT: i32 = 22;
const HALF: i32 = 1 << (SHIFT - 1);

/** sums = ½ + weight · row */
export function startLine(row: usize, weight: i32, sums: usize, bytes: i32): void {
  const w = i32x4.splat(weight), half = i32x4.splat(HALF);
  for (const end = row + bytes; row < end; row += 32, sums += 32) {
    v128.store(sums, i32x4.add(half, i32x4.mul(v128.load(row), w)));
    v128.store(sums, i32x4.add(half, i32x4.mul(v128.load(row, 16), w)), 16);
  }
}

/** sums += weight · row */
export function addLine(row: usize, weight: i32, sums: usize, bytes: i32): void {
  const w = i32x4.splat(weight);
  for (const end = row + bytes; row < end; row += 32, sums += 32) {
    v128.store(sums, i32x4.add(v128.load(sums), i32x4.mul(v128.load(row), w)));
    v128.store(sums, i32x4.add(v128.load(sums, 16), i32x4.mul(v128.load(row, 16), w)), 16);
  }
}

/** Rounds sums to bytes. */
export function finishLine(sums: usize, line: usize, bytes: i32): void {
  for (const end = sums + bytes; sums < end; sums += 64, line += 16) {
    const a = i16x8.narrow_i32x4_s(level(sums), level(sums + 16));
    const b = i16x8.narrow_i32x4_s(level(sums + 32), level(sums + 48));
    v128.store(line, i8x16.narrow_i16x8_u(a, b));
  }
}

@inline
function level(sums: usize): v128 {
  return i32x4.shr_s(v128.load(sums), SHIFT);
}
