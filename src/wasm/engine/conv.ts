/**
 * Convolution of any kernel, stride and padding as a register-tiled matrix product: 5 pixels × 8 output channels at a
 * time. The compiler says where things lie: `pixels` pairs the place of each output pixel's first input with its own
 * place, `runs` lists how far from there each stretch of `runLength` consecutive inputs begins (one a kernel tap and
 * block of input channels). Inner loops stay rolled: V8 unrolls them itself, and spills registers when given more.
 */
import { activate, madd } from './activation';
import { BLOCK, CONV_TILE, HARD_SWISH, NONE, PIXEL_BYTES, RELU, RELU6 } from './codes';

@unmanaged
export class Conv {
  op: i32;
  activation: i32;
  input: usize;
  /** i32[runCount]: bytes from a pixel's first input to the run. */
  runs: usize;
  runCount: i32;
  runLength: i32;
  /** (i32, i32)[pixelCount]: bytes from `input`, bytes from `output`. At least a tile; the last may repeat. */
  pixels: usize;
  pixelCount: i32;
  /** f32[blocks][runCount × runLength][8] */
  weights: usize;
  /** f32[blocks][8] */
  bias: usize;
  output: usize;
  /** Bytes from one block of output channels to the next. */
  plane: i32;
  blocks: i32;
  /** A map laid out like the output that is added to it, or 0. */
  residual: usize;
  /** Whether each pixel's first input lies right behind the one before's, as in a 1×1 convolution. */
  adjacent: i32;
}

/** Activates eight channels of a pixel, adds the residual if there is one, `toResidual` bytes away, and stores them. */
@inline
function finish(output: usize, toResidual: usize, low: v128, high: v128, kind: i32): void {
  low = activate(low, kind);
  high = activate(high, kind);
  if (toResidual) {
    low = f32x4.add(low, v128.load(output + toResidual));
    high = f32x4.add(high, v128.load(output + toResidual, 16));
  }
  v128.store(output, low);
  v128.store(output, high, 16);
}

@inline
function convAs(s: Conv, output: usize, kind: i32, adjacent: bool): void {
  const runBytes = s.runLength << 2;
  const weightBytes = s.runCount * s.runLength * (BLOCK << 2);
  const endOfRuns = s.runs + (s.runCount << 2);
  const input = s.input;
  const toResidual = s.residual ? s.residual - s.output : 0;
  for (let block = 0; block < s.blocks; block++) {
    const bias0 = v128.load(s.bias + (block << 5));
    const bias1 = v128.load(s.bias + (block << 5), 16);
    for (let i = 0; i < s.pixelCount; i += CONV_TILE) {
      // The last tile reaches back over pixels already done rather than past the end.
      const pixel = s.pixels + (min(i, s.pixelCount - CONV_TILE) << 3);
      const in0 = input + load<u32>(pixel);
      const in1 = input + load<u32>(pixel, 8);
      const in2 = input + load<u32>(pixel, 16);
      const in3 = input + load<u32>(pixel, 24);
      const in4 = input + load<u32>(pixel, 32);
      let a0 = bias0, a1 = bias0, a2 = bias0, a3 = bias0, a4 = bias0;
      let b0 = bias1, b1 = bias1, b2 = bias1, b3 = bias1, b4 = bias1;
      let w = s.weights + block * weightBytes;
      for (let run = s.runs; run < endOfRuns; run += 4) {
        const offset = load<u32>(run);
        let x0 = in0 + offset, x1 = in1 + offset, x2 = in2 + offset, x3 = in3 + offset, x4 = in4 + offset;
        for (const end = x0 + runBytes; x0 < end; x0 += 4) {
          const low = v128.load(w), high = v128.load(w, 16);
          let x = v128.load32_splat(x0);
          a0 = madd(x, low, a0);
          b0 = madd(x, high, b0);
          x = adjacent ? v128.load32_splat(x0, PIXEL_BYTES) : v128.load32_splat(x1);
          a1 = madd(x, low, a1);
          b1 = madd(x, high, b1);
          x = adjacent ? v128.load32_splat(x0, PIXEL_BYTES * 2) : v128.load32_splat(x2);
          a2 = madd(x, low, a2);
          b2 = madd(x, high, b2);
          x = adjacent ? v128.load32_splat(x0, PIXEL_BYTES * 3) : v128.load32_splat(x3);
          a3 = madd(x, low, a3);
          b3 = madd(x, high, b3);
          x = adjacent ? v128.load32_splat(x0, PIXEL_BYTES * 4) : v128.load32_splat(x4);
          a4 = madd(x, low, a4);
          b4 = madd(x, high, b4);
          if (!adjacent) {
            x1 += 4;
            x2 += 4;
            x3 += 4;
            x4 += 4;
          }
          w += BLOCK << 2;
        }
      }
      const plane = output + block * s.plane;
      finish(plane + load<u32>(pixel, 4), toResidual, a0, b0, kind);
      finish(plane + load<u32>(pixel, 12), toResidual, a1, b1, kind);
      finish(plane + load<u32>(pixel, 20), toResidual, a2, b2, kind);
      finish(plane + load<u32>(pixel, 28), toResidual, a3, b3, kind);
      finish(plane + load<u32>(pixel, 36), toResidual, a4, b4, kind);
    }
  }
}

@inline
function convPlaced(s: Conv, output: usize, kind: i32): void {
  if (s.adjacent) convAs(s, output, kind, true);
  else convAs(s, output, kind, false);
}

/** Runs a convolution into `output`. The common activations have code of their own, without branches. */
export function conv(s: Conv, output: usize): void {
  switch (s.activation) {
    case NONE: return convPlaced(s, output, NONE);
    case RELU: return convPlaced(s, output, RELU);
    case RELU6: return convPlaced(s, output, RELU6);
    case HARD_SWISH: return convPlaced(s, output, HARD_SWISH);
    default: return convPlaced(s, output, s.activation);
  }
}
