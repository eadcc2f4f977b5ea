/** Tells pictures from the other files that lie in people's folders. */
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { HeadwaterError } from '../../src/errors.ts';
import { sniff } from '../../src/image/sniff.ts';
import type { Walk } from './walk.ts';
import type { Listing, Picture } from './dataset.ts';

/** Files with these endings mean to be pictures: when they can't be used, their owner wants to know. */
const PICTURE_ENDINGS = new Set(
  '.jpg .jpeg .jpe .jfif .png .webp .gif .bmp .tif .tiff .heic .heif .avif .jxl .jp2'.split(' '),
);

/** Bytes from the start that decide about a file with another ending, or none. */
const SNIFF_BYTES = 64;

/** Splits what a walk found. Files are pictures by their ending or, failing that, by their first bytes. */
export async function sortOut(found: Walk): Promise<Listing> {
  const pictures: Picture[] = [];
  const notPictures: string[] = [];
  for (const file of found.files) {
    if (await isPicture(file)) pictures.push(file);
    else notPictures.push(file.name);
  }
  return { pictures, skipped: found.unreadable, notPictures };
}

async function isPicture(file: Picture): Promise<boolean> {
  if (PICTURE_ENDINGS.has(extname(file.path).toLowerCase())) return true;
  try {
    await using handle = await open(file.path);
    const { buffer, bytesRead } = await handle.read(new Uint8Array(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
    sniff(buffer.subarray(0, bytesRead));
    return true;
  } catch (error) {
    if (error instanceof HeadwaterError) return false;
    // Unreadable, and its name does not claim that it is a picture: nothing is lost.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
