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

/** [in, out] → [out, in, 1, 1]: a fully connected layer as a 1×1 convolution. */
export function denseKernel(values: Float32Array, shape: readonly number[]): Kernel {
  const [ins, outs] = shape;
  return { shape: [outs, ins, 1, 1], values: transpose(values, ins, outs) };
}

/**
 * The bias of a convolution that reads x − centre in the place of x: bias + Σ w · centre. Summed in 64 bits, since the
 * terms are large and nearly cancel.
 * @param centre one number a channel of the picture.
 */
export function centredBias(
  bias: Float32Array,
  kernel: Kernel,
  centre: readonly number[],
  group: number,
): Float32Array {
  const [, perGroup, height, width] = kernel.shape;
  const area = height * width;
  const size = perGroup * area;
  return bias.map((start, out) => {
    let sum = start;
    for (let i = 0; i < size; i++) {
      const channel = group === 1 ? Math.floor(i / area) : out;
      sum += kernel.values[out * size + i] * centre[channel];
    }
    return sum;
  });
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column];
  }
  return out;
}
