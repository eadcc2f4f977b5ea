/** Where everything lies that is too large to be a part of the module. Rows come behind it, as long as the host says. */
import { TABLE_BYTES } from './huffman.as';

export const INPUT_BYTES: i32 = 32768;
/** How far back a match may reach, and how much is unpacked at once. */
export const HISTORY: i32 = 32768;
export const CHUNK: i32 = 32768;
/** The longest match, and what copying eight bytes at once writes beyond it. */
const SLACK: i32 = 258 + 22;

export const input: usize = (__heap_base + 63) & ~63;
export const window: usize = input + INPUT_BYTES + 64;
export const chunkStart: usize = window + HISTORY;
export const literals: usize = chunkStart + CHUNK + SLACK;
export const distances: usize = literals + TABLE_BYTES;
export const crcTables: usize = distances + TABLE_BYTES;
export const rows: usize = (crcTables + 8 * 1024 + 63) & ~63;
