/**
 * A PNG's compressed data to rows of samples: the arithmetic of codec.ts, which feeds it and says how long
 * rows are. Whatever is asked for stops now and then, so that the host can count the work and let others have a turn.
 */
import { DAMAGED, DONE, ENDS_EARLY } from './answers.as';
import { addInput, dropInput, makeRoom, room } from './bits.as';
import { crc32 } from './checksums.as';
import { blocks, inflate, nextChunk, outAt, startInflate } from './inflate.as';
import { rows } from './layout.as';
import { unfilter } from './unfilter.as';

export { addInput, dropInput, makeRoom, room };

/** What `row` and `finish` say besides what `inflate` does: a row is there; its filter is unknown; more than the rows came. */
const ROW: i32 = 7;
const UNKNOWN_FILTER: i32 = 8;
const SURPLUS: i32 = 9;

let readAt: usize = 0;
let current: usize = 0;
let previous: usize = 0;
let filled: i32 = 0;
/** Of the chunk that is being read so far, and of what came before. */
let crc: u32 = 0;
const typeAt = memory.data(4);

/** @returns where rows lie: two of them, each with its filter's byte before it. */
export function rowsStart(): usize {
  return rows;
}

/** @param rowBytes of the longest row, with its filter's byte. */
export function start(rowBytes: i32): void {
  startInflate();
  readAt = nextChunk();
  current = rowsStart();
  previous = current + ((rowBytes + 79) & ~63);
  startPass(rowBytes);
}

/** The rows that follow have nothing above them: so is the first of each pass of an interlaced picture. */
export function startPass(rowBytes: i32): void {
  memory.fill(previous, 0, rowBytes);
  filled = 0;
}

/**
 * Makes the next row, or says why not yet.
 * @param bytes of the row with its filter's byte. @param step bytes of a pixel, at least 1.
 */
export function row(bytes: i32, step: i32): i32 {
  for (;;) {
    const taken = min(bytes - filled, <i32>(outAt - readAt));
    memory.copy(current + filled, readAt, taken);
    filled += taken;
    readAt += taken;
    if (filled == bytes) break;
    readAt = nextChunk();
    const said = inflate();
    if (outAt == readAt) return said == DONE ? ENDS_EARLY : said;
    if (said >= DAMAGED) return said;
  }
  if (!unfilter(current, previous, bytes, step)) return UNKNOWN_FILTER;
  const made = current;
  current = previous;
  previous = made;
  filled = 0;
  return ROW;
}

/** @returns where the row lies that was made last, its filter's byte first. */
export function lastRow(): usize {
  return previous;
}

/** After the last row: reads on to the end of the stream and its sum. More data than the rows are none of our concern. */
export function finish(): i32 {
  if (readAt < outAt) return SURPLUS;
  readAt = nextChunk();
  const said = inflate();
  return readAt < outAt ? SURPLUS : said;
}

export function blocksSoFar(): i32 {
  return blocks;
}

/** Begins a chunk's checksum with the four bytes of its type. */
export function startChunk(type: u32): void {
  store<u32>(typeAt, type);
  crc = crc32(typeAt, 4, 0);
}

/** Counts bytes that lie in memory into the chunk's checksum. @returns it. */
export function addToChunk(at: usize, bytes: i32): u32 {
  crc = crc32(at, bytes, crc);
  return crc;
}
