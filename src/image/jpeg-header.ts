/**
 * Reads a JPEG's headers (ITU-T T.81, annex B), those of all its scans included, and estimates from them what
 * libjpeg-turbo will allocate and do. Nothing is decoded.
 */
import { hasExifPrefix, type Orientation, readOrientation } from './exif.ts';
import { checkCallWork, checkWorkingBytes, corrupt, type Header } from './header.ts';
import { type Component, type Frame, isFrame, readFrame, readScan } from './jpeg-frame.ts';
import { JpegSegments, SOS } from './jpeg-segments.ts';
import { MAX_JPEG_SCANS } from './limits.ts';

export interface JpegHeader extends Header {
  readonly components: number;
  /** Whether the decoder must hold every coefficient at once (progressive, or one scan per colour). */
  readonly buffered: boolean;
  /** Bytes that all quantised coefficients take in the decoder (16 bits each, whole blocks). */
  readonly coefficientBytes: number;
}

const APP1 = 0xe1;
/**
 * Nanoseconds, measured at the worst that was found (bench/hostile/jpeg.ts, and noise): a block's transform, with colour
 * and resizing; its turn in a scan whose coefficients are kept, and in one that refines them; a byte of data, whose
 * codes are short in noise, in each kind of coding; a restart.
 */
const BLOCK_NS = 45;
const SCAN_BLOCK_NS = 40;
const PROGRESSIVE_SCAN_BLOCK_NS = 25;
const REFINED_BLOCK_NS = 140;
const BYTE_NS = 15;
const PROGRESSIVE_BYTE_NS = 50;
const RESTART_NS = 150;

/** What the segments up to now say. */
interface Walk {
  frame?: Frame;
  orientation?: Orientation | undefined;
  scans: number;
  /** Whether the first scan is of all components. */
  interleaved?: boolean;
  /** Components of which a scan has the first coefficients. */
  readonly sent: Set<Component>;
  workNs: number;
}

/**
 * @throws image_corrupt when there is no well-formed frame, a component without a scan, no end of image (a file cut
 *   short), or more scans than any encoder writes; image_too_many_pixels beyond the caps, that on work included.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const segments = new JpegSegments(bytes);
  const walk: Walk = { scans: 0, sent: new Set(), workNs: 0 };
  for (let segment = segments.next(); segment !== undefined; segment = segments.next()) {
    const { marker, payload } = segment;
    if (marker === SOS) {
      if (walk.frame === undefined) throw corrupt('jpeg', 'its first scan comes before the frame header');
      addScan(walk, walk.frame, payload);
    } else if (isFrame(marker)) {
      if (walk.frame !== undefined) throw corrupt('jpeg', 'it has two frame headers');
      walk.frame = readFrame(marker, payload);
    } else if (marker === APP1 && walk.scans === 0 && hasExifPrefix(payload)) {
      // Behind a scan it is not looked for by Chromium, sharp or Pillow either.
      walk.orientation ??= readOrientation(payload);
    }
  }
  return finish(walk, segments);
}

function addScan(walk: Walk, frame: Frame, payload: Uint8Array): void {
  const { components, hasLevels, refines } = readScan(payload, frame);
  if (++walk.scans > MAX_JPEG_SCANS)
    throw corrupt('jpeg', `it has more than ${MAX_JPEG_SCANS} scans, which no encoder writes`);
  walk.interleaved ??= components.length === frame.components.length;
  const blocks = components.reduce((sum, component) => sum + component.blocks, 0);
  if (refines) walk.workNs += blocks * REFINED_BLOCK_NS;
  else if (frame.progressive) walk.workNs += blocks * PROGRESSIVE_SCAN_BLOCK_NS;
  else if (!walk.interleaved || walk.scans > 1) walk.workNs += blocks * SCAN_BLOCK_NS;
  if (hasLevels) for (const component of components) walk.sent.add(component);
}

function finish(walk: Walk, segments: JpegSegments): JpegHeader {
  const { frame, orientation = 1, interleaved, sent } = walk;
  if (frame === undefined || interleaved === undefined) throw corrupt('jpeg', 'it holds no picture');
  if (sent.size < frame.components.length)
    throw corrupt('jpeg', 'it is cut short: a colour component is missing');
  const { width, height, components, coefficientBytes } = frame;
  const byteNs = frame.progressive ? PROGRESSIVE_BYTE_NS : BYTE_NS;
  const { dataBytes, restarts } = segments;
  const work = walk.workNs + frame.blocks * BLOCK_NS + dataBytes * byteNs + restarts * RESTART_NS;
  const buffered = frame.progressive || !interleaved;
  const header = {
    width,
    height,
    components: components.length,
    coefficientBytes,
    orientation,
    work,
    buffered,
  };
  checkCallWork('jpeg', header);
  return header;
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
