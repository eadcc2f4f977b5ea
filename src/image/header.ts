/** What a picture's header says about it, and the checks on it that come before any decoding. */
import { HeadwaterError } from '../errors.ts';
import type { Orientation } from './exif.ts';
import {
  CODEC_BASE_BYTES,
  MAX_CALL_WORK_MS,
  MAX_FILE_BYTES,
  MAX_PIXELS,
  MAX_SIDE,
  MAX_WORKING_BYTES,
} from './limits.ts';
import type { ImageFormat } from './sniff.ts';

const NS_PER_MS = 1e6;

/** Sides are pixels as stored, before orientation. */
export interface Header {
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
  /** What decoding will cost at most, nanoseconds: see work.ts. */
  readonly work: number;
}

/** @throws image_too_large when the file is longer than the cap. */
export function checkFileSize(bytes: Uint8Array): void {
  if (bytes.length <= MAX_FILE_BYTES) return;
  throw new HeadwaterError(
    'image_too_large',
    `The picture has ${bytes.length} bytes; at most ${MAX_FILE_BYTES} are accepted. Send a smaller or more compressed one.`,
  );
}

/** @throws image_corrupt for a side of 0, image_too_many_pixels for a side or an area above the caps. */
export function checkSides(format: ImageFormat, width: number, height: number): void {
  const name = `The ${format.toUpperCase()} is ${width}×${height} pixels`;
  if (width < 1 || height < 1) throw corrupt(format, `its header says ${width}×${height} pixels`);
  if (width > MAX_SIDE || height > MAX_SIDE) {
    throw new HeadwaterError(
      'image_too_many_pixels',
      `${name}; a side may have at most ${MAX_SIDE}. Scale it down.`,
    );
  }
  if (width * height > MAX_PIXELS) {
    throw new HeadwaterError(
      'image_too_many_pixels',
      `${name}; at most ${MAX_PIXELS} in all are accepted. Scale it down.`,
    );
  }
}

/** @returns whether a codec may allocate that much for a picture, see checkWorkingBytes. */
export function fitsWorkingBytes(pictureBytes: number): boolean {
  return CODEC_BASE_BYTES + pictureBytes <= MAX_WORKING_BYTES;
}

/**
 * @param pictureBytes what decoding will allocate for the picture itself, file included, as estimated from the header.
 * @returns what it will allocate in all.
 * @throws image_too_many_pixels when that is more than an isolate can spare.
 */
export function checkWorkingBytes(
  format: ImageFormat,
  { width, height }: Header,
  pictureBytes: number,
): number {
  const needed = CODEC_BASE_BYTES + pictureBytes;
  if (fitsWorkingBytes(pictureBytes)) return needed;
  throw new HeadwaterError(
    'image_too_many_pixels',
    `Decoding this ${format.toUpperCase()} of ${width}×${height} pixels needs about ${Math.ceil(needed / 1e6)} MB of memory; ` +
      `at most ${Math.floor(MAX_WORKING_BYTES / 1e6)} MB are allowed. Scale it down, or send it as a baseline JPEG, which needs far less.`,
  );
}

/** @returns the error for a picture whose decoder wants more memory than it may have, though its header did not tell. */
export function outOfMemory(
  format: ImageFormat,
  { width, height }: Pick<Header, 'width' | 'height'>,
): HeadwaterError {
  return new HeadwaterError(
    'image_too_many_pixels',
    `Decoding this ${format.toUpperCase()} of ${width}×${height} pixels needs more than ${Math.floor(MAX_WORKING_BYTES / 1e6)} MB of memory. Scale it down.`,
  );
}

/**
 * For decoders that do everything in one call, during which other requests wait.
 * @throws image_too_many_pixels when that could take too long.
 */
export function checkCallWork(format: ImageFormat, { width, height, work }: Header): void {
  if (work <= MAX_CALL_WORK_MS * NS_PER_MS) return;
  throw new HeadwaterError(
    'image_too_many_pixels',
    `Decoding this ${format.toUpperCase()} of ${width}×${height} pixels takes up to ${Math.ceil(work / NS_PER_MS)} ms without a pause; ` +
      `at most ${MAX_CALL_WORK_MS} ms are allowed. Scale it down, or send it as a baseline JPEG, which takes far less.`,
  );
}

/** @returns the error for a file that is damaged, cut short, or uses something that its format doesn't allow. */
export function corrupt(format: ImageFormat, what: string, cause?: unknown): HeadwaterError {
  const message = `The ${format.toUpperCase()} can't be decoded: ${what}. Send an intact file.`;
  return cause === undefined
    ? new HeadwaterError('image_corrupt', message)
    : new HeadwaterError('image_corrupt', message, { cause });
}
