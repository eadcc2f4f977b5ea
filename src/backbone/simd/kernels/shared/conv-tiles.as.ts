/**
 * What the convolutions share: a register-tiled matrix product of any kernel, stride and padding, 4 pixels × 8 output
 * channels at a time. The compiler says where things lie: `pixels` has the place of each output pixel's first input, and
 * behind it the pixel's own; `runs` lists how far from there each run of a block's channels lies (one a kernel row, kernel
 * column and block of input channels), and then, for the picture, single words.
 *
 * A word is a float (`Word` is f32), or integers whose products are summed at once: two of 16 bits (i16), or of 8-bit
 * codes (u8) four with relaxed SIMD and else two, which are widened. A vector is four words, each of which is spread over
 * a vector of its own: a shuffle costs less than a load and the check of its bounds.
 */
import { madd } from './activation.as';
import { spread } from './lanes.as';
import { CONV_TILE } from '../../sizes';

/** A convolution's step, as far as what follows needs it. */
@unmanaged
export class ConvStep {
  kernel: i32;
  input: usize;
  /** i32[runCount + wordCount]: bytes from a pixel's first input to a run, or to a single word. */
  runs: usize;
  runCount: i32;
  /** Words that fill no vector. */
  wordCount: i32;
  /** (i32, i32)[pixelCount]: bytes from `input`, bytes from `output`. At least a tile; the last may repeat. */
  pixels: usize;
  pixelCount: i32;
  output: usize;
  /** Bytes from one block of output channels to the next. */
  plane: i32;
  /** Eights of output channels. */
  octets: i32;
  weights: usize;
}

/** One whose sums are integers and become codes. */
@unmanaged
export class IntegerConvStep extends ConvStep {
  /** i32[octets][8], what sums begin with, and f32[octets][8], what their units are worth in those of the output. */
  tables: usize;
  /** A Rounding. */
  rounding: usize;

  @inline start<Word>(octet: i32, half: i32): v128 { return v128.load(this.tables + (octet << 5) + (half << 4)); }
}

/** Whether vectors are read as half as many bytes, to be widened. */
@inline function widened<Word>(): bool { return !RELAXED && sizeof<Word>() == 1; }
/** Bytes of four words of input, and of their weights for eight channels. */
@inline function inputBytes<Word>(): usize { return widened<Word>() ? 8 : 16; }
@inline function weightBytes<Word>(): usize { return widened<Word>() ? 64 : 128; }
/** Bytes of a run: eight channels, of codes of 8 bits sixteen. */
@inline function runBytes<Word>(): usize { return isFloat<Word>() ? 32 : 16; }

@inline function words<Word>(at: usize): v128 { return widened<Word>() ? v128.load8x8_u(at) : v128.load(at); }

/** Weights of four channels for a word, the `i`-th vector. */
@inline
function weights<Word>(at: usize, i: usize): v128 {
  return widened<Word>() ? v128.load8x8_s(at + i * 8) : v128.load(at + i * 16);
}

/** sum + the products of a word of input and of weights. */
@inline
export function accumulate<Word>(x: v128, w: v128, sum: v128): v128 {
  if (isFloat<Word>()) return madd(x, w, sum);
  if (RELAXED && sizeof<Word>() == 1) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
}

/** Bytes of the weights of a block of output channels. */
@inline
export function blockBytes<Kernel, Word>(s: Kernel): i32 {
  return s.runCount * <i32>((runBytes<Word>() / inputBytes<Word>()) * weightBytes<Word>()) + (s.singleWords() << 5);
}

/**
 * One block of eight output channels, of the first `count` pixels.
 *
 * `Kernel` is a ConvStep. Its methods are `placeBytes`, bytes of an entry of `pixels`; `singleWords`, how many there are;
 * `start`, what the sums of half a block begin with; and `finish`, which stores a tile.
 */
