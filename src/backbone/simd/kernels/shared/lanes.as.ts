/** Where the lanes of vectors go. */

/** One lane of a vector in all of them. */
@inline
export function spread(x: v128, lane: i32): v128 {
  if (lane == 0) return i32x4.shuffle(x, x, 0, 0, 0, 0);
  if (lane == 1) return i32x4.shuffle(x, x, 1, 1, 1, 1);
  if (lane == 2) return i32x4.shuffle(x, x, 2, 2, 2, 2);
  return i32x4.shuffle(x, x, 3, 3, 3, 3);
}

/** i16 pairs that lie beside each other: of the lower or the upper four of eight. */
@inline
export function interleaved(a: v128, b: v128, upper: bool): v128 {
  if (upper) return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
