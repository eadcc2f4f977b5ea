/**
 * A zlib stream (RFC 1950, 1951) unpacked a chunk at a time: it stops when a chunk is full, when it wants more input, and
 * after a number of blocks, since a block can cost much and give nothing. Nothing is allocated.
 */
import { BUSY, DAMAGED, DONE, ENDS_EARLY, FULL, WANTS_INPUT, WRONG_SUM } from './answers.as';
import { bitCount, bits, inAt, inEnd, inputIsLast, setBits, startBits, take, toWholeBytes, wants } from './bits.as';
import { adler32 } from './checksums.as';
import { symbolOf } from './huffman.as';
import { CHUNK, chunkStart, distances, HISTORY, literals, window } from './layout.as';
import { readTables, startTables, useFixedTables } from './tables.as';

/** A block's header with all its code lengths takes less. */
const MOST_HEADER_BYTES: i32 = 640;
/** A symbol with its distance takes at most 48 bits. */
const SYMBOL_BYTES: i32 = 8;
const MOST_BLOCKS: i32 = 32;

const LENGTH_BASE = memory.data<u16>([3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]);
const LENGTH_EXTRA = memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]);
const DISTANCE_BASE = memory.data<u16>([1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577]);
const DISTANCE_EXTRA = memory.data<u8>([0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13]);

const AT_START: i32 = 0;
const AT_BLOCK: i32 = 1;
const IN_STORED: i32 = 2;
const IN_CODES: i32 = 3;
const AT_SUM: i32 = 4;
const AT_END: i32 = 5;

let state: i32 = AT_START;
let isLast = false;
let stored: i32 = 0;
/** Where the next byte goes, where the sum has come to, and the oldest byte that a match may name. */
export let outAt: usize = chunkStart;
let summedTo: usize = chunkStart;
let oldest: usize = chunkStart;
let adler: u32 = 1;

/** Of this stream: what the host counts as work. */
export let blocks: i32 = 0;

export function startInflate(): void {
  state = AT_START;
  startBits();
  startTables();
  outAt = chunkStart;
  summedTo = chunkStart;
  oldest = chunkStart;
  adler = 1;
  blocks = 0;
}

/** Gives the chunk's place free, which nobody reads any more, but for what matches may name. @returns its start. */
export function nextChunk(): usize {
  const keep = outAt - window < <usize>HISTORY ? window : outAt - HISTORY;
  const shift = outAt - chunkStart;
  if (shift > 0) {
    memory.copy(window, keep, outAt - keep);
    oldest = oldest < window + shift ? window : oldest - shift;
    outAt = chunkStart;
    summedTo = chunkStart;
  }
  return chunkStart;
}

/** Unpacks into the chunk until something stops it. */
export function inflate(): i32 {
  const firstBlock = blocks;
  let said = BUSY;
  while (said == BUSY) {
    if (state == IN_CODES) said = readCodes();
    else if (state == IN_STORED) said = readStored();
    else if (state == AT_BLOCK) {
      if (blocks - firstBlock >= MOST_BLOCKS) break;
      said = readBlockHeader();
    } else if (state == AT_START) said = readStart();
    else if (state == AT_SUM) said = readSum();
    else return DONE;
  }
  if (state != AT_END) addUp();
  return said;
}

function addUp(): void {
  adler = adler32(summedTo, <i32>(outAt - summedTo), adler);
  summedTo = outAt;
}

function readStart(): i32 {
  if (wants(2)) return WANTS_INPUT;
  const method = take(8);
  const flags = take(8);
  if (flags < 0) return ENDS_EARLY;
  const known = (method & 15) == 8 && method >> 4 <= 7 && (flags & 32) == 0;
  if (!known || ((method << 8) | flags) % 31 != 0) return DAMAGED;
  state = AT_BLOCK;
  return BUSY;
}

function readBlockHeader(): i32 {
  if (wants(MOST_HEADER_BYTES)) return WANTS_INPUT;
  blocks++;
  const header = take(3);
  if (header < 0) return ENDS_EARLY;
  isLast = (header & 1) != 0;
  const kind = header >> 1;
  if (kind == 0) return startStored();
  if (kind == 3) return DAMAGED;
  const said = kind == 1 ? useFixedTables() : readTables();
  if (said == BUSY) state = IN_CODES;
  return said;
}

