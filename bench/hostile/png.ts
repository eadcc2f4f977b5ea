/** The most expensive PNGs that are not refused by their header, and some that are. */
import { crc32, deflateRawSync, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const PAETH = 4;

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly bytesPerPixel: number;
  readonly interlaced?: boolean;
}

const rgb16 = (side: number): Shape => ({
  width: side,
  height: side,
  depth: 16,
  colour: 2,
  bytesPerPixel: 6,
});

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

function png(
  { width, height, depth, colour, interlaced = false }: Shape,
  ...rest: readonly Buffer[]
): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8);
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), ...rest, chunk('IEND', new Uint8Array())]);
}

/** Rows of one value (below `kinds`) or of noise, all with the filter that takes longest. */
function rows({ width, height, bytesPerPixel }: Shape, kinds: number): Buffer {
  const rowBytes = 1 + width * bytesPerPixel;
  const raw = Buffer.alloc(rowBytes * height);
  let state = 1;
  if (kinds > 1)
    for (let i = 0; i < raw.length; i++)
      raw[i] = ((state = (state * 1664525 + 1013904223) >>> 0) >>> 24) % kinds;
  for (let y = 0; y < height; y++) raw[y * rowBytes] = PAETH;
  return raw;
}

/** How many columns and rows of the picture there are to one of each pass of an interlaced one (Adam7). */
const PASSES = [
  [8, 8],
  [8, 8],
  [4, 8],
  [4, 4],
  [2, 4],
  [2, 2],
  [1, 2],
] as const;

/** @param shape whose sides are multiples of 8 where it is interlaced. */
function whole(shape: Shape, kinds = 1): Uint8Array {
  const { width, height, interlaced = false } = shape;
  const parts = interlaced
    ? PASSES.map(([x, y]) => rows({ ...shape, width: width / x, height: height / y }, kinds))
    : [rows(shape, kinds)];
  return png(shape, chunk('IDAT', deflateSync(Buffer.concat(parts))));
}

/** 49 megapixels, below the cap. */
export const hugePng = (): Uint8Array => whole(rgb16(7000));

export function hostilePngs(): Record<string, Uint8Array> {
  const grey = { width: 4, height: 4, depth: 8, colour: 0, bytesPerPixel: 1 };
  const raw = rows(grey, 1);
  const blocks = Buffer.concat([
    Buffer.of(0x78, 1),
    Buffer.alloc(5 * 400_000, Buffer.of(0, 0, 0, 255, 255)),
    deflateRawSync(raw),
    deflateSync(raw).subarray(-4),
  ]);
  const noise = { width: 2100, height: 2100, depth: 8, colour: 6, bytesPerPixel: 4 };
  return {
    'PNG, 7000×7000 in 16 bits': hugePng(),
    'PNG, 5600×5600 in 16 bits, flat': whole(rgb16(5600)),
    'PNG, noise of 16 values': whole(
      { width: 3300, height: 3300, depth: 8, colour: 2, bytesPerPixel: 3 },
      16,
    ),
    'PNG, noise of 16 values in 16 bits': whole(rgb16(2300), 16),
    'PNG, interlaced noise of 16 values': whole(
      { ...noise, interlaced: true, width: 2000, height: 2000 },
      16,
    ),
    'PNG, noise': whole(noise, 256),
    'PNG, 400,000 empty blocks': png(grey, chunk('IDAT', blocks)),
    'PNG, 1.6 million empty chunks': png(grey, Buffer.alloc(12 * 1_600_000, chunk('tEXt', new Uint8Array()))),
  };
}
