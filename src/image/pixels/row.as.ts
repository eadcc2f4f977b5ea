/** The horizontal pass: one row of RGB bytes to the result's width. */

/** Weights are split into a high part and these low bits, so that both fit 16-bit words. */
const LOW_BITS: i32 = 11;
/** From the unit of the weights, 2^-22, to that of squeezed rows, 2^-6. */
const SHIFT: i32 = 16;
const HALF: i32 = 1 << (SHIFT - 1);

/** Of four pixels RGBRGB…: the first two, or the last two, as 16-bit words RRGGBB and two that don't matter. */
const FIRST_PAIR = i8x16(0, -128, 3, -128, 1, -128, 4, -128, 2, -128, 5, -128, -128, -128, -128, -128);
const SECOND_PAIR = i8x16(6, -128, 9, -128, 7, -128, 10, -128, 8, -128, 11, -128, -128, -128, -128, -128);

/** One of the four words of weights in all of them; loaded once, as where each load is checked it costs more than this. */
@inline
function spread(weights: v128, word: i32): v128 {
  if (word == 0) return i32x4.shuffle(weights, weights, 0, 0, 0, 0);
  if (word == 1) return i32x4.shuffle(weights, weights, 1, 1, 1, 1);
  if (word == 2) return i32x4.shuffle(weights, weights, 2, 2, 2, 2);
  return i32x4.shuffle(weights, weights, 3, 3, 3, 3);
}

/**
 * Sums up to 4 · `quads` pixels for each column. Writes i32[columns][3], and 4 bytes beyond.
 * The products of 16-bit words are exact, and so are their sums.
 */
export function squeeze(row: usize, starts: usize, across: usize, columns: i32, quads: i32, out: usize): void {
  // The usual case has a function of its own, without the loop within.
  if (quads == 1) squeezeAs(row, starts, across, columns, 1, out);
  else squeezeAny(row, starts, across, columns, quads, out);
}

function squeezeAny(row: usize, starts: usize, across: usize, columns: i32, quads: i32, out: usize): void {
  squeezeAs(row, starts, across, columns, quads, out);
}

@inline
function squeezeAs(row: usize, starts: usize, across: usize, columns: i32, quads: i32, out: usize): void {
  for (const end = starts + (columns << 2); starts < end; starts += 4, out += 12) {
    let from = row + load<i32>(starts);
    let low = i32x4.splat(HALF), high = i32x4.splat(0);
    let left = quads;
    do {
      const pixels = v128.load(from), weights = v128.load(across);
      const first = i8x16.swizzle(pixels, FIRST_PAIR), second = i8x16.swizzle(pixels, SECOND_PAIR);
      low = i32x4.add(low, i32x4.dot_i16x8_s(first, spread(weights, 0)));
      high = i32x4.add(high, i32x4.dot_i16x8_s(first, spread(weights, 1)));
      low = i32x4.add(low, i32x4.dot_i16x8_s(second, spread(weights, 2)));
      high = i32x4.add(high, i32x4.dot_i16x8_s(second, spread(weights, 3)));
      from += 12;
      across += 16;
    } while (--left > 0);
    v128.store(out, i32x4.shr_s(i32x4.add(low, i32x4.shl(high, LOW_BITS)), SHIFT));
  }
}
