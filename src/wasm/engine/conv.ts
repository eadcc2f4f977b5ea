/**
 * Convolution of any kernel, stride and padding as a register-tiled matrix product: 5 pixels × 8 output channels at a
 * time. The compiler says where things lie: `pixels` pairs the place of each output pixel's first input with its own
 * place, `runs` lists how far from there each stretch of `runLength` consecutive words of input begins (one a kernel
 * row and block of input channels). A word is a float, or two 16-bit integers, whose products are summed at once. The
 * inner loop stays rolled: unrolled by hand it spills registers.
 */
import { accumulate, activate, Any, HardSwish, madd, None, Relu } from './activation';
import { BLOCK, CONV_TILE, HARD_SWISH, NONE, RELU } from './codes';

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
  /** f32[blocks][runCount × runLength][8], or i16[blocks][runCount × runLength][8][2] */
  weights: usize;
  /** f32[blocks][8] */
  bias: usize;
  output: usize;
  /** Bytes from one block of output channels to the next. */
  plane: i32;
  blocks: i32;
  /** A map laid out like the output that is added to it, or 0. */
  residual: usize;
  /** Bytes from each pixel's first input to the next one's, where they are all the same. */
  distance: i32;
  /** With 16-bit words: f32[blocks][8], what a unit of each channel's weights is worth. */
  weightUnits: usize;
  /** With 16-bit words: f32, what a unit of the input is worth. */
  inputUnit: usize;
}

/** Eight channels of a pixel: activated, with the residual added if there is one, `toResidual` bytes away, and stored. */
@inline
function finish<Activation>(output: usize, toResidual: usize, kind: i32, low: v128, high: v128): void {
  low = activate<Activation>(low, kind);
  high = activate<Activation>(high, kind);
  if (toResidual) {
    low = f32x4.add(low, v128.load(output + toResidual));
    high = f32x4.add(high, v128.load(output + toResidual, 16));
  }
  v128.store(output, low);
  v128.store(output, high, 16);
}

/** Finishes a tile; `pixel` points to its places. */
@inline
function finishTile<Activation>(
  pixel: usize, plane: usize, toResidual: usize, kind: i32,
  a0: v128, a1: v128, a2: v128, a3: v128, a4: v128,
  b0: v128, b1: v128, b2: v128, b3: v128, b4: v128,
): void {
  finish<Activation>(plane + load<u32>(pixel, 4), toResidual, kind, a0, b0);
  finish<Activation>(plane + load<u32>(pixel, 12), toResidual, kind, a1, b1);
  finish<Activation>(plane + load<u32>(pixel, 20), toResidual, kind, a2, b2);
  finish<Activation>(plane + load<u32>(pixel, 28), toResidual, kind, a3, b3);
  finish<Activation>(plane + load<u32>(pixel, 36), toResidual, kind, a4, b4);
}

/**
 * @param distance bytes from each pixel's first input to the next one's, or 0 if they differ; a constant, as the addresses'
 * offsets come out of it.
 */
