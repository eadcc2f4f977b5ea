/** Reads one picture file within the bounds that the decoder would refuse anyway. */
import { createHash } from 'node:crypto';
import { HeadwaterError } from '../../src/errors.ts';
import { MAX_FILE_BYTES } from '../../src/image/limits.ts';
import { readChecked } from '../files.ts';

interface PictureFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** @throws FileError when it cannot be read, image_too_large, image_empty. */
export async function readPictureFile(path: string): Promise<PictureFile> {
  const bytes = await readChecked(path, 'The picture cannot be read', checkSize);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function checkSize(bytes: number): void {
  if (bytes === 0) throw new HeadwaterError('image_empty', 'The picture is empty: the file has 0 bytes.');
  if (bytes <= MAX_FILE_BYTES) return;
  throw new HeadwaterError(
    'image_too_large',
    `The picture has ${bytes} bytes; at most ${MAX_FILE_BYTES} are read.`,
  );
}
