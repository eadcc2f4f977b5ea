/**
 * Reads a JPEG's headers (ITU-T T.81, annex B), those of all its scans included, and estimates from them what
 * libjpeg-turbo will allocate and do. Nothing is decoded.
 */
import { hasExifPrefix, type Orientation, readOrientation } from '../exif.ts';
import { checkCallWork, checkWorkingBytes, corrupt, type Header } from '../header.ts';
import { type Component, type Frame, isFrame, readFrame, readScan } from './frame.ts';
import { HuffmanBits } from './huffman.ts';
import { scaledSide } from './scale.ts';
import { DHT, JpegSegments, SOS } from './segments.ts';
import { JpegWork, scaledWork } from './work.ts';
import { MAX_JPEG_SCANS } from '../limits.ts';

/** `work` is without what comes out of the decoder, which depends on the scale: see checkJpegWork. */
export interface JpegHeader extends Header {
  readonly components: number;
  /** Whether the decoder must hold every coefficient at once (progressive, or one scan per colour). */
  readonly buffered: boolean;
  /** Bytes that all quantised coefficients take in the decoder (16 bits each, whole blocks). */
  readonly coefficientBytes: number;
}

const APP1 = 0xe1;

/** What the segments up to now say. */
interface Walk {
  frame?: Frame;
  orientation?: Orientation | undefined;
  scans: number;
  /** Whether the first scan is of all components. */
  interleaved?: boolean;
  /** Components of which a scan has the first coefficients. */
  readonly sent: Set<Component>;
  readonly tables: HuffmanBits;
  readonly work: JpegWork;
}

/**
 * @throws image_corrupt when there is no well-formed frame, a component without a scan, no end of image (a file cut
 *   short), or more scans than any encoder writes; image_too_many_pixels beyond the caps, that on work included.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const segments = new JpegSegments(bytes);
  const [sent, tables, work] = [new Set<Component>(), new HuffmanBits(), new JpegWork()];
  const walk: Walk = { scans: 0, sent, tables, work };
  for (let segment = segments.next(); segment !== undefined; segment = segments.next()) {
    const { marker, payload } = segment;
    work.addData(segments.dataBytes);
    if (marker === SOS) {
      if (walk.frame === undefined) throw corrupt('jpeg', 'its first scan comes before the frame header');
      addScan(walk, walk.frame, payload);
    } else if (isFrame(marker)) {
      if (walk.frame !== undefined) throw corrupt('jpeg', 'it has two frame headers');
      walk.frame = readFrame(marker, payload);
    } else if (marker === DHT) {
      tables.define(payload);
      work.addTables(payload.length);
    } else if (marker === APP1 && walk.scans === 0 && hasExifPrefix(payload)) {
      // Behind a scan it is not looked for by Chromium, sharp or Pillow either.
      walk.orientation ??= readOrientation(payload);
    }
  }
  return finish(walk, segments);
}

function addScan(walk: Walk, frame: Frame, payload: Uint8Array): void {
  const scan = readScan(payload, frame);
  const { components, hasLevels } = scan;
  if (++walk.scans > MAX_JPEG_SCANS)
    throw corrupt('jpeg', `it has more than ${MAX_JPEG_SCANS} scans, which no encoder writes`);
  walk.interleaved ??= components.length === frame.components.length;
  const kept = frame.progressive || !walk.interleaved || walk.scans > 1;
  walk.work.addScan(scan, frame.progressive, kept, walk.tables.leastOf(scan.tables));
  if (hasLevels) for (const component of components) walk.sent.add(component);
}

function finish(walk: Walk, segments: JpegSegments): JpegHeader {
  const { frame, orientation = 1, interleaved, sent } = walk;
  if (frame === undefined || interleaved === undefined) throw corrupt('jpeg', 'it holds no picture');
  if (sent.size < frame.components.length)
    throw corrupt('jpeg', 'it is cut short: a colour component is missing');
  const { width, height, components, coefficientBytes } = frame;
  walk.work.addData(segments.dataBytes);
  const buffered = frame.progressive || !interleaved;
  const work = walk.work.total(frame, buffered, segments.restarts);
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
 * Checks what decoding at n/8 will allocate, and returns it: output, rows of samples in flight, and coefficients if buffered.
 * @param besideBytes the file, and what is made of the output beyond one result.
 */
export function checkJpegMemory(header: JpegHeader, besideBytes: number, n: number): number {
  const { width, height, components, buffered, coefficientBytes } = header;
  const channels = components === 4 ? 4 : 3;
  const output = scaledSide(width, n) * scaledSide(height, n) * channels;
  const rowsInFlight = scaledSide(width, n) * components * 64 + width * components * 4;
  return checkWorkingBytes(
    'jpeg',
    header,
    besideBytes + output + rowsInFlight + (buffered ? coefficientBytes : 0),
  );
}

/**
 * @param moreNs resizing to more results than one.
 * @returns the work of decoding at n/8 and resizing, nanoseconds.
 * @throws image_too_many_pixels when that takes too long for one call.
 */
export function checkJpegWork(header: JpegHeader, n: number, moreNs = 0): number {
  const work = header.work + scaledWork(header, n) + moreNs;
  checkCallWork('jpeg', { ...header, work });
  return work;
}
