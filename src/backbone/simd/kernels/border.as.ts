/** Clears the padding of a map. */
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
}

export function border(s: Border): void {
  for (let block = 0; block < s.blocks; block++) {
    let at = s.map + block * s.plane;
    memory.fill(at, 0, s.top + s.left);
    at += s.top;
    // The right padding of a row and the left padding of the next are neighbours.
    for (let y = 1; y < s.height; y++) {
      at += s.row;
      for (let x = at - s.right, end = at + s.left; x < end; x += 16) v128.store(x, i32x4.splat(0));
    }
    at += s.row;
    memory.fill(at - s.right, 0, s.right + s.bottom);
  }
}
