/** A convolution's weights as integers, in the order of `conv8`: run once, when a program is loaded. */
import { BYTE_BLOCK } from '../sizes';

@unmanaged
export class Pack8 {
  kernel: i32;
  /** f32[taps][inputs][outputs] */
  weights: usize;
  taps: i32;
  inputs: i32;
  outputs: i32;
  /** f32[room for outputs]: what to multiply weights by. */
  inverses: usize;
  /** i32[room for outputs]: gets the sums of the integers. */
  sums: usize;
  /** i8[octets][blocks of inputs][taps][4][8][4], without relaxed SIMD [octets][blocks of inputs][taps][8][8][2] */
  target: usize;
}

/** Of four outputs, one input channel's weights. */
@inline
function integers(s: Pack8, tap: i32, channel: i32, byte: i32, inverse: v128): v128 {
  if (channel >= s.inputs) return i32x4.splat(0);
  const weights = v128.load(s.weights + ((tap * s.inputs + channel) * s.outputs << 2) + byte);
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(weights, inverse)));
}

@inline
function lowByte(x: v128, shift: i32): v128 { return i32x4.shl(v128.and(x, i32x4.splat(255)), shift); }

/** Four input channels of all outputs. @param to in the first octet, whose weights take `octetBytes`. */
function word(s: Pack8, tap: i32, channel: i32, to: usize, octetBytes: i32): void {
  for (let output = 0; output < s.outputs; output += 4) {
    const byte = output << 2, inverse = v128.load(s.inverses + byte);
    const w0 = integers(s, tap, channel, byte, inverse), w1 = integers(s, tap, channel + 1, byte, inverse);
    const w2 = integers(s, tap, channel + 2, byte, inverse), w3 = integers(s, tap, channel + 3, byte, inverse);
    const sums = s.sums + byte;
    v128.store(sums, i32x4.add(v128.load(sums), i32x4.add(i32x4.add(w0, w1), i32x4.add(w2, w3))));
    const low = v128.or(lowByte(w0, 0), lowByte(w1, 8)), high = v128.or(lowByte(w2, 0), lowByte(w3, 8));
    const at = to + (output >> 3) * octetBytes;
    if (RELAXED) {
      v128.store(at + ((output & 4) << 2), v128.or(low, i32x4.shl(high, 16)));
    } else {
      const pairs = i16x8.shuffle(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
      v128.store64_lane(at + ((output & 4) << 1), pairs, 0);
      v128.store64_lane(at + ((output & 4) << 1), pairs, 1, 16);
    }
  }
}

export function pack8(s: Pack8): void {
  const blocks = (s.inputs + BYTE_BLOCK - 1) / BYTE_BLOCK;
  const octetBytes = blocks * s.taps * BYTE_BLOCK * 8;
  let to = s.target;
  for (let block = 0; block < blocks; block++) {
    for (let tap = 0; tap < s.taps; tap++) {
      for (let i = 0; i < BYTE_BLOCK; i += 4) {
        word(s, tap, block * BYTE_BLOCK + i, to, octetBytes);
        to += 32;
      }
    }
  }
}
