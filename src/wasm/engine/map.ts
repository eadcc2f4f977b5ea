/** Steps that walk whole maps, element by element: scaling by channel, adding, clearing the padding. */
import { PIXEL_BYTES } from './codes';

@unmanaged
export class Scale {
  op: i32;
  input: usize;
  inputRow: i32;
  inputPlane: i32;
  /** f32[blocks][8] */
  factors: usize;
  output: usize;
  outputRow: i32;
  outputPlane: i32;
  height: i32;
  /** Bytes of a row without its padding. */
  rowBytes: i32;
  blocks: i32;
}

export function scale(s: Scale): void {
  for (let block = 0; block < s.blocks; block++) {
    const low = v128.load(s.factors + (block << 5)), high = v128.load(s.factors + (block << 5), 16);
    let from = s.input + block * s.inputPlane, to = s.output + block * s.outputPlane;
    for (let y = 0; y < s.height; y++) {
      for (let x = 0; x < s.rowBytes; x += PIXEL_BYTES) {
        v128.store(to + x, f32x4.mul(v128.load(from + x), low));
        v128.store(to + x, f32x4.mul(v128.load(from + x, 16), high), 16);
      }
      from += s.inputRow;
      to += s.outputRow;
    }
  }
}

@unmanaged
export class Add {
  op: i32;
  a: usize;
  aRow: i32;
  aPlane: i32;
  b: usize;
  bRow: i32;
  bPlane: i32;
  output: usize;
  outputRow: i32;
  outputPlane: i32;
  height: i32;
  /** Bytes of a row without its padding. */
  rowBytes: i32;
  blocks: i32;
}

export function add(s: Add): void {
  for (let block = 0; block < s.blocks; block++) {
    let a = s.a + block * s.aPlane, b = s.b + block * s.bPlane, to = s.output + block * s.outputPlane;
    for (let y = 0; y < s.height; y++) {
      for (let x = 0; x < s.rowBytes; x += 16) {
        v128.store(to + x, f32x4.add(v128.load(a + x), v128.load(b + x)));
      }
      a += s.aRow;
      b += s.bRow;
      to += s.outputRow;
    }
  }
}

@unmanaged
export class Border {
  op: i32;
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
      clear(at - s.right, s.right + s.left);
    }
    at += s.row;
    memory.fill(at - s.right, 0, s.right + s.bottom);
  }
}

@inline
function clear(at: usize, bytes: i32): void {
  for (let i = 0; i < bytes; i += 16) v128.store(at + i, i32x4.splat(0));
}
