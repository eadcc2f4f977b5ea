/** The most expensive JPEGs that we could construct: each has little data for the work that its headers ask for. */

export interface HostilePicture {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

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

function join(parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function scan({ of, spectrum, bits = 0, data, fill = 0 }: Scan): (readonly number[] | Uint8Array)[] {
  return [
    segment(0xda, [of.length, ...of.flatMap((id) => [id, 0]), ...spectrum, bits]),
    new Uint8Array(data).fill(fill),
  ];
}

function picture(
  shape: Shape,
  scans: readonly Scan[],
  extra: readonly number[] | Uint8Array = [],
): Uint8Array<ArrayBuffer> {
  return join([head(shape), extra, ...scans.flatMap(scan), [0xff, 0xd9]]);
}

const blocksOf = (width: number, height: number): number => Math.ceil(width / 8) * Math.ceil(height / 8);
/** Of three components, two of which have a quarter of the samples: an MCU is 16×16 pixels. */
const mcuBlocksOf = (width: number, height: number): number =>
  6 * Math.ceil(width / 16) * Math.ceil(height / 16);

function flat(width: number, height: number): Uint8Array<ArrayBuffer> {
  const data = Math.ceil((mcuBlocksOf(width, height) * 2) / 8) + 64;
  return picture({ width, height }, [{ of: [1, 2, 3], spectrum: [0, 63], data }]);
}

/** Progressive: levels, then the same coefficients again and again, with an end-of-block code for each block. */
function manyScans(width: number, height: number, count: number, bits = 0): Uint8Array<ArrayBuffer> {
  const data = Math.ceil(blocksOf(width, height) / 8) + 64;
  const levels: Scan = { of: [1], spectrum: [0, 0], data };
  const rest = Array.from({ length: count - 1 }, (): Scan => ({ of: [1], spectrum: [1, 63], bits, data }));
  return picture({ width, height, progressive: true, sampling: 0x11, components: 1 }, [levels, ...rest]);
}

/** A scan for each component, and then again. */
function manyBaselineScans(width: number, height: number, count: number): Uint8Array<ArrayBuffer> {
  const data = Math.ceil((blocksOf(width, height) * 2) / 8) + 64;
  const scans = Array.from({ length: count }, (_, i): Scan => ({
    of: [1 + (i % 3)],
    spectrum: [0, 63],
    data,
  }));
  return picture({ width, height, sampling: 0x11 }, scans);
}

/** Scans without any data; the decoder still walks over their blocks. */
function emptyScans(width: number, height: number, count: number): Uint8Array<ArrayBuffer> {
  const scans = Array.from({ length: count }, (_, i): Scan => ({
    of: [1 + (i % 3)],
    spectrum: [0, 63],
    data: 0,
  }));
  return picture({ width, height, sampling: 0x11 }, scans);
}

function repeated(part: readonly number[], bytes: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(Math.floor(bytes / part.length) * part.length);
  for (let at = 0; at < out.length; at += part.length) out.set(part, at);
  return out;
}

/** Restart markers after the only MCU; the decoder logs each of them. */
function restarts(bytes: number): Uint8Array<ArrayBuffer> {
  const whole = picture({ width: 16, height: 16 }, [{ of: [1, 2, 3], spectrum: [0, 63], data: 2 }]);
  return join([whole.subarray(0, -2), repeated([0xff, 0xd0], bytes), [0xff, 0xd9]]);
}

function tables(bytes: number): Uint8Array<ArrayBuffer> {
  const small: Scan = { of: [1, 2, 3], spectrum: [0, 63], data: 2 };
  return picture({ width: 16, height: 16 }, [small], repeated(oneBitTable(0x01), bytes));
}

/** Only stuffing or only fill bytes, after the picture's data. */
function trailing(part: readonly number[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = picture({ width: 16, height: 16 }, [{ of: [1, 2, 3], spectrum: [0, 63], data: 2 }]);
  return join([whole.subarray(0, -2), repeated(part, bytes), [0xff, 0xd9]]);
}

/** All coefficients of every block, each with the longest code: the most work for each byte of data. */
function dense(width: number, height: number, bytes: number): Uint8Array<ArrayBuffer> {
  return picture({ width, height }, [{ of: [1, 2, 3], spectrum: [0, 63], data: bytes, fill: 0x55 }]);
}

/** All coefficients of every block in two bits each, of three components alike. */
function full(width: number, height: number): Uint8Array<ArrayBuffer> {
  const data = Math.ceil((3 * blocksOf(width, height) * (1 + 2 * 63)) / 8) + 64;
  const table = segment(0xc4, [0x10, 1, ...Array<number>(15).fill(0), 1]);
  return picture({ width, height, sampling: 0x11 }, [{ of: [1, 2, 3], spectrum: [0, 63], data }], table);
}

/** @returns pictures that cost as much as possible; some are refused by their headers, which must be fast as well. */
export function hostileJpegs(): readonly HostilePicture[] {
  return [
    { name: '204 megapixels, flat', bytes: flat(15_968, 12_752) },
    { name: '100 megapixels, flat', bytes: flat(11_600, 8_600) },
    { name: '50 megapixels, flat', bytes: flat(8_160, 6_112) },
    { name: '8 megapixels, long and narrow', bytes: flat(32_767, 255) },
    { name: '8 megapixels, all coefficients', bytes: full(3_300, 2_500) },
    { name: '12 megapixels, 10 progressive scans', bytes: manyScans(4_000, 3_000, 10) },
    { name: '12 megapixels, 60 progressive scans', bytes: manyScans(4_000, 3_000, 60) },
    { name: '12 megapixels, 28 progressive scans', bytes: manyScans(4_000, 3_000, 28) },
    { name: '9 megapixels, 30 refining scans', bytes: manyScans(3_000, 3_000, 30, 0x10) },
    { name: '4 megapixels, 64 baseline scans', bytes: manyBaselineScans(2_000, 2_000, 64) },
    { name: '9 megapixels, 30 baseline scans', bytes: manyBaselineScans(3_000, 3_000, 30) },
    { name: '16 megapixels, 5,000 empty scans', bytes: emptyScans(4_000, 4_000, 5_000) },
    { name: '1 megapixel, 64 empty scans', bytes: emptyScans(1_000, 1_000, 64) },
    { name: '20 MB of restart markers', bytes: restarts(19_900_000) },
    { name: '1.6 MB of restart markers', bytes: restarts(1_600_000) },
    { name: '20 MB of Huffman tables', bytes: tables(19_900_000) },
    { name: '2,000 Huffman tables', bytes: tables(40_000) },
    { name: '20 MB of stuffed bytes', bytes: trailing([0xff, 0], 19_900_000) },
    { name: '20 MB of stuffed and other bytes', bytes: trailing([0xff, 0, 1], 19_900_000) },
    { name: '20 MB of filling', bytes: trailing([0xff], 19_900_000) },
    { name: '20 MB of wrong codes', bytes: dense(8_000, 8_000, 19_900_000) },
  ];
}
