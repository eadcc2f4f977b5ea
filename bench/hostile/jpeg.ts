/** The most expensive JPEGs that we could construct: each has little data for the work that its headers ask for. */

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly progressive?: boolean;
  /** Of the components: 0x11 or 0x22 for the first. */
  readonly sampling?: number;
  readonly components?: 1 | 3;
}

/** Components of a scan, and its first and last coefficient, high and low bit. */
interface Scan {
  readonly of: readonly number[];
  readonly spectrum: readonly [first: number, last: number];
  readonly bits?: number;
  /** Bytes of entropy-coded data, and their value. */
  readonly data: number;
  readonly fill?: number;
}

const segment = (marker: number, data: readonly number[]): number[] => {
  const length = data.length + 2;
  return [0xff, marker, length >> 8, length & 255, ...data];
};
const big16 = (value: number): number[] => [value >> 8, value & 255];
/** Codes of one bit for "no difference" and "end of block". */
const oneBitTable = (id: number): number[] => segment(0xc4, [id, 1, ...Array<number>(15).fill(0), 0]);

/** All up to the first scan. */
function head({ width, height, progressive = false, sampling = 0x22, components = 3 }: Shape): number[] {
  const ids = Array.from({ length: components }, (_, i) => i + 1);
  const frame = ids.flatMap((id) => [id, id === 1 ? sampling : 0x11, 0]);
  return [
    0xff,
    0xd8,
    ...segment(0xdb, [0, ...Array<number>(64).fill(1)]),
    ...segment(progressive ? 0xc2 : 0xc0, [8, ...big16(height), ...big16(width), components, ...frame]),
    ...oneBitTable(0x00),
    ...oneBitTable(0x10),
  ];
}

function scan({ of, spectrum, bits = 0, data, fill = 0 }: Scan): Uint8Array[] {
  const header = segment(0xda, [of.length, ...of.flatMap((id) => [id, 0]), ...spectrum, bits]);
  return [Uint8Array.from(header), new Uint8Array(data).fill(fill)];
}

function picture(shape: Shape, scans: readonly Scan[], extra: readonly number[] = []): Uint8Array {
  const start = Uint8Array.from([...head(shape), ...extra]);
  return Buffer.concat([start, ...scans.flatMap(scan), END]);
}

const END = Uint8Array.of(0xff, 0xd9);
/** A single MCU of 16×16 pixels. */
const SMALL = { width: 16, height: 16 };
const SMALL_SCAN: Scan = { of: [1, 2, 3], spectrum: [0, 63], data: 2 };

const blocksOf = (width: number, height: number): number => Math.ceil(width / 8) * Math.ceil(height / 8);
/** Of three components, two of which have a quarter of the samples: an MCU is 16×16 pixels. */
const mcuBlocksOf = (width: number, height: number): number =>
  6 * Math.ceil(width / 16) * Math.ceil(height / 16);

function flat(width: number, height: number): Uint8Array {
  const data = Math.ceil((mcuBlocksOf(width, height) * 2) / 8) + 64;
  return picture({ width, height }, [{ of: [1, 2, 3], spectrum: [0, 63], data }]);
}

/** Progressive: levels, then the same coefficients again and again, with an end-of-block code for each block. */
function manyScans(width: number, height: number, count: number, bits = 0): Uint8Array {
  const data = Math.ceil(blocksOf(width, height) / 8) + 64;
  const levels: Scan = { of: [1], spectrum: [0, 0], data };
  const rest = Array.from({ length: count - 1 }, (): Scan => ({ of: [1], spectrum: [1, 63], bits, data }));
  return picture({ width, height, progressive: true, sampling: 0x11, components: 1 }, [levels, ...rest]);
}

/** A scan for each component, and then again. @param data of each; the decoder walks over the blocks of empty ones, too. */
function manyBaselineScans(width: number, height: number, count: number, data: number): Uint8Array {
  const one = (_: unknown, i: number): Scan => ({ of: [1 + (i % 3)], spectrum: [0, 63], data });
  return picture({ width, height, sampling: 0x11 }, Array.from({ length: count }, one));
}

/** Two bits for each block. */
function flatScans(width: number, height: number, count: number): Uint8Array {
  return manyBaselineScans(width, height, count, Math.ceil((blocksOf(width, height) * 2) / 8) + 64);
}

function repeated(part: readonly number[], bytes: number): Uint8Array {
  const length = Math.floor(bytes / part.length) * part.length;
  return Buffer.alloc(length, Uint8Array.from(part));
}

function tables(bytes: number): Uint8Array {
  const file = picture(SMALL, [SMALL_SCAN]);
  const at = head(SMALL).length;
  return Buffer.concat([file.subarray(0, at), repeated(oneBitTable(0x01), bytes), file.subarray(at)]);
}

/** The same bytes again and again after the picture's data: stuffing, filling, restart markers, each of which is logged. */
function trailing(part: readonly number[], bytes: number): Uint8Array {
  return Buffer.concat([picture(SMALL, [SMALL_SCAN]).subarray(0, -2), repeated(part, bytes), END]);
}

/** All coefficients of every block, each with the longest code: the most work for each byte of data. */
function dense(width: number, height: number, bytes: number): Uint8Array {
  return picture({ width, height }, [{ of: [1, 2, 3], spectrum: [0, 63], data: bytes, fill: 0x55 }]);
}

/** All coefficients of every block in two bits each, of three components alike. */
function full(width: number, height: number): Uint8Array {
  const data = Math.ceil((3 * blocksOf(width, height) * (1 + 2 * 63)) / 8) + 64;
  const table = segment(0xc4, [0x10, 1, ...Array<number>(15).fill(0), 1]);
  return picture({ width, height, sampling: 0x11 }, [{ of: [1, 2, 3], spectrum: [0, 63], data }], table);
}

/** @returns pictures that cost as much as possible; some are refused by their headers, which must be fast as well. */
export function hostileJpegs(): Record<string, Uint8Array> {
  return {
    '204 megapixels, flat': flat(15_968, 12_752),
    '100 megapixels, flat': flat(11_600, 8_600),
    '50 megapixels, flat': flat(8_160, 6_112),
    '8 megapixels, long and narrow': flat(32_767, 255),
    '8 megapixels, all coefficients': full(3_300, 2_500),
    '12 megapixels, 10 progressive scans': manyScans(4_000, 3_000, 10),
    '12 megapixels, 60 progressive scans': manyScans(4_000, 3_000, 60),
    '12 megapixels, 28 progressive scans': manyScans(4_000, 3_000, 28),
    '9 megapixels, 30 refining scans': manyScans(3_000, 3_000, 30, 0x10),
    '4 megapixels, 64 baseline scans': flatScans(2_000, 2_000, 64),
    '9 megapixels, 30 baseline scans': flatScans(3_000, 3_000, 30),
    '16 megapixels, 5,000 empty scans': manyBaselineScans(4_000, 4_000, 5_000, 0),
    '1 megapixel, 64 empty scans': manyBaselineScans(1_000, 1_000, 64, 0),
    '20 MB of restart markers': trailing([0xff, 0xd0], 19_900_000),
    '1.6 MB of restart markers': trailing([0xff, 0xd0], 1_600_000),
    '20 MB of Huffman tables': tables(19_900_000),
    '2,000 Huffman tables': tables(40_000),
    '20 MB of stuffed bytes': trailing([0xff, 0], 19_900_000),
    '20 MB of stuffed and other bytes': trailing([0xff, 0, 1], 19_900_000),
    '20 MB of filling': trailing([0xff], 19_900_000),
    '20 MB of wrong codes': dense(8_000, 8_000, 19_900_000),
  };
}