@inline
export function convBlock<Kernel, Word>(s: Kernel, output: usize, block: i32, count: i32): void {
  const endOfRuns = s.runs + (s.runCount << 2), endOfWords = endOfRuns + (s.singleWords() << 2);
  const start0 = s.start<Word>(block, 0), start1 = s.start<Word>(block, 1);
  const first = s.weights + block * blockBytes<Kernel, Word>(s);
  for (let i = 0; i < count; i += CONV_TILE) {
    // The last tile reaches back over pixels already done rather than past the end.
    const pixel = s.pixels + min(i, s.pixelCount - CONV_TILE) * s.placeBytes();
    const in0 = s.input + load<u32>(pixel), in1 = s.input + load<u32>(pixel + s.placeBytes());
    const in2 = s.input + load<u32>(pixel + s.placeBytes() * 2), in3 = s.input + load<u32>(pixel + s.placeBytes() * 3);
    let a0 = start0, a1 = start0, a2 = start0, a3 = start0;
    let b0 = start1, b1 = start1, b2 = start1, b3 = start1;
    let w = first, run = s.runs;
    for (; run < endOfRuns; run += 4) {
      let at: usize = load<u32>(run);
      for (const end = at + runBytes<Word>(); ; ) {
        const x0 = words<Word>(in0 + at), x1 = words<Word>(in1 + at), x2 = words<Word>(in2 + at), x3 = words<Word>(in3 + at);
        let low = weights<Word>(w, 0), high = weights<Word>(w, 1);
        let x = spread(x0, 0); a0 = accumulate<Word>(x, low, a0); b0 = accumulate<Word>(x, high, b0);
        x = spread(x1, 0); a1 = accumulate<Word>(x, low, a1); b1 = accumulate<Word>(x, high, b1);
        x = spread(x2, 0); a2 = accumulate<Word>(x, low, a2); b2 = accumulate<Word>(x, high, b2);
        x = spread(x3, 0); a3 = accumulate<Word>(x, low, a3); b3 = accumulate<Word>(x, high, b3);
        low = weights<Word>(w, 2); high = weights<Word>(w, 3);
        x = spread(x0, 1); a0 = accumulate<Word>(x, low, a0); b0 = accumulate<Word>(x, high, b0);
        x = spread(x1, 1); a1 = accumulate<Word>(x, low, a1); b1 = accumulate<Word>(x, high, b1);
        x = spread(x2, 1); a2 = accumulate<Word>(x, low, a2); b2 = accumulate<Word>(x, high, b2);
        x = spread(x3, 1); a3 = accumulate<Word>(x, low, a3); b3 = accumulate<Word>(x, high, b3);
        low = weights<Word>(w, 4); high = weights<Word>(w, 5);
        x = spread(x0, 2); a0 = accumulate<Word>(x, low, a0); b0 = accumulate<Word>(x, high, b0);
        x = spread(x1, 2); a1 = accumulate<Word>(x, low, a1); b1 = accumulate<Word>(x, high, b1);
        x = spread(x2, 2); a2 = accumulate<Word>(x, low, a2); b2 = accumulate<Word>(x, high, b2);
        x = spread(x3, 2); a3 = accumulate<Word>(x, low, a3); b3 = accumulate<Word>(x, high, b3);
        low = weights<Word>(w, 6); high = weights<Word>(w, 7);
        x = spread(x0, 3); a0 = accumulate<Word>(x, low, a0); b0 = accumulate<Word>(x, high, b0);
        x = spread(x1, 3); a1 = accumulate<Word>(x, low, a1); b1 = accumulate<Word>(x, high, b1);
        x = spread(x2, 3); a2 = accumulate<Word>(x, low, a2); b2 = accumulate<Word>(x, high, b2);
        x = spread(x3, 3); a3 = accumulate<Word>(x, low, a3); b3 = accumulate<Word>(x, high, b3);
        w += weightBytes<Word>();
        if (runBytes<Word>() == inputBytes<Word>()) break;
        at += inputBytes<Word>();
        if (at >= end) break;
      }
    }
    for (; run < endOfWords; run += 4) {
      const at = load<u32>(run);
      const low = v128.load(w), high = v128.load(w, 16);
      let x = v128.load32_splat(in0 + at); a0 = accumulate<Word>(x, low, a0); b0 = accumulate<Word>(x, high, b0);
      x = v128.load32_splat(in1 + at); a1 = accumulate<Word>(x, low, a1); b1 = accumulate<Word>(x, high, b1);
      x = v128.load32_splat(in2 + at); a2 = accumulate<Word>(x, low, a2); b2 = accumulate<Word>(x, high, b2);
      x = v128.load32_splat(in3 + at); a3 = accumulate<Word>(x, low, a3); b3 = accumulate<Word>(x, high, b3);
      w += 32;
    }
    s.finish<Word>(output, block, pixel, a0, a1, a2, a3, b0, b1, b2, b3);
  }
}
