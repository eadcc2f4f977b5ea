/** PNG's CRC-32 (W3C PNG third edition, annex D) and zlib's Adler-32 (RFC 1950). */
import { crcTables as tables } from './layout.as';

const POLYNOMIAL: u32 = 0xedb88320;
const SLICES: i32 = 8;


let ready = false;

/** u32[8][256]: of a byte, and of a byte with 1 … 7 zeros behind it. */
function prepare(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? POLYNOMIAL ^ (crc >>> 1) : crc >>> 1;
    store<u32>(tables + 4 * byte, crc);
  }
  for (let slice = 1; slice < SLICES; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = load<u32>(tables + 1024 * (slice - 1) + 4 * byte);
      store<u32>(tables + 1024 * slice + 4 * byte, load<u32>(tables + 4 * (before & 255)) ^ (before >>> 8));
    }
  }
  ready = true;
}

@inline
function entry(slice: i32, byte: u32): u32 {
  return load<u32>(tables + 1024 * slice + 4 * (byte & 255));
}

/** @param crc of what came before, 0 at first. */
export function crc32(at: usize, bytes: i32, crc: u32): u32 {
  if (!ready) prepare();
  let value = ~crc;
  const end = at + bytes;
  for (; at + 8 <= end; at += 8) {
    const low = load<u32>(at) ^ value;
    const high = load<u32>(at + 4);
    value =
      entry(7, low) ^
      entry(6, low >>> 8) ^
      entry(5, low >>> 16) ^
      entry(4, low >>> 24) ^
      entry(3, high) ^
      entry(2, high >>> 8) ^
      entry(1, high >>> 16) ^
      entry(0, high >>> 24);
  }
  for (; at < end; at++) value = entry(0, value ^ load<u8>(at)) ^ (value >>> 8);
  return ~value;
}

const ADLER_BASE: u32 = 65521;
/** Bytes after which the sums must be reduced, or they would leave 32 bits. */
const ADLER_RUN: i32 = 5552;

/** @param adler of what came before, 1 at first. */
export function adler32(at: usize, bytes: i32, adler: u32): u32 {
  let a = adler & 0xffff;
  let b = adler >>> 16;
  while (bytes > 0) {
    const run = min(bytes, ADLER_RUN);
    for (const end = at + run; at < end; at++) {
      a += load<u8>(at);
      b += a;
    }
    a %= ADLER_BASE;
    b %= ADLER_BASE;
    bytes -= run;
  }
  return (b << 16) | a;
}
