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

function addPaeth(at: usize, end: usize, up: usize, step: i32): void {
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
