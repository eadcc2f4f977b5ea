/** Convolution of floats, or of 16-bit integers whose units the picture at hand decides, into floats. */
import { activate, madd } from './shared/activation.as';
import { blockBytes, convBlock, ConvStep } from './shared/conv-tiles.as';
import { BLOCK, CONV_TILE, HARD_SWISH, NONE, RELU } from '../sizes';

@unmanaged
export class Conv extends ConvStep {
  // weights: f32[octets][words of all runs][8], or i16[octets][words of all runs][8][2]
  /** f32[octets][8] */
  bias: usize;
  activation: i32;
  /** A map laid out like the output that is added to it, or 0. */
  residual: usize;
  /** With 16-bit words: f32[octets][8], what a unit of each channel's weights is worth. With floats 0. */
  weightUnits: usize;
  /** With 16-bit words: f32, what a unit of the input is worth. */
  inputUnit: usize;

  @inline placeBytes(): i32 { return 8; }
  @inline singleWords(): i32 { return this.wordCount; }
  /** Runs it into `output`. */
  @inline run(output: usize): void { convBlocks(this, output, 0, this.octets); }

  /** Integers' sums begin with 0, and get their bias as floats. */
  @inline
  start<Word>(block: i32, half: i32): v128 {
    return isFloat<Word>() ? v128.load(this.bias + (block << 5) + (half << 4)) : i32x4.splat(0);
  }

  @inline
  finish<Word>(
    output: usize, block: i32, pixel: usize,
    a0: v128, a1: v128, a2: v128, a3: v128, b0: v128, b1: v128, b2: v128, b3: v128,
  ): void {
    const plane = output + block * this.plane, kind = this.activation;
    const toResidual = this.residual ? this.residual - this.output : 0;
    if (!isFloat<Word>()) {
      const channels = block << 5;
      const bias0 = v128.load(this.bias + channels), bias1 = v128.load(this.bias + channels, 16);
      const inputUnit = v128.load32_splat(this.inputUnit);
      const unit0 = f32x4.mul(inputUnit, v128.load(this.weightUnits + channels));
      const unit1 = f32x4.mul(inputUnit, v128.load(this.weightUnits + channels, 16));
      a0 = madd(f32x4.convert_i32x4_s(a0), unit0, bias0); b0 = madd(f32x4.convert_i32x4_s(b0), unit1, bias1);
      a1 = madd(f32x4.convert_i32x4_s(a1), unit0, bias0); b1 = madd(f32x4.convert_i32x4_s(b1), unit1, bias1);
      a2 = madd(f32x4.convert_i32x4_s(a2), unit0, bias0); b2 = madd(f32x4.convert_i32x4_s(b2), unit1, bias1);
      a3 = madd(f32x4.convert_i32x4_s(a3), unit0, bias0); b3 = madd(f32x4.convert_i32x4_s(b3), unit1, bias1);
    }
    if (kind == HARD_SWISH) finishTile(pixel, plane, toResidual, HARD_SWISH, a0, a1, a2, a3, b0, b1, b2, b3);
    else if (kind == RELU) finishTile(pixel, plane, toResidual, RELU, a0, a1, a2, a3, b0, b1, b2, b3);
    else if (kind == NONE) finishTile(pixel, plane, toResidual, NONE, a0, a1, a2, a3, b0, b1, b2, b3);
    else finishTile(pixel, plane, toResidual, kind, a0, a1, a2, a3, b0, b1, b2, b3);
  }
}

/** Eight channels of a pixel: activated, with the residual added if there is one, `toResidual` bytes away, and stored. */
@inline
function finish(output: usize, toResidual: usize, kind: i32, low: v128, high: v128): void {
  low = activate(low, kind);
  high = activate(high, kind);
  if (toResidual) {
    low = f32x4.add(low, v128.load(output + toResidual));
    high = f32x4.add(high, v128.load(output + toResidual, 16));
  }
  v128.store(output, low);
  v128.store(output, high, 16);
}

