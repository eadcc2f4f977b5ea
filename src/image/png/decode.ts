/**
 * A PNG decoded and resized row by row: two rows and the inflater's window are in memory at any time, whatever its size,
 * and others can have their turn between rows. Of an interlaced picture half is held, so that is done in one go.
 */
import { HeadwaterError } from '../../errors.ts';
import { checkCallWork, corrupt } from '../header.ts';
import { MAX_INTERLACED_PNG_BLOCKS, MAX_PNG_PIXELS } from '../limits.ts';
import { type PngDecoder, PngRows } from './codec.ts';
import type { PngHeader } from './header.ts';
import { createExpander } from './samples.ts';
import { bitsPerPixel, rowBytesOf } from './shape.ts';
import { asStored, type Size } from '../pixels/raster.ts';
import { resizeMemory } from '../pixels/resize-cost.ts';
import type { PushRow, Resizer } from '../pixels/resize.ts';
import type { DecodingWork } from '../work.ts';

/** A block of compressed data with tables of its own. */
const BLOCK_NS = 4_000;

/** Adam7 (8.2): where a pass begins and how far apart its pixels are. */
const PASSES = [
  { x: 0, y: 0, across: 8, down: 8 },
  { x: 4, y: 0, across: 8, down: 8 },
  { x: 0, y: 4, across: 4, down: 8 },
  { x: 2, y: 0, across: 4, down: 4 },
  { x: 0, y: 2, across: 2, down: 4 },
  { x: 1, y: 0, across: 2, down: 2 },
  { x: 0, y: 1, across: 1, down: 2 },
] as const;

/** Memory of the inflater with its tables, and for each pixel of a row that is expanded. */
const BASE_BYTES = 262_144;
const EXPANDED_BYTES = 8;

/** @param sizes of all results. @returns bytes that are held while a picture comes row by row; of an interlaced one half of it. */
export function pngMemory(header: PngHeader, sizes: readonly Size[]): number {
  const rowBytes = rowBytesOf(header, header.width);
  const rows = 2 * rowBytes + EXPANDED_BYTES * header.width;
  const passes = header.interlaced ? rowBytes * Math.ceil(header.height / 2) : 0;
  return sizes.reduce(
    (sum, size) => sum + resizeMemory(header, asStored(size, header.orientation)),
    BASE_BYTES + rows + passes,
  );
}

/** @throws image_too_many_pixels */
export function checkPngSize(header: PngHeader): void {
  const { width, height, interlaced } = header;
  if (interlaced) checkCallWork('png', header);
  if (width * height > MAX_PNG_PIXELS) {
    throw new HeadwaterError(
      'image_too_many_pixels',
      `The PNG is ${width}×${height} pixels; at most ${MAX_PNG_PIXELS} in all are accepted. Scale it down, or send it as a JPEG.`,
    );
  }
}

/**
 * @param header whose work is that of all sizes.
 * @returns for each size height × width × 3 bytes, RGB, upright.
 * @throws image_corrupt for damaged data or too little of it; what `work` throws.
 */
export function decodePng(
  decoder: PngDecoder,
  header: PngHeader,
  resizer: Resizer,
  sizes: readonly Size[],
  work: DecodingWork,
): Promise<Uint8Array[]> {
  const { width, height, orientation } = header;
  const { layout, expand } = createExpander(header);
  return decoder.hold((codec) => {
    const rows = new PngRows(codec, header, 1 + rowBytesOf(header, width));
    const read = new Reader(header, rows, work);
    return resizer.resizeRows({ width, height, layout }, orientation, sizes, async (push) => {
      const expanded: PushRow = (row) => push(expand(row, width));
      if (header.interlaced) read.interlaced(expanded);
      else await read.inOrder(expanded);
    });
  });
}

class Reader {
  readonly #header: PngHeader;
  readonly #rows: PngRows;
  readonly #work: DecodingWork;
  readonly #step: number;
  #blocks = 0;