@inline
function convAs<Word>(s: Conv, output: usize, from: i32, to: i32, distance: i32): void {
  // V8 must load a field again after every store. With bounds checks locals are 8 % faster for 16-bit words, fields 2 % for floats.
  const fields = isFloat<Word>();
  const runBytes = s.runLength << 2, runCount = s.runCount, runs = s.runs, endOfRuns = runs + (runCount << 2);
  const weightBytes = runCount * s.runLength * (BLOCK << 2);
  const input = s.input, pixels = s.pixels, lastTile = s.pixelCount - CONV_TILE;
  const kind = s.activation;
  const toResidual = s.residual ? s.residual - s.output : 0;
  let plane = output + from * s.plane;
  let weights = s.weights + from * weightBytes;
  for (let block = from; block < to; block++) {
    const bias0 = v128.load(s.bias + (block << 5));
    const bias1 = v128.load(s.bias + (block << 5), 16);
    let unit0 = bias0, unit1 = bias1;
    if (!isFloat<Word>()) {
      const inputUnit = v128.load32_splat(s.inputUnit);
      unit0 = f32x4.mul(inputUnit, v128.load(s.weightUnits + (block << 5)));
      unit1 = f32x4.mul(inputUnit, v128.load(s.weightUnits + (block << 5), 16));
    }
    const zero0 = isFloat<Word>() ? bias0 : i32x4.splat(0);
    const zero1 = isFloat<Word>() ? bias1 : i32x4.splat(0);
    for (let i = 0; i < s.pixelCount; i += CONV_TILE) {
      // The last tile reaches back over pixels already done rather than past the end.
      const pixel = (fields ? s.pixels : pixels) + (min(i, fields ? s.pixelCount - CONV_TILE : lastTile) << 3);
      const in0 = input + load<u32>(pixel);
      const in1 = distance ? in0 : input + load<u32>(pixel, 8);
      const in2 = distance ? in0 : input + load<u32>(pixel, 16);
      const in3 = distance ? in0 : input + load<u32>(pixel, 24);
      const in4 = distance ? in0 : input + load<u32>(pixel, 32);
      let a0 = zero0, a1 = zero0, a2 = zero0, a3 = zero0, a4 = zero0;
      let b0 = zero1, b1 = zero1, b2 = zero1, b3 = zero1, b4 = zero1;
      let w = fields ? s.weights + block * weightBytes : weights;
      for (let run = fields ? s.runs : runs; run < endOfRuns; run += 4) {
        const offset = load<u32>(run);
        let x0 = in0 + offset, x1 = in1 + offset, x2 = in2 + offset, x3 = in3 + offset, x4 = in4 + offset;
        for (const end = x0 + runBytes; x0 < end; x0 += 4) {
          const low = v128.load(w), high = v128.load(w, 16);
          let x = v128.load32_splat(x0);
          a0 = accumulate<Word>(x, low, a0);
          b0 = accumulate<Word>(x, high, b0);
          x = v128.load32_splat(distance ? x0 + distance : x1);
          a1 = accumulate<Word>(x, low, a1);
          b1 = accumulate<Word>(x, high, b1);
          x = v128.load32_splat(distance ? x0 + distance * 2 : x2);
          a2 = accumulate<Word>(x, low, a2);
          b2 = accumulate<Word>(x, high, b2);
          x = v128.load32_splat(distance ? x0 + distance * 3 : x3);
          a3 = accumulate<Word>(x, low, a3);
          b3 = accumulate<Word>(x, high, b3);
          x = v128.load32_splat(distance ? x0 + distance * 4 : x4);
          a4 = accumulate<Word>(x, low, a4);
          b4 = accumulate<Word>(x, high, b4);
          if (!distance) {
            x1 += 4;
            x2 += 4;
            x3 += 4;
            x4 += 4;
          }
          w += BLOCK << 2;
        }
      }
      if (!isFloat<Word>()) {
        a0 = madd(f32x4.convert_i32x4_s(a0), unit0, bias0);
        b0 = madd(f32x4.convert_i32x4_s(b0), unit1, bias1);
        a1 = madd(f32x4.convert_i32x4_s(a1), unit0, bias0);
        b1 = madd(f32x4.convert_i32x4_s(b1), unit1, bias1);
        a2 = madd(f32x4.convert_i32x4_s(a2), unit0, bias0);
        b2 = madd(f32x4.convert_i32x4_s(b2), unit1, bias1);
        a3 = madd(f32x4.convert_i32x4_s(a3), unit0, bias0);
        b3 = madd(f32x4.convert_i32x4_s(b3), unit1, bias1);
        a4 = madd(f32x4.convert_i32x4_s(a4), unit0, bias0);
        b4 = madd(f32x4.convert_i32x4_s(b4), unit1, bias1);
      }
      if (fields) plane = output + block * s.plane;
      if (kind == HARD_SWISH) finishTile<HardSwish>(pixel, plane, toResidual, kind, a0, a1, a2, a3, a4, b0, b1, b2, b3, b4);
      else if (kind == RELU) finishTile<Relu>(pixel, plane, toResidual, kind, a0, a1, a2, a3, a4, b0, b1, b2, b3, b4);
      else if (kind == NONE) finishTile<None>(pixel, plane, toResidual, kind, a0, a1, a2, a3, a4, b0, b1, b2, b3, b4);
      else finishTile<Any>(pixel, plane, toResidual, kind, a0, a1, a2, a3, a4, b0, b1, b2, b3, b4);
    }
    plane += s.plane;
    weights += weightBytes;
  }
}

// Functions of their own, because V8 optimises one that holds several variants less well. Distances: of pixels of a
// block, and of a picture's, RGB, at stride 2.
function convBlock(s: Conv, output: usize, from: i32, to: i32): void { convAs<f32>(s, output, from, to, 32); }
function convPicture(s: Conv, output: usize, from: i32, to: i32): void { convAs<f32>(s, output, from, to, 24); }
function convAny(s: Conv, output: usize, from: i32, to: i32): void { convAs<f32>(s, output, from, to, 0); }
function conv16Block(s: Conv, output: usize, from: i32, to: i32): void { convAs<i16>(s, output, from, to, 16); }
function conv16Picture(s: Conv, output: usize, from: i32, to: i32): void { convAs<i16>(s, output, from, to, 12); }
function conv16Any(s: Conv, output: usize, from: i32, to: i32): void { convAs<i16>(s, output, from, to, 0); }

/** Runs a convolution of floats into `output`, its blocks of output channels from `from` up to `to`. */
export function conv(s: Conv, output: usize, from: i32, to: i32): void {
  if (s.distance == 32) convBlock(s, output, from, to);
  else if (s.distance == 24) convPicture(s, output, from, to);
  else convAny(s, output, from, to);
}

/** The same of 16-bit integers; the output is floats. */
export function conv16(s: Conv, output: usize, from: i32, to: i32): void {
  if (s.distance == 16) conv16Block(s, output, from, to);
  else if (s.distance == 12) conv16Picture(s, output, from, to);
  else conv16Any(s, output, from, to);
}
