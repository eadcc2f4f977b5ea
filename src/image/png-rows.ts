/**
 * Reads a PNG row by row, for pictures that are too large to be decoded whole: only two rows and the inflater's window
 * are in memory at any time. Interlaced pictures can't be read this way.
 *
 * (W3C PNG third edition: 9 filtering, 11.3 chunks; the pixels come out as `@jsquash/png` would give them.)
 */
import { Unzlib } from 'fflate/browser';
import { HeadwaterError } from '../errors.ts';
import { crc32 } from './crc32.ts';
import { corrupt } from './header.ts';
import { INFLATE_SLICE_BYTES } from './limits.ts';
import {
  COLOUR_GREY,
  COLOUR_GREY_ALPHA,
  COLOUR_PALETTE,
  COLOUR_RGB,
  COLOUR_RGBA,
  type PngHeader,
} from './png-header.ts';

const CHANNELS: Readonly<Record<number, number>> = {
  [COLOUR_GREY]: 1,
  [COLOUR_RGB]: 3,
  [COLOUR_PALETTE]: 1,
  [COLOUR_GREY_ALPHA]: 2,
  [COLOUR_RGBA]: 4,
};

/**
 * Calls `onRow` once for each row from the top, with 4·width bytes of RGBA that are valid only during the call.
 *
 * @param header of a picture that is not interlaced.
 * @throws image_corrupt for damaged data or too little of it; data beyond the last row are ignored.
 */
export function readPngRows(header: PngHeader, onRow: (rgba: Uint8Array) => void): void {
  const channels = CHANNELS[header.colour];
  const rowBytes = Math.ceil((header.width * channels * header.depth) / 8);
  const step = Math.max(1, (channels * header.depth) >> 3);
  const expand = createExpander(header);
  let current = new Uint8Array(1 + rowBytes);
  let previous = new Uint8Array(1 + rowBytes);
  let filled = 0;
  let rows = 0;
  const inflate = new Unzlib((data) => {
    for (let at = 0; at < data.length && rows < header.height;) {
      const taken = Math.min(current.length - filled, data.length - at);
      current.set(data.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < current.length) continue;
      unfilter(current, previous, step);
      onRow(expand(current));
      [current, previous] = [previous, current];
      filled = 0;
      rows++;
    }
  });
  feed(inflate, header, () => rows === header.height);
  if (rows < header.height) throw corrupt('png', `its data end after ${rows} of ${header.height} rows`);
}

/** Small slices, because one byte of deflate can become a thousand. */
function feed(inflate: Unzlib, header: PngHeader, done: () => boolean): void {
  for (const { bytes, covered, checksum } of header.data) {
    if (crc32(covered) !== checksum) throw corrupt('png', 'the checksum of its picture data is wrong');
    for (let at = 0; at < bytes.length && !done(); at += INFLATE_SLICE_BYTES) {
      try {
        inflate.push(bytes.subarray(at, at + INFLATE_SLICE_BYTES), false);
      } catch (error) {
        if (error instanceof HeadwaterError) throw error;
        throw corrupt('png', 'its compressed data are damaged', error);
      }
    }
  }
}

/** Undoes the row's filter in place. Byte 0 of both rows is the filter's number; the first row's previous is zeros. */
function unfilter(row: Uint8Array, previous: Uint8Array, step: number): void {
  const first = 1 + step;
  switch (row[0]) {
    case 0:
      return;
    case 1:
      for (let i = first; i < row.length; i++) row[i] += row[i - step];
      return;
    case 2:
      for (let i = 1; i < row.length; i++) row[i] += previous[i];
      return;
    case 3:
      for (let i = 1; i < first; i++) row[i] += previous[i] >> 1;
      for (let i = first; i < row.length; i++) row[i] += (row[i - step] + previous[i]) >> 1;
      return;
    case 4:
      for (let i = 1; i < first; i++) row[i] += previous[i];
      for (let i = first; i < row.length; i++)
        row[i] += paeth(row[i - step], previous[i], previous[i - step]);
      return;
    default:
      throw corrupt('png', `a row has the unknown filter ${row[0]}`);
  }
}

function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** @returns a function that turns an unfiltered row into RGBA of 8 bits, in a buffer of its own. */
function createExpander(header: PngHeader): (row: Uint8Array) => Uint8Array {
  const { width, depth, colour } = header;
  const out = new Uint8Array(4 * width).fill(255);
  if (colour === COLOUR_PALETTE) return (row) => expandPalette(header, row, out);
  const channels = CHANNELS[colour];
  const key = transparentKey(header);
  const scale = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const down = depth === 16 ? 8 : 0;
  const isGrey = channels < 3;
  const hasAlpha = channels % 2 === 0;
  return (row) => {
    for (let x = 0, to = 0; x < width; x++, to += 4) {
      const at = x * channels;
      const red = sample(row, at, depth);
      const green = isGrey ? red : sample(row, at + 1, depth);
      const blue = isGrey ? red : sample(row, at + 2, depth);
      out[to] = (red >> down) * scale;
      out[to + 1] = (green >> down) * scale;
      out[to + 2] = (blue >> down) * scale;
      if (hasAlpha) out[to + 3] = sample(row, at + channels - 1, depth) >> down;
      else if (key !== undefined)
        out[to + 3] = red === key[0] && green === key[1] && blue === key[2] ? 0 : 255;
    }
    return out;
  };
}

/** The index-th sample of an unfiltered row (whose byte 0 is the filter): 8 bits first, since most pictures have them. */
function sample(row: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return row[1 + index];
  if (depth === 16) return (row[1 + 2 * index] << 8) | row[2 + 2 * index];
  const bit = index * depth;
  return (row[1 + (bit >> 3)] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

/** tRNS of a picture without alpha names one colour that is wholly transparent: 16 bits a sample, the low ones used. */
function transparentKey({ colour, depth, transparency }: PngHeader): readonly number[] | undefined {
  const samples = colour === COLOUR_GREY ? 1 : 3;
  if (transparency.length !== 2 * samples || (colour !== COLOUR_GREY && colour !== COLOUR_RGB))
    return undefined;
  const values = Array.from({ length: samples }, (_, i) => {
    const low = transparency[2 * i + 1];
    return depth === 16 ? (transparency[2 * i] << 8) | low : low;
  });
  return samples === 1 ? [values[0], values[0], values[0]] : values;
}

/** Entries that the palette lacks are opaque black. */
function expandPalette(
  { width, depth, palette, transparency }: PngHeader,
  row: Uint8Array,
  out: Uint8Array,
): Uint8Array {
  for (let x = 0, to = 0; x < width; x++, to += 4) {
    const index = sample(row, x, depth);
    out[to] = palette[3 * index] ?? 0;
    out[to + 1] = palette[3 * index + 1] ?? 0;
    out[to + 2] = palette[3 * index + 2] ?? 0;
    out[to + 3] = transparency[index] ?? 255;
  }
  return out;
}
