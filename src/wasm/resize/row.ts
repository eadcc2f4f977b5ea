/** The horizontal pass: one row of RGB bytes to the result's width. */

/** Weights are split into a high part and these low bits, so that both fit 16-bit words. */
const LOW_BITS: i32 = 11;
/** From the unit of the weights, 2^-22, to that of squeezed rows, 2^-6. */
const SHIFT: i32 = 16;
const HALF: i32 = 1 << (SHIFT - 1);

/** Of four pixels RGBRGB…: the first two, or the last two, as 16-bit words RRGGBB and two that don't matter. */
const FIRST_PAIR = i8x16(0, -128, 3, -128, 1, -128, 4, -128, 2, -128, 5, -128, -128, -128, -128, -128);
const SECOND_PAIR = i8x16(6, -128, 9, -128, 7, -128, 10, -128, 8, -128, 11, -128, -128, -128, -128, -128);

/**
 * Sums up to 2 · `pairs` pixels for each column. Writes i32[columns][3], and 4 bytes beyond.
 * The products of 16-bit words are exact, and so are their sums.
 */
export function squeeze(row: usize, starts: usize, across: usize, columns: i32, pairs: i32, out: usize): void {
  const quads = pairs >> 1;
  for (const end = starts + (columns << 2); starts < end; starts += 4, out += 12) {
    let from = row + load<i32>(starts);
    let low = i32x4.splat(HALF), high = i32x4.splat(0);
    for (let k = 0; k < quads; k++, from += 12, across += 16) {
      const pixels = v128.load(from);
      const first = i8x16.swizzle(pixels, FIRST_PAIR), second = i8x16.swizzle(pixels, SECOND_PAIR);
      low = i32x4.add(low, i32x4.dot_i16x8_s(first, v128.load32_splat(across)));
      high = i32x4.add(high, i32x4.dot_i16x8_s(first, v128.load32_splat(across, 4)));
      low = i32x4.add(low, i32x4.dot_i16x8_s(second, v128.load32_splat(across, 8)));
      high = i32x4.add(high, i32x4.dot_i16x8_s(second, v128.load32_splat(across, 12)));
    }
    if (pairs & 1) {
      const first = i8x16.swizzle(v128.load64_zero(from), FIRST_PAIR);
      low = i32x4.add(low, i32x4.dot_i16x8_s(first, v128.load32_splat(across)));
      high = i32x4.add(high, i32x4.dot_i16x8_s(first, v128.load32_splat(across, 4)));
      across += 8;
    }
    v128.store(out, i32x4.shr_s(i32x4.add(low, i32x4.shl(high, LOW_BITS)), SHIFT));
  }
}