function startStored(): i32 {
  take(bitCount & 7);
  const length = take(16);
  const complement = take(16);
  if (complement < 0) return ENDS_EARLY;
  if ((length ^ complement) != 0xffff) return DAMAGED;
  stored = length;
  state = IN_STORED;
  return BUSY;
}

function readStored(): i32 {
  toWholeBytes();
  const left = min(stored, <i32>(inEnd - inAt));
  const taken = min(left, CHUNK - <i32>(outAt - chunkStart));
  memory.copy(outAt, inAt, taken);
  outAt += taken;
  setBits(0, 0, inAt + taken);
  stored -= taken;
  if (stored == 0) return endBlock();
  if (outAt >= chunkStart + CHUNK) return FULL;
  return inputIsLast ? ENDS_EARLY : WANTS_INPUT;
}

function endBlock(): i32 {
  state = isLast ? AT_SUM : AT_BLOCK;
  return BUSY;
}

/** Literals and matches up to the block's end. */
function readCodes(): i32 {
  let held = bits;
  let count = bitCount;
  let at = inAt;
  let to = outAt;
  let said = BUSY;
  const limit = chunkStart + CHUNK;
  for (;;) {
    if (to >= limit) {
      said = FULL;
      break;
    }
    if (at + SYMBOL_BYTES <= inEnd) {
      held |= load<u64>(at) << count;
      at += (63 - count) >> 3;
      count |= 56;
    } else if (!inputIsLast) {
      said = WANTS_INPUT;
      break;
    } else {
      while (count <= 48 && at < inEnd) {
        held |= <u64>load<u8>(at++) << count;
        count += 8;
      }
    }
    const entry = symbolOf(literals, held);
    if (entry < 0) {
      said = count < 15 ? ENDS_EARLY : DAMAGED;
      break;
    }
    held >>= entry & 15;
    count -= entry & 15;
    const symbol = entry >> 4;
    if (symbol < 256 && count >= 0) {
      store<u8>(to++, <u8>symbol);
      continue;
    }
    if (symbol <= 256) {
      said = count < 0 ? ENDS_EARLY : endBlock();
      break;
    }
    if (symbol > 285) {
      said = DAMAGED;
      break;
    }
    let extra = <i32>load<u8>(LENGTH_EXTRA + symbol - 257);
    const length = <i32>load<u16>(LENGTH_BASE + 2 * (symbol - 257)) + <i32>(held & ((1 << extra) - 1));
    held >>= extra;
    count -= extra;
    const far = symbolOf(distances, held);
    if (far < 0 || far >> 4 > 29) {
      said = count < 15 ? ENDS_EARLY : DAMAGED;
      break;
    }
    held >>= far & 15;
    extra = <i32>load<u8>(DISTANCE_EXTRA + (far >> 4));
    const distance = <i32>load<u16>(DISTANCE_BASE + 2 * (far >> 4)) + <i32>(held & ((1 << extra) - 1));
    held >>= extra;
    count -= (far & 15) + extra;
    if (count < 0) {
      said = ENDS_EARLY;
      break;
    }
    if (to - distance < oldest) {
      said = DAMAGED;
      break;
    }
    to = copyMatch(to, distance, length);
  }
  setBits(held, count, at);
  outAt = to;
  return said;
}

/** Eight bytes at once: what is written beyond them is written anew. A short pattern is doubled until it fills eight. */
@inline
function copyMatch(to: usize, distance: i32, length: i32): usize {
  const end = to + length;
  for (; distance < 8; distance <<= 1) {
    store<u64>(to, load<u64>(to - distance));
    to += distance;
  }
  for (; to < end; to += 8) store<u64>(to, load<u64>(to - distance));
  return end;
}

function readSum(): i32 {
  if (wants(5)) return WANTS_INPUT;
  addUp();
  take(bitCount & 7);
  let sum: u32 = 0;
  for (let i = 0; i < 4; i++) {
    const byte = take(8);
    if (byte < 0) return ENDS_EARLY;
    sum = (sum << 8) | byte;
  }
  if (sum != adler) return WRONG_SUM;
  state = AT_END;
  return DONE;
}
