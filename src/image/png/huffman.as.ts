/** Prefix codes of deflate (RFC 1951, 3.2): tables from code lengths, and reading a symbol with them. */

/** Codes up to this length are looked up at once; longer ones are rare and read bit by bit. */
export const FAST_BITS: i32 = 10;
const FAST_MASK: u64 = (1 << FAST_BITS) - 1;
const MOST_BITS: i32 = 15;

/** A table: u16[1024] symbol << 4 | length, by the next bits; u16[16] codes of each length; u16[288] symbols in their order. */
const COUNTS: usize = 2 << FAST_BITS;
const SYMBOLS: usize = COUNTS + 32;
export const TABLE_BYTES: i32 = (2 << FAST_BITS) + 32 + 576;

const next = memory.data(64);

/**
 * @param lengths u8[count], 0 for a symbol that doesn't occur.
 * @param sparse whether a single code of one bit, or none at all, will do, as zlib lets pass for literals and distances.
 * @returns false where the lengths are no prefix code.
 */
export function buildTable(table: usize, lengths: usize, count: i32, sparse: bool): bool {
  memory.fill(table, 0, SYMBOLS);
  for (let i = 0; i < count; i++) {
    const at = table + COUNTS + 2 * load<u8>(lengths + i);
    store<u16>(at, load<u16>(at) + 1);
  }
  store<u16>(table + COUNTS, 0);
  let left: i32 = 1;
  let most: i32 = 0;
  let code: i32 = 0;
  let offset: i32 = 0;
  for (let bits: i32 = 1; bits <= MOST_BITS; bits++) {
    const codes = <i32>load<u16>(table + COUNTS + 2 * bits);
    left = 2 * left - codes;
    if (left < 0) return false;
    if (codes > 0) most = bits;
    // The first code of this length, and where its symbols begin.
    code = code << 1;
    store<u16>(next + 4 * bits, <u16>code);
    store<u16>(next + 4 * bits + 2, <u16>offset);
    code += codes;
    offset += codes;
  }
  if (left > 0 && !(sparse && most <= 1)) return false;
  for (let symbol: i32 = 0; symbol < count; symbol++) {
    const bits = <i32>load<u8>(lengths + symbol);
    if (bits > 0) place(table, symbol, bits);
  }
  return true;
}

function place(table: usize, symbol: i32, bits: i32): void {
  const at = next + 4 * bits;
  const code = <i32>load<u16>(at);
  const index = <usize>load<u16>(at + 2);
  store<u16>(at, <u16>(code + 1));
  store<u16>(at + 2, <u16>(index + 1));
  store<u16>(table + SYMBOLS + 2 * index, <u16>symbol);
  if (bits > FAST_BITS) return;
  // Codes are packed from their most significant bit, numbers from their least.
  let reversed = 0;
  for (let i = 0; i < bits; i++) reversed |= ((code >> i) & 1) << (bits - 1 - i);
  for (let i = reversed; i < 1 << FAST_BITS; i += 1 << bits) {
    store<u16>(table + 2 * <usize>i, <u16>((symbol << 4) | bits));
  }
}

/** @returns symbol << 4 | length of the code that the bits begin with, or −1 where there is none. */
@inline
export function symbolOf(table: usize, bits: u64): i32 {
  const fast = <i32>load<u16>(table + 2 * <usize>(bits & FAST_MASK));
  return fast != 0 ? fast : longSymbolOf(table, bits);
}

function longSymbolOf(table: usize, bits: u64): i32 {
  let code: i32 = 0;
  let first: i32 = 0;
  let index: i32 = 0;
  for (let length: i32 = 1; length <= MOST_BITS; length++) {
    code |= <i32>(bits & 1);
    bits >>= 1;
    const count = <i32>load<u16>(table + COUNTS + 2 * length);
    if (code - first < count) {
      const symbol = <i32>load<u16>(table + SYMBOLS + 2 * <usize>(index + code - first));
      return (symbol << 4) | length;
    }
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return -1;
}
