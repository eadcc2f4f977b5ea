/** The prefix codes of a block: the fixed ones, or those that its header describes (RFC 1951, 3.2.6 and 3.2.7). */
import { BUSY, DAMAGED, ENDS_EARLY } from './answers.as';
import { bitCount, bits, refill, take } from './bits.as';
import { buildTable, symbolOf } from './huffman.as';
import { distances, literals } from './layout.as';

const lengths = memory.data(320);
const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

let tablesAreFixed = false;

export function startTables(): void {
  tablesAreFixed = false;
}

/** @returns BUSY, as all that goes on. */
export function useFixedTables(): i32 {
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

/** @returns BUSY where they are there, else what is wrong. */
export function readTables(): i32 {
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
