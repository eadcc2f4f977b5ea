/**
 * Rows of four bytes a pixel to RGB. Four pixels at a time: up to 12 bytes more than the row are read, up to 13 more
 * are written.
 */

/** Each pixel's fourth byte, four times, as 16-bit words. */
const LAST_OF_TWO = i8x16(3, -128, 3, -128, 3, -128, 3, -128, 7, -128, 7, -128, 7, -128, 7, -128);
const LAST_OF_OTHER_TWO = i8x16(11, -128, 11, -128, 11, -128, 11, -128, 15, -128, 15, -128, 15, -128, 15, -128);
/** All bits but those of each pixel's fourth byte. */
const COLOURS = i32x4.splat(0x00ffffff);
const WITHOUT_LAST = i8x16(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -128, -128, -128, -128);

/** Blends RGBA over white. */
export function overWhite(from: usize, to: usize, width: i32): void {
  for (const end = from + (width << 2); from < end; from += 16, to += 12) {
    const pixels = v128.load(from);
    // All four opaque, as most pictures are throughout.
    if (i8x16.all_true(i8x16.eq(v128.or(pixels, COLOURS), i8x16.splat(-1)))) {
      v128.store(to, i8x16.swizzle(pixels, WITHOUT_LAST));
      continue;
    }
    const a = i8x16.swizzle(pixels, LAST_OF_TWO), b = i8x16.swizzle(pixels, LAST_OF_OTHER_TWO);
    store12(to, veiled(i16x8.extend_low_i8x16_u(pixels), a), veiled(i16x8.extend_high_i8x16_u(pixels), b));
  }
}

/** Inverted CMYK, in which 255 means no ink: R = C · K / 255. */
export function multiplyOut(from: usize, to: usize, width: i32): void {
  for (const end = from + (width << 2); from < end; from += 16, to += 12) {
    const pixels = v128.load(from);
    const a = i8x16.swizzle(pixels, LAST_OF_TWO), b = i8x16.swizzle(pixels, LAST_OF_OTHER_TWO);
    const first = i16x8.mul(i16x8.extend_low_i8x16_u(pixels), a);
    const second = i16x8.mul(i16x8.extend_high_i8x16_u(pixels), b);
    store12(to, divideBy255(first), divideBy255(second));
  }
}

/** (v · a + 255 · (255 − a)) / 255 */
@inline
function veiled(v: v128, a: v128): v128 {
  const white = i16x8.splat(255);
  return divideBy255(i16x8.add(i16x8.mul(v, a), i16x8.mul(white, i16x8.sub(white, a))));
}

/** round(v / 255) for 0 ≤ v ≤ 255², exactly: (v + 128) · 257 / 2¹⁶ without leaving 16 bits. */
@inline
function divideBy255(v: v128): v128 {
  const t = i16x8.add(v, i16x8.splat(128));
  return i16x8.shr_u(i16x8.add(t, i16x8.shr_u(t, 8)), 8);
}

@inline
function store12(to: usize, a: v128, b: v128): void {
  v128.store(to, i8x16.swizzle(i8x16.narrow_i16x8_u(a, b), WITHOUT_LAST));
}
