/**
 * Walks a PNG's chunks (W3C PNG, third edition), and picks out those that make up the still picture; nothing else
 * (profiles, text, animation frames) is read.
 *
 * Checksums are judged as libpng and browsers judge them: a wrong one of a critical chunk is an error, an ancillary chunk
 * (tRNS, eXIf) that has one counts as missing. So does a tRNS that is not the first, or stands behind the data or before the palette.
 */
import { crc32 } from '../../crc32.ts';
import { type Orientation, readOrientation } from '../exif.ts';
import { checkSides, corrupt, type Header } from '../header.ts';
import { MAX_PNG_CHUNKS } from '../limits.ts';
import { COLOUR_PALETTE, DEPTHS, type PngShape } from './shape.ts';
import { pngWork } from './work.ts';
import { startsWith } from '../sniff.ts';

/** Arrays are views of the file. */
export interface PngHeader extends Header, PngShape {
  /** The IDAT chunks' contents, which joined are the compressed picture. Their checksums are still to be checked. */
  readonly data: readonly PngData[];
  /** PLTE's and tRNS's contents, empty if there are none. */
  readonly palette: Uint8Array;
  readonly transparency: Uint8Array;
}

const SIGNATURE_BYTES = 8;
/** Length, type and checksum around a chunk's data. */
const CHUNK_OVERHEAD_BYTES = 12;
const IHDR_DATA_BYTES = 13;

export interface PngData {
  readonly bytes: Uint8Array;
  /** As it stands in the file. */
  readonly checksum: number;
}

type Found = Pick<PngHeader, 'orientation' | 'data' | 'palette' | 'transparency'>;

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
  const shape = { width, height, depth, colour, interlaced: bytes[28] === 1 };
  const found = pickChunks(bytes, first, colour === COLOUR_PALETTE);
  const dataBytes = found.data.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  return { ...shape, ...found, work: pngWork(shape, dataBytes, bytes.length - dataBytes) };
}

/** Collects the wanted chunks up to IEND; what follows it is ignored. */
function pickChunks(bytes: Uint8Array, afterHeader: number, isIndexed: boolean): Found {
  const chunks = new Chunks(bytes, SIGNATURE_BYTES);
  const data: PngData[] = [];
  let orientation: Orientation | undefined;
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  chunks.next();
  chunks.check();
  if (chunks.end !== afterHeader) throw corrupt('png', 'its header chunk (IHDR) has a wrong length');
  while (chunks.next() !== 'IEND') {
    if (chunks.type === 'IDAT') data.push({ bytes: chunks.data, checksum: chunks.checksum });
    else if (chunks.type === 'IHDR') throw corrupt('png', 'it has two header chunks');
    else if (chunks.isCritical) chunks.check();
    if (isIndexed && chunks.type === 'PLTE') {
      if (palette !== undefined || data.length > 0) throw corrupt('png', 'a palette comes twice or too late');
      palette = chunks.data.slice();
    } else if (chunks.type === 'tRNS' && data.length === 0 && (palette !== undefined || !isIndexed)) {
      if (chunks.isIntact) transparency ??= chunks.data.slice();
    }
    if (chunks.type === 'eXIf' && chunks.isIntact) orientation ??= readOrientation(chunks.data);
  }
  chunks.check();
  if (data.length === 0) throw corrupt('png', 'it holds no picture data (IDAT)');
  if (isIndexed && palette === undefined) throw corrupt('png', 'its palette (PLTE) is missing');
  const none = new Uint8Array();
  return {
    orientation: orientation ?? 1,
    data,
    palette: palette ?? none,
    transparency: transparency ?? none,
  };
}

/** Goes through a file's chunks. */
class Chunks {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #start = 0;
  #count = 0;
  /** Where the chunk ends. */
  end: number;
  type = '';

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = from;
  }

  /** @returns the next chunk's type. @throws image_corrupt where there is none, or more than a picture needs. */
  next(): string {
    const start = this.end;
    if (start + CHUNK_OVERHEAD_BYTES > this.#bytes.length)
      throw corrupt('png', 'the file is cut short (it has no IEND chunk)');
    const end = start + CHUNK_OVERHEAD_BYTES + this.#view.getUint32(start);
    if (end > this.#bytes.length)
      throw corrupt('png', `the file is cut short: its chunk at byte ${start} goes on to byte ${end}`);
    if (++this.#count > MAX_PNG_CHUNKS)
      throw corrupt('png', `it is cut into more than ${MAX_PNG_CHUNKS} chunks`);
    const [a, b, c, d] = this.#bytes.subarray(start + 4, start + 8);
    this.type = String.fromCharCode(a, b, c, d);
    this.#start = start;
    this.end = end;
    return this.type;
  }

  get data(): Uint8Array {
    return this.#bytes.subarray(this.#start + 8, this.end - 4);
  }

  get checksum(): number {
    return this.#view.getUint32(this.end - 4);
  }

  get isIntact(): boolean {
    return crc32(this.#bytes.subarray(this.#start + 4, this.end - 4)) === this.checksum;
  }

  get isCritical(): boolean {
    return this.type[0] < 'a';
  }

  /** @throws image_corrupt for a wrong checksum. */
  check(): void {
    if (!this.isIntact)
      throw corrupt('png', `the checksum of its ${JSON.stringify(this.type)} chunk is wrong`);
  }
}
