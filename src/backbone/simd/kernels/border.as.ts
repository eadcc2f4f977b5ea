/** Fills the padding of a map, with zeros or zero points. */
@unmanaged
export class Border {
  kernel: i32;
  /** The first byte of the padded map. */
  map: usize;
  row: i32;
  plane: i32;
  blocks: i32;
  height: i32;
  /** Bytes of padding: whole rows above and below, and left and right in each row. */
  top: i32;
  bottom: i32;
  left: i32;
  right: i32;
  /** Four bytes of what the padding holds. */
  value: i32;
}

@inline
function fill(from: usize, bytes: usize, value: v128): void {
  for (const end = from + bytes; from < end; from += 16) v128.store(from, value);
}

export function border(s: Border): void {
  const value = i32x4.splat(s.value);
  for (let block = 0; block < s.blocks; block++) {
    let at = s.map + block * s.plane;
    fill(at, s.top + s.left, value);
    at += s.top;
    // The right padding of a row and the left padding of the next are neighbours.
    for (let y = 1; y < s.height; y++) {
      at += s.row;
      fill(at - s.right, s.left + s.right, value);
    }
    at += s.row;
    fill(at - s.right, s.right + s.bottom, value);
  }
}
