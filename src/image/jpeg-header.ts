/**
 * Walks a JPEG's markers up to its first scan (ITU-T T.81, annex B), and estimates from the frame header what
 * libjpeg-turbo will allocate for it. Nothing is decoded.
 */
import { hasExifPrefix, type Orientation, readOrientation } from './exif.ts';
import { checkSides, checkWorkingBytes, corrupt, type Header } from './header.ts';
import { MAX_JPEG_SCANS } from './limits.ts';

export interface JpegHeader extends Header {
  readonly components: number;
  /** Whether the decoder must hold every coefficient at once (progressive, or one scan per colour). */
  readonly buffered: boolean;
  /** Bytes that all quantised coefficients take in the decoder (16 bits each, whole blocks). */
  readonly coefficientBytes: number;
}

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP1 = 0xe1;
/** Frames that libjpeg-turbo decodes: baseline, extended sequential, progressive, and the last two with arithmetic coding. */
const SOF_DECODABLE: readonly number[] = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];
const SOF_PROGRESSIVE: readonly number[] = [0xc2, 0xca];
const BYTES_PER_BLOCK = 64 * 2;
/** Measured: transforming a coefficient's two bytes, and reading a byte of the file. */
const COEFFICIENT_BYTE_NS = 1;
const FILE_BYTE_NS = 10;

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly progressive: boolean;
  readonly coefficientBytes: number;
}

/**
 * @throws image_corrupt when there is no well-formed frame and scan, or no end of image after it (a file cut short);
 *   image_too_many_pixels beyond the caps.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  let frame: Frame | undefined;
  let orientation: Orientation = 1;
  let at = 2;
  for (;;) {
    const { marker, start, end } = nextSegment(bytes, at);
    at = end;
    if (marker === SOS) {
      if (frame === undefined) throw corrupt('jpeg', 'its first scan comes before the frame header');
      return finish(bytes, frame, orientation, start, end);
    }
    const payload = bytes.subarray(start, end);
    if (isFrame(marker)) {
      if (frame !== undefined) throw corrupt('jpeg', 'it has two frame headers');
      frame = readFrame(marker, payload);
    } else if (marker === APP1 && hasExifPrefix(payload)) {
      orientation = readOrientation(payload);
    }
  }
}

/** Finds the next marker segment; its payload is bytes[start, end). Stray bytes before a marker are skipped, as decoders do. */
function nextSegment(bytes: Uint8Array, from: number): { marker: number; start: number; end: number } {
  let at = from;
  while (at < bytes.length && (bytes[at] !== 0xff || isStuffing(bytes[at + 1]))) at++;
  if (at + 4 > bytes.length) throw corrupt('jpeg', 'the file ends before the picture starts');
  const marker = bytes[at + 1];
  if (marker === EOI) throw corrupt('jpeg', 'it holds no picture');
  const start = at + 4;
  const end = at + 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
  if (end < start || end > bytes.length)
    throw corrupt('jpeg', `the segment at byte ${at} is longer than the file`);
  return { marker, start, end };
}

/** Second bytes that don't start a segment with a length: fill, stuffing, TEM, restarts, a repeated SOI. */
function isStuffing(second: number | undefined): boolean {
  return second === undefined || second <= 0x01 || second === 0xff || (second >= 0xd0 && second <= SOI);
}

