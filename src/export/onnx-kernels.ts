/** Weights in ONNX's layout: channels first, output channels outermost. Plans hold them channels last. */

export interface Kernel {
  /** [out, in per group, height, width] */
  readonly shape: readonly [number, number, number, number];
  readonly values: Float32Array;
}

/** [height, width, in, out] → [out, in, height, width]. */
export function convKernel(values: Float32Array, shape: readonly number[]): Kernel {
  const [height, width, ins, outs] = shape;
  const area = height * width;
  const out = new Float32Array(values.length);
  for (let at = 0; at < area; at++) {
    for (let i = 0; i < ins; i++) {
      for (let o = 0; o < outs; o++) out[(o * ins + i) * area + at] = values[(at * ins + i) * outs + o];
    }
  }
  return { shape: [outs, ins, height, width], values: out };
}

/** [height, width, channels] → [channels, 1, height, width]. */
export function depthwiseKernel(values: Float32Array, shape: readonly number[]): Kernel {
  const [height, width, channels] = shape;
  return { shape: [channels, 1, height, width], values: transpose(values, height * width, channels) };
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column];
  }
  return out;
}