/** Finishes a tile; `pixel` points to its places. */
@inline
function finishTile(
  pixel: usize, plane: usize, toResidual: usize, kind: i32,
  a0: v128, a1: v128, a2: v128, a3: v128, b0: v128, b1: v128, b2: v128, b3: v128,
): void {
  finish(plane + load<u32>(pixel, 4), toResidual, kind, a0, b0);
  finish(plane + load<u32>(pixel, 12), toResidual, kind, a1, b1);
  finish(plane + load<u32>(pixel, 20), toResidual, kind, a2, b2);
  finish(plane + load<u32>(pixel, 28), toResidual, kind, a3, b3);
}

/**
 * The last five pixels of a block of floats, where a tile more would be for one of them: 7×7 maps have 49. Five need a register
 * more than there are, so that inputs are loaded word by word, which costs less than a tile all the same.
 */
function lastFive(s: Conv, plane: usize, block: i32): void {
  const endOfRuns = s.runs + (s.runCount << 2), endOfWords = endOfRuns + (s.wordCount << 2);
  const pixel = s.pixels + ((s.pixelCount - CONV_TILE - 1) << 3);
  const in0 = s.input + load<u32>(pixel), in1 = s.input + load<u32>(pixel, 8), in2 = s.input + load<u32>(pixel, 16);
  const in3 = s.input + load<u32>(pixel, 24), in4 = s.input + load<u32>(pixel, 32);
  let a0 = v128.load(s.bias + (block << 5)), a1 = a0, a2 = a0, a3 = a0, a4 = a0;
  let b0 = v128.load(s.bias + (block << 5), 16), b1 = b0, b2 = b0, b3 = b0, b4 = b0;
  let w = s.weights + block * blockBytes<Conv, f32>(s);
  for (let run = s.runs; run < endOfWords; run += 4) {
    let at = load<u32>(run);
    for (const end = at + (run < endOfRuns ? BLOCK << 2 : 4); at < end; at += 4) {
      const low = v128.load(w), high = v128.load(w, 16); w += 32;
      let x = v128.load32_splat(in0 + at); a0 = madd(x, low, a0); b0 = madd(x, high, b0);
      x = v128.load32_splat(in1 + at); a1 = madd(x, low, a1); b1 = madd(x, high, b1);
      x = v128.load32_splat(in2 + at); a2 = madd(x, low, a2); b2 = madd(x, high, b2);
      x = v128.load32_splat(in3 + at); a3 = madd(x, low, a3); b3 = madd(x, high, b3);
      x = v128.load32_splat(in4 + at); a4 = madd(x, low, a4); b4 = madd(x, high, b4);
    }
  }
  const toResidual = s.residual ? s.residual - s.output : 0;
  finishTile(pixel, plane, toResidual, s.activation, a0, a1, a2, a3, b0, b1, b2, b3);
  finish(plane + load<u32>(pixel, 36), toResidual, s.activation, a4, b4);
}

@inline
function convAs<Word>(s: Conv, output: usize, from: i32, to: i32): void {
  const endsInFive = isFloat<Word>() && s.pixelCount > CONV_TILE && s.pixelCount % CONV_TILE == 1;
  const inTiles = endsInFive ? s.pixelCount - CONV_TILE - 1 : s.pixelCount;
  for (let block = from; block < to; block++) {
    convBlock<Conv, Word>(s, output, block, inTiles);
    if (endsInFive) lastFive(s, output + block * s.plane, block);
  }
}

// Functions of their own, because V8 optimises one that holds both less well.
function conv32(s: Conv, output: usize, from: i32, to: i32): void { convAs<f32>(s, output, from, to); }
function conv16(s: Conv, output: usize, from: i32, to: i32): void { convAs<i16>(s, output, from, to); }

/** Runs the blocks of output channels from `from` up to `to`, into `output`. */
export function convBlocks(s: Conv, output: usize, from: i32, to: i32): void {
  if (s.weightUnits) conv16(s, output, from, to);
  else conv32(s, output, from, to);
}

export function conv(s: Conv): void { convBlocks(s, s.output, 0, s.octets); }
