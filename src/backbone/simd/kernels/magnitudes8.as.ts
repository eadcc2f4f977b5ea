/** What a convolution's weights come to, by output channel, before they become integers: run once, when a program is loaded. */

@unmanaged
export class Magnitudes8 {
  kernel: i32;
  /** f32[taps][inputs][outputs] */
  weights: usize;
  taps: i32;
  inputs: i32;
  outputs: i32;
  /** f32[3][room for outputs]: the largest magnitudes, the most that half a group comes to, and all magnitudes' sums. */
  found: usize;
  /** Bytes of one of the three. */
  foundBytes: i32;
}

/** Channels that a kernel may sum up in 16 bits. */
const GROUP = 8;

@inline
function row(s: Magnitudes8, tap: i32, channel: i32, byte: i32): v128 {
  return channel < s.inputs ? v128.load(s.weights + ((tap * s.inputs + channel) * s.outputs << 2) + byte) : f32x4.splat(0);
}

/** Half a group: of each four channels from `channel` on the first or last two. */
function half(s: Magnitudes8, tap: i32, channel: i32): void {
  const bytes = s.outputs << 2;
  for (let byte = 0; byte < bytes; byte += 16) {
    const w0 = row(s, tap, channel, byte), w1 = row(s, tap, channel + 1, byte);
    const w2 = row(s, tap, channel + 4, byte), w3 = row(s, tap, channel + 5, byte);
    const m0 = f32x4.abs(w0), m1 = f32x4.abs(w1), m2 = f32x4.abs(w2), m3 = f32x4.abs(w3);
    const sum = f32x4.add(f32x4.add(w0, w1), f32x4.add(w2, w3));
    const size = f32x4.add(f32x4.add(m0, m1), f32x4.add(m2, m3));
    // What is positive comes to half of the sum of both, and what is negative to half of the difference.
    const most = f32x4.mul(f32x4.add(size, f32x4.abs(sum)), f32x4.splat(0.5));
    const at = s.found + byte;
    const largest = f32x4.max(f32x4.max(m0, m1), f32x4.max(m2, m3));
    v128.store(at, f32x4.max(v128.load(at), largest));
    const grouped = at + s.foundBytes, sizes = grouped + s.foundBytes;
    v128.store(grouped, f32x4.max(v128.load(grouped), most));
    v128.store(sizes, f32x4.add(v128.load(sizes), size));
  }
}

export function magnitudes8(s: Magnitudes8): void {
  for (let tap = 0; tap < s.taps; tap++) {
    for (let channel = 0; channel < s.inputs; channel += GROUP) {
      half(s, tap, channel);
      half(s, tap, channel + 2);
    }
  }
}
