/**
 * The first convolution, straight from the picture's bytes. Rows are widened as they are needed into a ring
 * of as many rows as the kernel is high, padding included; the convolution then runs row by row of its output.
 */
import { Conv } from './conv.as';

@unmanaged
export class Stem {
  kernel: i32;
  /** The convolution of one output row: its runs and words are the kernel's rows, its input the ring. */
  conv: usize;
  pixels: usize;
  /** Bytes of a row of the picture. */
  pictureRow: i32;
  height: i32;
  /** [kernel height] rows */
  ring: usize;
  /** Bytes of a padded row. */
  ringRow: i32;
  /** A row outside of the picture. */
  padRow: usize;
  kernelHeight: i32;
  /** Runs of eight numbers in a row of the kernel, and words behind them. */
  rowRuns: i32;
  rowWords: i32;
  stride: i32;
  top: i32;
  /** Bytes of padding left of the picture's row in the ring. */
  left: i32;
  outputHeight: i32;
  outputRow: i32;
}

/** Bytes to numbers, eight at a time; may read and write up to seven beyond `count`. */
@inline
function widen<Word>(from: usize, to: usize, count: i32): void {
  for (const end = from + count; from < end; from += 8) {
    const values = v128.load8x8_u(from);
    if (isFloat<Word>()) {
      v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(values)));
      v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(values)), 16);
    } else v128.store(to, values);
    to += sizeof<Word>() * 8;
  }
}

/** `Kernel` is the class of the convolution's step, which reads numbers of type `Word`. */
@inline
export function stemAs<Kernel, Word>(s: Stem): void {
  const conv = changetype<Kernel>(s.conv);
  const right = s.left + s.pictureRow * sizeof<Word>();
  let next = 0;
  for (let y = 0; y < s.outputHeight; y++) {
    const first = y * s.stride;
    for (next = max(next, first); next < first + s.kernelHeight; next++) {
      const slot = s.ring + (next % s.kernelHeight) * s.ringRow;
      const row = next - s.top;
      const inside = row >= 0 && row < s.height;
      if (inside) widen<Word>(s.pixels + row * s.pictureRow, slot + s.left, s.pictureRow);
      // The ring starts out as padding; it is written again where widening ran over it.
      if (!inside) memory.copy(slot, s.padRow, s.ringRow);
      else if (s.pictureRow & 7) memory.copy(slot + right, s.padRow + right, s.ringRow - right);
    }
    let run = conv.runs, word = run + (conv.runCount << 2);
    for (let ky = 0; ky < s.kernelHeight; ky++) {
      let at = ((first + ky) % s.kernelHeight) * s.ringRow;
      for (let i = 0; i < s.rowRuns; i++, at += sizeof<Word>() * 8, run += 4) store<i32>(run, at);
      for (let i = 0; i < s.rowWords; i++, at += 4, word += 4) store<i32>(word, at);
    }
    conv.run(conv.output + y * s.outputRow);
  }
}

export function stem(s: Stem): void { stemAs<Conv, f32>(s); }
