/** Reads every file once and hashes it, so that copies are known before anything is decoded. */
import { HeadwaterError } from '../../src/errors.ts';
import type { Picture, Skipped } from '../datasets/dataset.ts';
import { FileError } from '../cli/failure.ts';
import type { Terminal } from '../cli/terminal.ts';
import { concurrently } from './concurrently.ts';
import { readPictureFile } from './picture-file.ts';

/** Files read at once. Each is at most 20 MB. */
const FILES_AT_ONCE = 4;

/** A picture with the SHA-256 of its file, lower-case hex. */
export type Hashed<P extends Picture = Picture> = P & { readonly sha256: string };

/** @returns pictures in the order given, and those that could not be read. */
export async function hashPictures<P extends Picture>(
  pictures: readonly P[],
  terminal: Terminal,
): Promise<{ hashed: Hashed<P>[]; unusable: Skipped[] }> {
  const hashed: (Hashed<P> | undefined)[] = pictures.map(() => undefined);
  const unusable: Skipped[] = [];
  const progress = terminal.progress('Reading', pictures.length);
  await concurrently(pictures, FILES_AT_ONCE, async (picture, i) => {
    try {
      const { sha256 } = await readPictureFile(picture.path);
      hashed[i] = { ...picture, sha256 };
    } catch (error) {
      if (!(error instanceof HeadwaterError || error instanceof FileError)) throw error;
      unusable.push({ name: picture.name, reason: 'unusable', detail: error.message });
    }
    progress.step();
  });
  progress.stop();
  return { hashed: hashed.filter((picture) => picture !== undefined), unusable };
}
