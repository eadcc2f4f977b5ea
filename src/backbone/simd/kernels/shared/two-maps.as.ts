/** Arithmetic of two maps, row by row, which may be laid out otherwise than the result. */
@unmanaged
export class TwoMaps {
  kernel: i32;
  input: usize;
  inputRow: i32;
  inputPlane: i32;
  other: usize;
  otherRow: i32;
  otherPlane: i32;
  output: usize;
  outputRow: i32;
  outputPlane: i32;
  height: i32;
  /** Bytes of a row without its padding. */
  rowBytes: i32;
  blocks: i32;
}
