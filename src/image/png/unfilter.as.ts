/** PNG's filters undone (W3C PNG third edition, 9). */

/** Works in place. Byte 0 of both rows is the filter's number. @returns false where it is none. */
export function unfilter(row: usize, previous: usize, bytes: i32, step: i32): bool {
  const first = row + 1 + step;
  const end = row + bytes;
  const up = previous - row;
  switch (load<u8>(row)) {
    case 0:
      return true;
    case 1:
      for (let at = first; at < end; at++) store<u8>(at, load<u8>(at) + load<u8>(at - step));
      return true;
    case 2:
      addUp(row + 1, end, up);
      return true;
    case 3:
      for (let at = row + 1; at < first; at++) store<u8>(at, load<u8>(at) + (load<u8>(at + up) >> 1));
      for (let at = first; at < end; at++) {
        const mean = (<u32>load<u8>(at - step) + <u32>load<u8>(at + up)) >> 1;
        store<u8>(at, <u8>(load<u8>(at) + mean));
      }
      return true;
    case 4:
      addUp(row + 1, first, up);
      addPaeth(first, end, up, step);
      return true;
    default:
      return false;
  }
}

/** Adds the row above. */
function addUp(at: usize, end: usize, up: usize): void {
  for (; at + 16 <= end; at += 16) v128.store(at, i8x16.add(v128.load(at), v128.load(at + up)));
  for (; at < end; at++) store<u8>(at, load<u8>(at) + load<u8>(at + up));
}

/** Bytes of a pixel that are done at once are worth it from three on: the pixels have to wait for each other. */
function addPaeth(first: usize, end: usize, up: usize, step: i32): void {
  if (step == 3) addPaethPixels(first, end, up, 3);
  else if (step == 4) addPaethPixels(first, end, up, 4);
  else if (step == 6) addPaethPixels(first, end, up, 6);
  else if (step == 8) addPaethPixels(first, end, up, 8);
  else addPaethBytes(first, end, up, step);
}

function addPaethBytes(at: usize, end: usize, up: usize, step: i32): void {
  for (; at < end; at++) {
    const left = <i32>load<u8>(at - step);
    const above = <i32>load<u8>(at + up);
    const corner = <i32>load<u8>(at + up - step);
    const toLeft = abs(above - corner);
    const toAbove = abs(left - corner);
    const toCorner = abs(above + left - 2 * corner);
    const near = toAbove <= toCorner ? above : corner;
    const value = toLeft <= toAbove && toLeft <= toCorner ? left : near;
    store<u8>(at, <u8>(load<u8>(at) + value));
  }
}

/** Whole pixels in 16-bit lanes, of which the first `step` count. Reads up to seven bytes beyond the row's end. */
@inline
function addPaethPixels(at: usize, end: usize, up: usize, step: i32): void {
  const low = i16x8.splat(255);
  let left = v128.load8x8_u(at - step);
  let corner = v128.load8x8_u(at + up - step);
  for (; at < end; at += step) {
    const above = v128.load8x8_u(at + up);
    const alongAbove = i16x8.sub(above, corner);
    const alongLeft = i16x8.sub(left, corner);
    const toLeft = i16x8.abs(alongAbove);
    const toAbove = i16x8.abs(alongLeft);
    const toCorner = i16x8.abs(i16x8.add(alongAbove, alongLeft));
    const least = i16x8.min_s(toCorner, i16x8.min_s(toLeft, toAbove));
    const near = v128.bitselect(above, corner, i16x8.eq(toAbove, least));
    const value = v128.bitselect(left, near, i16x8.eq(toLeft, least));
    left = v128.and(i16x8.add(v128.load8x8_u(at), value), low);
    corner = above;
    storePixel(at, i8x16.narrow_i16x8_u(left, left), step);
  }
}

@inline
function storePixel(at: usize, pixel: v128, step: i32): void {
  if (step == 8) v128.store64_lane(at, pixel, 0);
  else if (step == 3) {
    v128.store16_lane(at, pixel, 0);
    v128.store8_lane(at, pixel, 2, 2);
  } else {
    v128.store32_lane(at, pixel, 0);
    if (step == 6) v128.store16_lane(at, pixel, 2, 4);
  }
}
