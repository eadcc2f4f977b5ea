/** Writes PNG files (W3C PNG third edition): 8-bit RGB, no interlacing. */
import { zlibSync } from 'fflate';
import { crc32 } from '../../crc32.ts';
import type { Size } from '../pixels/raster.ts';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const RGB = 2;
const FILTER_UP = 2;
const CHANNELS = 3;
/** Of zlib's nine: higher ones save nothing on photos, and these are made while somebody waits. */
const COMPRESSION_LEVEL = 1;

/**
 * @param pixels height × width × 3 bytes, rows from the top.
 * @throws RangeError when they are not as many.
 */
export function encodePng(pixels: Uint8Array, { height, width }: Size): Uint8Array<ArrayBuffer> {
  if (pixels.length !== height * width * CHANNELS) {
    throw new RangeError(`${pixels.length} bytes are no ${height}×${width} RGB picture.`);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, RGB, 0, 0, 0], 8);
  const chunks = [
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', header),
    chunk('IDAT', zlibSync(filtered(pixels, width * CHANNELS), { level: COMPRESSION_LEVEL })),
    chunk('IEND', new Uint8Array(0)),
  ];
  const file = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of chunks) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Each row as what it adds to the one above, with the filter's number in front. */
function filtered(pixels: Uint8Array, rowBytes: number): Uint8Array {
  const rows = pixels.length / rowBytes;
  const out = new Uint8Array(pixels.length + rows);
  for (let row = 0; row < rows; row++) {
    const at = row * rowBytes;
    const to = at + row + 1;
    out[to - 1] = FILTER_UP;
    for (let i = 0; i < rowBytes; i++) {
      out[to + i] = pixels[at + i] - (row === 0 ? 0 : pixels[at + i - rowBytes]);
    }
  }
  return out;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}