/** SOF0–SOF15, without DHT (C4), JPG (C8) and DAC (CC), which share the range. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(marker: number, payload: Uint8Array): Frame {
  if (!SOF_DECODABLE.includes(marker)) {
    throw corrupt(
      'jpeg',
      'it is lossless or hierarchical, which is not supported; save it as baseline or progressive',
    );
  }
  if (payload.length < 6) throw corrupt('jpeg', 'its frame header is too short');
  const precision = payload[0];
  const height = (payload[1] << 8) | payload[2];
  const width = (payload[3] << 8) | payload[4];
  const components = payload[5];
  if (precision !== 8) throw corrupt('jpeg', `it has ${precision} bits per sample, and only 8 are supported`);
  if (![1, 3, 4].includes(components) || payload.length < 6 + 3 * components) {
    throw corrupt('jpeg', `its frame header claims ${components} colour components`);
  }
  checkSides('jpeg', width, height);
  const coefficientBytes = countCoefficientBytes(payload, width, height, components);
  return { width, height, components, progressive: SOF_PROGRESSIVE.includes(marker), coefficientBytes };
}

/** T.81 A.2: each component has its share of whole 8×8 blocks, padded to whole MCUs. */
function countCoefficientBytes(
  payload: Uint8Array,
  width: number,
  height: number,
  components: number,
): number {
  const factors = Array.from({ length: components }, (_, i) => {
    const sampling = payload[7 + 3 * i];
    return { h: sampling >> 4, v: sampling & 15 };
  });
  if (factors.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4))
    throw corrupt('jpeg', 'its sampling factors are impossible');
  const mcusAcross = Math.ceil(width / (8 * Math.max(...factors.map(({ h }) => h))));
  const mcusDown = Math.ceil(height / (8 * Math.max(...factors.map(({ v }) => v))));
  return factors.reduce((sum, { h, v }) => sum + mcusAcross * h * mcusDown * v * BYTES_PER_BLOCK, 0);
}

function finish(
  bytes: Uint8Array,
  frame: Frame,
  orientation: Orientation,
  start: number,
  end: number,
): JpegHeader {
  if (!hasEnd(bytes, end)) throw corrupt('jpeg', 'the file is cut short (it has no end-of-image marker)');
  const { progressive, ...rest } = frame;
  if (progressive && countScans(bytes, end) > MAX_JPEG_SCANS) {
    throw corrupt('jpeg', `it has more than ${MAX_JPEG_SCANS} progressive scans, which no encoder writes`);
  }
  const work = frame.coefficientBytes * COEFFICIENT_BYTE_NS + bytes.length * FILE_BYTE_NS;
  return { ...rest, orientation, work, buffered: progressive || bytes[start] < frame.components };
}

/** Looks for the end-of-image marker from behind, so that anything an app appended to the file costs little. */
function hasEnd(bytes: Uint8Array, from: number): boolean {
  for (let at = bytes.lastIndexOf(EOI); at > from; at = bytes.lastIndexOf(EOI, at - 1)) {
    if (bytes[at - 1] === 0xff) return true;
  }
  return false;
}

/** Counts the scans from the second on; inside entropy-coded data 0xFF is always followed by 0 or a restart marker. */
function countScans(bytes: Uint8Array, from: number): number {
  let scans = 1;
  for (
    let at = bytes.indexOf(0xff, from);
    at >= 0 && scans <= MAX_JPEG_SCANS;
    at = bytes.indexOf(0xff, at + 1)
  ) {
    if (bytes[at + 1] === SOS) scans++;
    if (bytes[at + 1] === EOI) break;
  }
  return scans;
}

/**
 * The smallest n of libjpeg-turbo's n/8 scales at which the decoded picture still covers the target on both sides.
 *
 * @param columns, rows the target, in the picture's stored orientation.
 */
export function chooseScale({ width, height }: Header, columns: number, rows: number): number {
  for (let n = 1; n < 8; n++) {
    if (scaledSide(width, n) >= columns && scaledSide(height, n) >= rows) return n;
  }
  return 8;
}

/** TurboJPEG's TJSCALED: ceil(side · n / 8). */
export function scaledSide(side: number, n: number): number {
  return Math.ceil((side * n) / 8);
}

/** Checks what decoding at n/8 will allocate: file, output, rows of samples in flight, and coefficients if buffered. */
export function checkJpegMemory(header: JpegHeader, fileBytes: number, n: number): void {
  const { width, height, components, buffered, coefficientBytes } = header;
  const channels = components === 4 ? 4 : 3;
  const output = scaledSide(width, n) * scaledSide(height, n) * channels;
  const rowsInFlight = scaledSide(width, n) * components * 64 + width * components * 4;
  checkWorkingBytes('jpeg', header, fileBytes + output + rowsInFlight + (buffered ? coefficientBytes : 0));
}
