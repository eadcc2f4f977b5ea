/**
 * A zlib stream (RFC 1950, 1951) unpacked a chunk at a time: it stops when a chunk is full, when it wants more input, and
 * after a number of blocks, since a block can cost much and give nothing. Nothing is allocated.
 */
import { adler32 } from './checksums';
import { buildTable, symbolOf } from './huffman';
import { CHUNK, chunkStart, distances, HISTORY, input, INPUT_BYTES, literals, window } from './layout';

/** What `inflate` says; the host knows these numbers, too. */
export const FULL: i32 = 0;
export const WANTS_INPUT: i32 = 1;
export const BUSY: i32 = 2;
export const DONE: i32 = 3;
export const DAMAGED: i32 = 4;
export const ENDS_EARLY: i32 = 5;
export const WRONG_SUM: i32 = 6;

/** A block's header with all its code lengths takes less. */
const MOST_HEADER_BYTES: i32 = 640;
/** A symbol with its distance takes at most 48 bits. */
const SYMBOL_BYTES: i32 = 8;
const MOST_BLOCKS: i32 = 32;

const lengths = memory.data(320);
const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
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
let bits: u64 = 0;
let bitCount: i32 = 0;
let inAt: usize = input;
let inEnd: usize = input;
let inputIsLast = false;
/** Where the next byte goes, where the sum has come to, and the oldest byte that a match may name. */
export let outAt: usize = chunkStart;
let summedTo: usize = chunkStart;
let oldest: usize = chunkStart;
let adler: u32 = 1;
let tablesAreFixed = false;

/** Of this stream: what the host counts as work. */
export let blocks: i32 = 0;

export function startInflate(): void {
  state = AT_START;
  bits = 0;
  bitCount = 0;
  inAt = input;
  inEnd = input;
  inputIsLast = false;
  outAt = chunkStart;
  summedTo = chunkStart;
  oldest = chunkStart;
  adler = 1;
  blocks = 0;
  tablesAreFixed = false;
}

/** Puts what is not read yet to the front. @returns where more input goes. */
export function makeRoom(): usize {
  // Whole bytes that were read ahead go back while they are there.
  inAt -= bitCount >> 3;
  bitCount &= 7;
  bits &= (1 << bitCount) - 1;
  const left = inEnd - inAt;
  memory.copy(input, inAt, left);
  inAt = input;
  inEnd = input + left;
  return inEnd;
}

/** Bytes that `makeRoom` leaves room for. */
export function room(): i32 {
  return <i32>(input + INPUT_BYTES - inEnd);
}

/** So many bytes were put where `makeRoom` said; they are the last ones or not. */
export function addInput(bytes: i32, last: bool): void {
  inEnd += bytes;
  inputIsLast = last;
}

/** Forgets input that nobody will read. */
export function dropInput(): void {
  inAt = input;
  inEnd = input;
  bits = 0;
  bitCount = 0;
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

/** Bytes at hand, those in `bits` included. */
function wants(bytes: i32): bool {
  return !inputIsLast && <i32>(inEnd - inAt) + (bitCount >> 3) < bytes;
}

/** Fills `bits` up to 49 or more, as far as there is input; never all 64, by which nothing can be shifted. */
@inline
function refill(): void {
  while (bitCount <= 48 && inAt < inEnd) {
    bits |= <u64>load<u8>(inAt++) << bitCount;
    bitCount += 8;
  }
}

/** @returns the next bits, at most 16, or −1 at the end of the input. */
function take(count: i32): i32 {
  if (bitCount < count) refill();
  if (bitCount < count) return -1;
  const value = <i32>(bits & ((1 << count) - 1));
  bits >>= count;
  bitCount -= count;
  return value;
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

function useFixedTables(): i32 {
  if (tablesAreFixed) return BUSY;
  memory.fill(lengths, 8, 144);
  memory.fill(lengths + 144, 9, 112);
  memory.fill(lengths + 256, 7, 24);
  memory.fill(lengths + 280, 8, 8);
  buildTable(literals, lengths, 288, false);
  memory.fill(lengths, 5, 32);
  buildTable(distances, lengths, 32, false);
  tablesAreFixed = true;
  return BUSY;
}

function readTables(): i32 {
  const literalCount = take(5) + 257;
  const distanceCount = take(5) + 1;
  const orderCount = take(4) + 4;
  if (orderCount < 4) return ENDS_EARLY;
  if (literalCount > 286 || distanceCount > 30) return DAMAGED;
  tablesAreFixed = false;
  memory.fill(lengths, 0, 19);
  for (let i = 0; i < orderCount; i++) {
    const length = take(3);
    if (length < 0) return ENDS_EARLY;
    store<u8>(lengths + load<u8>(ORDER + i), <u8>length);
  }
  if (!buildTable(literals, lengths, 19, false)) return DAMAGED;
  const said = readLengths(literalCount + distanceCount);
  if (said != BUSY) return said;
  const ended = load<u8>(lengths + 256) != 0;
  const built =
    ended &&
    buildTable(distances, lengths + literalCount, distanceCount, true) &&
    buildTable(literals, lengths, literalCount, true);
  return built ? BUSY : DAMAGED;
}

/** The code lengths of both tables, themselves in a code. */
function readLengths(count: i32): i32 {
  for (let i = 0; i < count; ) {
    refill();
    const symbol = symbolOf(literals, bits);
    if (symbol < 0) return bitCount < 15 ? ENDS_EARLY : DAMAGED;
    if (take(symbol & 15) < 0) return ENDS_EARLY;
    const value = symbol >> 4;
    if (value < 16) {
      store<u8>(lengths + i++, <u8>value);
      continue;
    }
    if (value == 16 && i == 0) return DAMAGED;
    const extra = take(value == 16 ? 2 : value == 17 ? 3 : 7);
    if (extra < 0) return ENDS_EARLY;
    const times = extra + (value == 18 ? 11 : 3);
    if (i + times > count) return DAMAGED;
    memory.fill(lengths + i, value == 16 ? load<u8>(lengths + i - 1) : 0, times);
    i += times;
  }
  return BUSY;
}

function readStored(): i32 {
  // Whole bytes that were read ahead go back.
  inAt -= bitCount >> 3;
  bits = 0;
  bitCount = 0;
  const left = min(stored, <i32>(inEnd - inAt));
  const taken = min(left, CHUNK - <i32>(outAt - chunkStart));
  memory.copy(outAt, inAt, taken);
  outAt += taken;
  inAt += taken;
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
  bits = held;
  bitCount = count;
  inAt = at;
  outAt = to;
  return said;
}

@inline
function copyMatch(to: usize, distance: i32, length: i32): usize {
  const end = to + length;
  if (distance >= 8) {
    for (; to < end; to += 8) store<u64>(to, load<u64>(to - distance));
  } else {
    for (; to < end; to++) store<u8>(to, load<u8>(to - distance));
  }
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
