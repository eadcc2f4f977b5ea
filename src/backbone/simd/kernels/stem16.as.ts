/** The first convolution, straight from the picture's bytes, in 16 bits; `stem` says how. */
import { Conv16, conv16Octets } from './conv16.as';

@unmanaged
export class Stem16 {
  kernel: i32;
  /** The convolution of one output row: its runs and words are the kernel's rows, its input the ring. */
  conv: Conv16;
  pixels: usize;
  /** Bytes of a row of the picture. */
  pictureRow: i32;
  height: i32;
  /** [kernel height] rows of i16 */
  ring: usize;
  /** Bytes of a padded row. */
  ringRow: i32;
  /** A row outside of the picture. */
  padRow: usize;
  kernelHeight: i32;
  /** Runs of eight, and pairs behind them, of a row of the kernel. */
  rowRuns: i32;
  rowWords: i32;
  stride: i32;
  top: i32;
  /** Bytes of padding left of the picture's row in the ring. */
  left: i32;
  outputHeight: i32;
  outputRow: i32;
}

/** Bytes to i16, eight at a time; may read and write up to seven beyond `count`. */
@inline
function widen(from: usize, to: usize, count: i32): void {
  for (const end = from + count; from < end; from += 8) {
    v128.store(to, v128.load8x8_u(from));
    to += 16;
  }
}

export function stem16(s: Stem16): void {
  const right = s.left + s.pictureRow * 2;
  let next = 0;
  for (let y = 0; y < s.outputHeight; y++) {
    const first = y * s.stride;
    for (next = max(next, first); next < first + s.kernelHeight; next++) {
      const slot = s.ring + (next % s.kernelHeight) * s.ringRow;
      const row = next - s.top;
      const inside = row >= 0 && row < s.height;
      if (inside) widen(s.pixels + row * s.pictureRow, slot + s.left, s.pictureRow);
      // The ring starts out as padding; it is written again where widening ran over it.
      if (!inside) memory.copy(slot, s.padRow, s.ringRow);
      else if (s.pictureRow & 7) memory.copy(slot + right, s.padRow + right, s.ringRow - right);
    }
    let run = s.conv.runs, word = run + (s.conv.runCount << 2);
    for (let ky = 0; ky < s.kernelHeight; ky++) {
      let at = ((first + ky) % s.kernelHeight) * s.ringRow;
      for (let i = 0; i < s.rowRuns; i++, at += 16, run += 4) store<i32>(run, at);
      for (let i = 0; i < s.rowWords; i++, at += 4, word += 4) store<i32>(word, at);
    }
    conv16Octets(s.conv, s.conv.output + y * s.outputRow, 0, s.conv.octets);
  }
}
