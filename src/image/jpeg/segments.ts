/**
 * The segments of a whole JPEG file, by their lengths, and the entropy-coded data between them, read as libjpeg reads
 * them (ITU-T T.81, annex B). What it would refuse is refused here, so that nothing is decoded that was not counted.
 */
import { corrupt } from '../header.ts';
import { MAX_JPEG_SEGMENTS } from '../limits.ts';

export interface Segment {
  readonly marker: number;
  /** What follows the length. */
  readonly payload: Uint8Array;
}

export const EOI = 0xd9;
export const SOS = 0xda;
export const DHT = 0xc4;
const TEM = 0x01;
const RST0 = 0xd0;
const RST7 = 0xd7;
const SOF0 = 0xc0;
const NEAR_BYTES = 32;

export class JpegSegments {
  readonly #bytes: Uint8Array;
  #at = 2;
  #count = 0;
  /** Restart markers so far, wherever they stand. */
  restarts = 0;
  #segmentBytes = 0;

  /** @param bytes that start with SOI. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Stray bytes before a marker are skipped, and so are the data of a scan when its header was the last segment.
   *
   * @returns the next segment, undefined at the end of the image.
   * @throws image_corrupt where the file ends before, or holds a marker that no decoder takes, or too many segments.
   */
  next(): Segment | undefined {
    const marker = this.#nextMarker();
    if (marker === EOI) return undefined;
    if (marker < SOF0) throw corrupt('jpeg', `it has the unknown marker 0x${marker.toString(16)}`);
    if (++this.#count > MAX_JPEG_SEGMENTS)
      throw corrupt('jpeg', `it has more than ${MAX_JPEG_SEGMENTS} segments, which no encoder writes`);
    const start = this.#at + 2;
    const end = this.#at + ((this.#bytes[this.#at] << 8) | this.#bytes[this.#at + 1]);
    if (!(end >= start && end <= this.#bytes.length))
      throw corrupt('jpeg', `the file is cut short, or a segment at byte ${this.#at - 2} has a wrong length`);
    const payload = this.#bytes.subarray(start, end);
    this.#at = end;
    this.#segmentBytes += payload.length;
    return { marker, payload };
  }

  /** Bytes up to here that are no segment's payload: those of scans, and stray ones. */
  get dataBytes(): number {
    return this.#at - this.#segmentBytes;
  }

  /** Goes behind the next marker that isn't a restart. 0xFF 0 is a byte of data, 0xFF 0xFF a byte of filling. */
  #nextMarker(): number {
    const bytes = this.#bytes;
    for (let at = nextFf(bytes, this.#at); at !== -1; at = nextFf(bytes, at)) {
      while (bytes[at] === 0xff) {
        const second = bytes[at + 1];
        if (second === undefined) break;
        at += second === 0xff ? 1 : 2;
        if (second === 0 || second === TEM || second === 0xff) continue;
        this.#at = at;
        if (second < RST0 || second > RST7) return second;
        this.restarts++;
      }
      if (at + 1 >= bytes.length) break;
    }
    throw corrupt('jpeg', 'the file is cut short (it has no end-of-image marker)');
  }
}

/** @returns where the next 0xFF is, or -1. The first bytes are looked at here: where there are many, a call for each costs more. */
function nextFf(bytes: Uint8Array, from: number): number {
  const near = Math.min(from + NEAR_BYTES, bytes.length);
  for (let at = from; at < near; at++) if (bytes[at] === 0xff) return at;
  return bytes.indexOf(0xff, near);
}
