/**
 * What the depthwise convolutions share. The input lies inside its own padding, so that no pixel is special. Kernels of 3×3
 * and 5×5 at strides 1 and 2 have code of their own, in which every offset is a constant; all others go pixel by pixel.
 */

@unmanaged
export class DepthwiseStep {
  kernel: i32;
  /** The first window's first pixel. */
  input: usize;
  inputRow: i32;
  /** Bytes between blocks of channels. */
  inputPlane: i32;
  stride: i32;
  output: usize;
  outputRow: i32;
  outputPlane: i32;
  height: i32;
  width: i32;
  /** Eights of channels. */
  octets: i32;
  weights: usize;
}

// Functions of their own, because V8 optimises one that holds all of them less well.
function side3<Kernel>(s: Kernel, from: i32, to: i32): void { s.runAs(3, 1, from, to); }
function side3Stride2<Kernel>(s: Kernel, from: i32, to: i32): void { s.runAs(3, 2, from, to); }
function side5<Kernel>(s: Kernel, from: i32, to: i32): void { s.runAs(5, 1, from, to); }
function side5Stride2<Kernel>(s: Kernel, from: i32, to: i32): void { s.runAs(5, 2, from, to); }
function otherSides<Kernel>(s: Kernel, from: i32, to: i32): void { s.runAs(0, 0, from, to); }

/**
 * Runs the eights of channels from `from` up to `to`.
 *
 * `Kernel` is a DepthwiseStep with the fields `kernelHeight` and `kernelWidth` and the method `runAs`, whose first arguments
 * are the kernel's side and stride, if it has code of its own and the map is wide enough for `tile` pixels, and 0 otherwise.
 */
@inline
export function bySide<Kernel>(s: Kernel, tile: i32, from: i32, to: i32): void {
  const side = s.kernelHeight == s.kernelWidth && s.width >= tile ? s.kernelHeight : 0;
  if (side == 3 && s.stride == 1) side3<Kernel>(s, from, to);
  else if (side == 3 && s.stride == 2) side3Stride2<Kernel>(s, from, to);
  else if (side == 5 && s.stride == 1) side5<Kernel>(s, from, to);
  else if (side == 5 && s.stride == 2) side5Stride2<Kernel>(s, from, to);
  else otherSides<Kernel>(s, from, to);
}
