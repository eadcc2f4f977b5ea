/** Opens data sets of every kind that the trainer reads. Nothing is decoded here. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { FileError, UsageError } from '../cli/failure.ts';
import type { DataSet, Listing } from './dataset.ts';
import { readClassFolders } from './folder.ts';
import { isManifest, readManifest } from './manifest.ts';
import { sortOut } from './picture-files.ts';
import { walk } from './walk.ts';

/**
 * @param path absolute: a folder with one folder a class, or a manifest (.csv, .jsonl, .ndjson).
 * @throws FileError, training_data_invalid; UsageError for a file of another kind.
 */
export async function openDataSet(path: string): Promise<DataSet> {
  const kind = await kindOf(path);
  if (kind === 'folder') return readClassFolders(path);
  if (isManifest(path)) return readManifest(path);
  throw new UsageError(`${path} is no data set: give a folder, or a manifest that ends in .csv or .jsonl.`);
}

/** Pictures without labels: a file, or every picture below a folder of whatever shape. */
export async function listPictures(path: string): Promise<Listing> {
  if ((await kindOf(path)) === 'folder') return sortOut(await walk(path));
  if (isManifest(path)) return readManifest(path);
  return { pictures: [{ path, name: basename(path) }], skipped: [], notPictures: [] };
}

async function kindOf(path: string): Promise<'folder' | 'file'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    throw new FileError(`Could not open ${path}`, error);
  }
}