  constructor(header: PngHeader, rows: PngRows, work: DecodingWork) {
    this.#header = header;
    this.#rows = rows;
    this.#work = work;
    this.#step = Math.max(1, bitsPerPixel(header) >> 3);
  }

  async inOrder(push: PushRow): Promise<void> {
    const { width, height } = this.#header;
    const rowBytes = 1 + rowBytesOf(this.#header, width);
    const rowWork = this.#header.work / height;
    for (let y = 0; y < height;) {
      const row = this.#rows.next(rowBytes, this.#step);
      if (row !== undefined) {
        push(row);
        y++;
      }
      if (this.#due(row === undefined ? 0 : rowWork)) await this.#work.rest();
    }
    while (!this.#rows.finish()) if (this.#due(0)) await this.#work.rest();
  }

  /** The last pass is every other row; what comes before it are the rows between, which are held. */
  interlaced(push: PushRow): void {
    const { width, height } = this.#header;
    const rowBytes = rowBytesOf(this.#header, width);
    const even = new Uint8Array(rowBytes * Math.ceil(height / 2));
    const rowAt = (y: number): Uint8Array => even.subarray((y / 2) * rowBytes, (y / 2 + 1) * rowBytes);
    for (const pass of PASSES.slice(0, -1)) this.#readPass(pass, rowAt);
    this.#rows.startPass(1 + rowBytes);
    for (let y = 0; y < height; y += 2) {
      push(rowAt(y));
      if (y + 1 < height) push(this.#now(1 + rowBytes));
    }
    while (!this.#rows.finish()) this.#countBlocks();
  }

  #readPass({ x, y, across, down }: (typeof PASSES)[number], rowAt: (y: number) => Uint8Array): void {
    const { width, height } = this.#header;
    const bits = bitsPerPixel(this.#header);
    const pixels = Math.ceil((width - x) / across);
    if (pixels <= 0) return;
    const rowBytes = 1 + Math.ceil((pixels * bits) / 8);
    this.#rows.startPass(rowBytes);
    for (let to = y; to < height; to += down)
      spread(this.#now(rowBytes), rowAt(to), { pixels, x, across, bits });
  }

  /** The next row without a pause. */
  #now(rowBytes: number): Uint8Array {
    for (;;) {
      const row = this.#rows.next(rowBytes, this.#step);
      if (row !== undefined) return row;
      this.#countBlocks();
    }
  }

  #countBlocks(): void {
    this.#due(0);
    if (this.#blocks > MAX_INTERLACED_PNG_BLOCKS)
      throw corrupt('png', `its data are cut into more than ${MAX_INTERLACED_PNG_BLOCKS} blocks`);
  }

  /** Blocks are no part of the estimate: nothing but an attack has many. */
  #due(workNs: number): boolean {
    const more = this.#rows.blocks - this.#blocks;
    this.#blocks += more;
    if (more > 0) this.#work.allow(more * BLOCK_NS);
    return this.#work.due(workNs + more * BLOCK_NS);
  }
}

/** Puts a pass's pixels to their places in the row. */
function spread(
  from: Uint8Array,
  row: Uint8Array,
  { pixels, x, across, bits }: { pixels: number; x: number; across: number; bits: number },
): void {
  if (bits < 8) {
    const mask = (1 << bits) - 1;
    for (let i = 0; i < pixels; i++) {
      const value = (from[(i * bits) >> 3] >> (8 - bits - ((i * bits) & 7))) & mask;
      const bit = (x + i * across) * bits;
      row[bit >> 3] |= value << (8 - bits - (bit & 7));
    }
    return;
  }
  const bytes = bits >> 3;
  for (let i = 0; i < pixels; i++) {
    const to = (x + i * across) * bytes;
    for (let b = 0; b < bytes; b++) row[to + b] = from[i * bytes + b];
  }
}
