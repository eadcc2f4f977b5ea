/** Head files on disk. */
import { createHash } from 'node:crypto';
import { HeadwaterError } from '../src/errors.ts';
import type { Head } from '../src/head/head.ts';
import { HEAD_FILE_LIMITS, readHead } from '../src/head/index.ts';
import { readChecked } from './files.ts';

export interface HeadFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  readonly head: Head;
}

/** @throws FileError; head_too_large, head_invalid or file_corrupt for what is no sound head. */
export async function readHeadFile(path: string): Promise<HeadFile> {
  const bytes = await readChecked(path, `Could not read the head ${path}`, (size) => checkSize(path, size));
  try {
    return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), head: readHead(bytes) };
  } catch (error) {
    if (error instanceof HeadwaterError) {
      throw new HeadwaterError(error.code, `${path} is no head that can be used: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

function checkSize(path: string, bytes: number): void {
  if (bytes <= HEAD_FILE_LIMITS.fileBytes) return;
  throw new HeadwaterError(
    'head_too_large',
    `${path} has ${bytes} bytes; a head has at most ${HEAD_FILE_LIMITS.fileBytes}.`,
  );
}
