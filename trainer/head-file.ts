/** Head files on disk. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { HeadwaterError } from '../src/errors.ts';
import type { Head } from '../src/head/head.ts';
import { HEAD_FILE_LIMITS, readHead } from '../src/head/index.ts';
import { FileError } from './cli/failure.ts';

export interface HeadFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  readonly head: Head;
}

/** @throws FileError; head_too_large, head_invalid or file_corrupt for what is no sound head. */
export async function readHeadFile(path: string): Promise<HeadFile> {
  const bytes = await readBytes(path);
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

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { size } = await stat(path);
    if (size > HEAD_FILE_LIMITS.fileBytes) {
      throw new HeadwaterError(
        'head_too_large',
        `${path} has ${size} bytes; a head has at most ${HEAD_FILE_LIMITS.fileBytes}.`,
      );
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof HeadwaterError) throw error;
    throw new FileError(`Could not read the head ${path}`, error);
  }
}
