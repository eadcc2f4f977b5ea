/** Means and deviations over space of maps of codes, from sums of integers, and means as codes. */

@unmanaged
export class Statistics8 {
  kernel: i32;
  input: usize;
  row: i32;
  plane: i32;
  height: i32;
  width: i32;
  channels: i32;
  /** Whether codes have 16 bits: they lie in blocks of eight channels, others in blocks of sixteen. */
  wide: i32;
  /** f64[2]: what a unit is worth, and the zero point. */
  codes: usize;
  /** f32[channels], or 0 */
  means: usize;
  /** f32[channels], or 0 */
  deviations: usize;
  /** The first block of a map of one pixel, or 0, and the bytes between its blocks. */
  pooled: usize;
  pooledPlane: i32;
  /** f64[2], the unit and the zero point of its codes, and i32[2], the least and the greatest of them. */
  pooledCodes: usize;
}

/** i64[16]: the sums of a block's codes, and of their squares. */
const SUMS = memory.data(16 * 8);
const SQUARES = memory.data(16 * 8);
/** Pixels whose squares' sum fits 31 bits. */
const MOST_PIXELS: i32 = 131_072;

@inline
function flush(sums: usize, lane0: usize, sum: v128): void {
  const at = sums + (lane0 << 3);
  store<i64>(at, load<i64>(at) + i32x4.extract_lane(sum, 0));
  store<i64>(at, load<i64>(at, 8) + i32x4.extract_lane(sum, 1), 8);
  store<i64>(at, load<i64>(at, 16) + i32x4.extract_lane(sum, 2), 16);
  store<i64>(at, load<i64>(at, 24) + i32x4.extract_lane(sum, 3), 24);
}

/** Sums of eight channels of 8 bits; `half` says which of the block. */
function sumHalf(s: Statistics8, plane: usize, half: i32): void {
  const zero = i32x4.splat(0), most = max(1, MOST_PIXELS / s.width);
  for (let y = 0; y < s.height; ) {
    let a = zero, b = zero, a2 = zero, b2 = zero;
    for (const end = min(y + most, s.height); y < end; y++) {
      let at = plane + y * s.row + (half << 3);
      for (const last = at + (s.width << 4); at < last; at += 16) {
        const x = v128.load8x8_u(at);
        a = i32x4.add(a, i32x4.extend_low_i16x8_s(x)); b = i32x4.add(b, i32x4.extend_high_i16x8_s(x));
        a2 = i32x4.add(a2, i32x4.extmul_low_i16x8_s(x, x)); b2 = i32x4.add(b2, i32x4.extmul_high_i16x8_s(x, x));
      }
    }
    flush(SUMS, half << 3, a); flush(SUMS, (half << 3) + 4, b);
    flush(SQUARES, half << 3, a2); flush(SQUARES, (half << 3) + 4, b2);
  }
}

/** Sums of one channel of 16 bits. */
function sumWide(s: Statistics8, plane: usize, channel: i32): void {
  let sum: i64 = 0, squares: i64 = 0;
  for (let y = 0; y < s.height; y++) {
    let at = plane + y * s.row + (channel << 1);
    for (const end = at + (s.width << 4); at < end; at += 16) {
      const x = <i64>load<i16>(at);
      sum += x;
      squares += x * x;
    }
  }
  store<i64>(SUMS + (channel << 3), sum);
  store<i64>(SQUARES + (channel << 3), squares);
}

/** @param within of the block. */
function write(s: Statistics8, channel: i32, within: i32): void {
  const sum = <f64>load<i64>(SUMS + (within << 3)), squares = <f64>load<i64>(SQUARES + (within << 3));
  const pixels = <f64>(s.height * s.width), unit = load<f64>(s.codes), zero = load<f64>(s.codes, 8);
  const mean = (sum / pixels - zero) * unit;
  if (s.means) store<f32>(s.means + (channel << 2), <f32>mean);
  if (s.deviations) {
    const variance = max<f64>(0, pixels * squares - sum * sum);
    store<f32>(s.deviations + (channel << 2), <f32>(sqrt<f64>(variance) / pixels * unit));
  }
  if (!s.pooled) return;
  const code = nearest<f64>(mean / load<f64>(s.pooledCodes)) + load<f64>(s.pooledCodes, 8);
  const low = <f64>load<i32>(s.pooledCodes, 16), high = <f64>load<i32>(s.pooledCodes, 20);
  store<u8>(s.pooled + (channel >> 4) * s.pooledPlane + (channel & 15), <u8>min(max(code, low), high));
}

export function statistics8(s: Statistics8): void {
  const block = s.wide ? 8 : 16;
  let plane = s.input;
  for (let first = 0; first < s.channels; first += block) {
    const count = min(block, s.channels - first);
    if (s.wide) {
      for (let i = 0; i < count; i++) sumWide(s, plane, i);
    } else {
      memory.fill(SUMS, 0, 16 * 8);
      memory.fill(SQUARES, 0, 16 * 8);
      for (let half = 0; half << 3 < count; half++) sumHalf(s, plane, half);
    }
    for (let i = 0; i < count; i++) write(s, first + i, i);
    plane += s.plane;
  }
}
