/**
 * Walks a PNG's chunks (W3C PNG, third edition), and picks out those that make up the still picture. Everything else
 * (profiles, text, animation frames) is left out of what the decoder gets: less to read, and less to be attacked with.
 */
import { type Orientation, readOrientation } from './exif.ts';
import { checkSides, corrupt, type Header } from './header.ts';
import { startsWith } from './sniff.ts';

/** IHDR's colour types. */
export const COLOUR_GREY = 0;
export const COLOUR_RGB = 2;
export const COLOUR_PALETTE = 3;
export const COLOUR_GREY_ALPHA = 4;
export const COLOUR_RGBA = 6;

/** The bit depths that each colour type may have. */
const DEPTHS: ReadonlyMap<number, readonly number[]> = new Map([
  [COLOUR_GREY, [1, 2, 4, 8, 16]],
  [COLOUR_RGB, [8, 16]],
  [COLOUR_PALETTE, [1, 2, 4, 8]],
  [COLOUR_GREY_ALPHA, [8, 16]],
  [COLOUR_RGBA, [8, 16]],
]);

/** All arrays are views of the file. */
export interface PngHeader extends Header {
  readonly depth: number;
  readonly colour: number;
  readonly interlaced: boolean;
  /** Signature and chunks which, joined, are a PNG of the picture alone. */
  readonly pieces: readonly Uint8Array[];
  /** The IDAT chunks' contents, which joined are the compressed picture. */
  readonly data: readonly PngData[];
  /** PLTE's and tRNS's contents, empty if there are none. */
  readonly palette: Uint8Array;
  readonly transparency: Uint8Array;
}

const SIGNATURE_BYTES = 8;
/** Length, type and checksum around a chunk's data. */
const CHUNK_OVERHEAD_BYTES = 12;
const IHDR_DATA_BYTES = 13;
/** Runs of wanted chunks between unwanted ones. Real files have a handful. */
const MAX_PIECES = 1_024;
/** Chunks in all; writers cut IDAT into pieces of 8 kB or more, so a file at the size cap has 2,500. */
const MAX_CHUNKS = 65_536;

export interface PngData {
  readonly bytes: Uint8Array;
  /** Type and contents, which the checksum covers, and the checksum that stands in the file. */
  readonly covered: Uint8Array;
  readonly checksum: number;
}

type Found = Pick<PngHeader, 'orientation' | 'pieces' | 'data' | 'palette' | 'transparency'>;

interface Chunk {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly data: Uint8Array;
  readonly covered: Uint8Array;
  readonly checksum: number;
}

/** @throws image_corrupt when chunks are missing, out of place or cut short; image_too_many_pixels beyond the caps. */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const first = SIGNATURE_BYTES + CHUNK_OVERHEAD_BYTES + IHDR_DATA_BYTES;
  if (bytes.length < first || !startsWith(bytes, SIGNATURE_BYTES, '\0\0\0\x0dIHDR')) {
    throw corrupt('png', 'its header chunk (IHDR) is missing or cut short');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const depth = bytes[24];
  const colour = bytes[25];
  checkSides('png', width, height);
  if (!DEPTHS.get(colour)?.includes(depth)) {
    throw corrupt(
      'png',
      `its header claims ${depth} bits with colour type ${colour}, which do not go together`,
    );
  }
  if (bytes[26] !== 0 || bytes[27] !== 0 || bytes[28] > 1)
    throw corrupt('png', 'it uses an unknown compression, filter or interlacing');
  return { width, height, depth, colour, interlaced: bytes[28] === 1, ...pickChunks(bytes, first) };
}

/** Collects runs of wanted chunks from the start of the file up to IEND; what follows IEND is ignored. */
function pickChunks(bytes: Uint8Array, afterHeader: number): Found {
  const pieces: Uint8Array[] = [];
  const data: PngData[] = [];
  let orientation: Orientation = 1;
  let palette = new Uint8Array();
  let transparency = new Uint8Array();
  let runStart = 0;
  for (const chunk of chunks(bytes, afterHeader)) {
    if (chunk.type === 'IDAT')
      data.push({ bytes: chunk.data, covered: chunk.covered, checksum: chunk.checksum });
    else if (chunk.type === 'PLTE') palette = chunk.data.slice();
    else if (chunk.type === 'tRNS') transparency = chunk.data.slice();
    else if (chunk.type === 'IHDR') throw corrupt('png', 'it has two header chunks');
    else if (chunk.type === 'IEND') {
      pieces.push(bytes.subarray(runStart, chunk.end));
      break;
    } else {
      if (chunk.start > runStart) pieces.push(bytes.subarray(runStart, chunk.start));
      runStart = chunk.end;
      if (chunk.type === 'eXIf') orientation = readOrientation(chunk.data);
    }
    if (pieces.length > MAX_PIECES || data.length > MAX_CHUNKS)
      throw corrupt('png', 'it is cut into too many chunks');
  }
  return { orientation, pieces, data, palette, transparency };
}

/** Yields chunks up to and including IEND. */
function* chunks(bytes: Uint8Array, from: number): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = from; ;) {
    if (start + CHUNK_OVERHEAD_BYTES > bytes.length)
      throw corrupt('png', 'the file is cut short (it has no IEND chunk)');
    const end = start + CHUNK_OVERHEAD_BYTES + view.getUint32(start);
    if (end > bytes.length)
      throw corrupt('png', `the file is cut short: its chunk at byte ${start} goes on to byte ${end}`);
    const type = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
    const covered = bytes.subarray(start + 4, end - 4);
    yield { type, start, end, data: covered.subarray(4), covered, checksum: view.getUint32(end - 4) };
    if (type === 'IEND') return;
    start = end;
  }
}
