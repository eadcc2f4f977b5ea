/** Reading files of bounded size, and writing them so that a reader never gets half of one. */
import { access, constants, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';
import { HeadwaterError } from '../src/errors.ts';
import { FileError, UsageError } from './cli/failure.ts';

/** @param what begins the message of the FileError. @param check refuses a size in bytes with a HeadwaterError. */
export async function readChecked(
  path: string,
  what: string,
  check: (bytes: number) => void,
): Promise<Buffer<ArrayBuffer>> {
  try {
    check((await stat(path)).size);
    return await readFile(path);
  } catch (error) {
    throw error instanceof HeadwaterError ? error : new FileError(what, error);
  }
}

/** @throws FileError when it cannot be written; what stood there before is then untouched. */
export async function writeWhole(path: string, contents: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, contents);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new FileError(`Could not write ${path}`, error);
  }
}

/**
 * Refuses a place that nothing can be written to before hours of work are spent on what belongs there.
 * @param path undefined where nothing will be written. @throws UsageError for a folder, FileError where writing is forbidden.
 */
export async function requireWritable(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() === true) throw new UsageError(`${path} is a folder; name a file to write.`);
  try {
    await access(await nearestFolder(dirname(path)), constants.W_OK);
  } catch (error) {
    throw new FileError(`Could not write ${path}`, error);
  }
}

/** @returns the folder, or the innermost one above it that exists. */
async function nearestFolder(folder: string): Promise<string> {
  const info = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && dirname(folder) !== folder) return undefined;
    throw error;
  });
  if (info === undefined) return nearestFolder(dirname(folder));
  if (!info.isDirectory()) throw new Error(`${folder} is not a folder`);
  return folder;
}

/** For example '1.4 MB'. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
