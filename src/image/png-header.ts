/**
 * Walks a PNG's chunks (W3C PNG, third edition), and picks out those that make up the still picture. Everything else
 * (profiles, text, animation frames) is left out of what the decoder gets: less to read, and less to be attacked with.
 */
import { type Orientation, readOrientation } from './exif.ts';
import { checkSides, checkWorkingBytes, corrupt, type Header } from './header.ts';
import { startsWith } from './sniff.ts';

export interface PngHeader extends Header {
  /** Views of the file which, joined, are a PNG of the picture alone. */
  readonly pieces: readonly Uint8Array[];
}

const SIGNATURE_BYTES = 8;
/** Length, type and checksum around a chunk's data. */
const CHUNK_OVERHEAD_BYTES = 12;
const IHDR_DATA_BYTES = 13;
/** The decoder expands everything to 8-bit RGBA. */
const DECODED_BYTES_PER_PIXEL = 4;
/** Runs of wanted chunks between unwanted ones. Real files have a handful. */
const MAX_PIECES = 1_024;
const WANTED: readonly string[] = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];

/** @throws image_corrupt when chunks are missing, out of place or cut short; image_too_many_pixels beyond the caps. */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const first = SIGNATURE_BYTES + CHUNK_OVERHEAD_BYTES + IHDR_DATA_BYTES;
  if (bytes.length < first || !startsWith(bytes, SIGNATURE_BYTES, '\0\0\0\x0dIHDR')) {
    throw corrupt('png', 'its header chunk (IHDR) is missing or cut short');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  checkSides('png', width, height);
  const { pieces, orientation } = walkChunks(bytes, view, first);
  const header = { width, height, orientation, pieces };
  const fileBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  checkWorkingBytes('png', header, fileBytes + width * height * DECODED_BYTES_PER_PIXEL);
  return header;
}

/** Collects runs of wanted chunks from the one after IHDR up to IEND; what follows IEND is ignored. */
function walkChunks(
  bytes: Uint8Array,
  view: DataView,
  afterHeader: number,
): { pieces: Uint8Array[]; orientation: Orientation } {
  const pieces: Uint8Array[] = [];
  let orientation: Orientation = 1;
  let runStart = 0;
  for (let at = afterHeader; ;) {
    if (at + CHUNK_OVERHEAD_BYTES > bytes.length)
      throw corrupt('png', 'the file is cut short (it has no IEND chunk)');
    const end = at + CHUNK_OVERHEAD_BYTES + view.getUint32(at);
    if (end > bytes.length)
      throw corrupt('png', `the file is cut short: its chunk at byte ${at} goes on to byte ${end}`);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === 'IHDR') throw corrupt('png', 'it has two header chunks');
    if (type === 'IEND') {
      pieces.push(bytes.subarray(runStart, end));
      return { pieces, orientation };
    }
    if (!WANTED.includes(type)) {
      if (at > runStart) pieces.push(bytes.subarray(runStart, at));
      runStart = end;
      if (pieces.length > MAX_PIECES) throw corrupt('png', 'its picture data is scattered over the file');
      if (type === 'eXIf') orientation = readOrientation(bytes.subarray(at + 8, end - 4));
    }
    at = end;
  }
}
