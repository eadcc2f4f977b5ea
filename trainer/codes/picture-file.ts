/** Reads one picture file within the bounds that the decoder would refuse anyway. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { HeadwaterError } from '../../src/errors.ts';
import { MAX_FILE_BYTES } from '../../src/image/limits.ts';
import { FileError } from '../cli/failure.ts';

export interface PictureFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** @throws FileError when it cannot be read, image_too_large, image_empty. */
export async function readPictureFile(path: string): Promise<PictureFile> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) {
      throw new HeadwaterError(
        'image_too_large',
        `The picture has ${size} bytes; at most ${MAX_FILE_BYTES} are read.`,
      );
    }
    if (size === 0) throw new HeadwaterError('image_empty', 'The picture is empty: the file has 0 bytes.');
    const bytes = await readFile(path);
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    if (error instanceof HeadwaterError) throw error;
    throw new FileError('The picture cannot be read', error);
  }
}
