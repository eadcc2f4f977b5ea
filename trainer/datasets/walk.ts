/** Finds the files below a folder: sorted, hidden ones left out, following symbolic links without going in circles. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { FileError, systemReason } from '../cli/failure.ts';
import { byCodeUnit, type Picture, type Skipped } from './dataset.ts';

export interface Entry extends Picture {
  readonly kind: 'file' | 'folder' | 'other';
}

export interface Walk {
  readonly files: Picture[];
  /** What could not be looked at: broken links, folders without permission. */
  readonly unreadable: Skipped[];
}

/**
 * @param folder absolute path.
 * @param root the data set's own folder; links back to it or to what it lies in are not followed.
 * @param prefix put before every name, for example 'glass/'.
 * @throws FileError when the folder itself cannot be listed.
 */
export async function walk(folder: string, root = folder, prefix = ''): Promise<Walk> {
  const found: Walk = { files: [], unreadable: [] };
  // Every real folder is entered once: that ends circles, and links that meet again cannot multiply the work.
  const entered = new Set<string>();
  const realRoot = await realpath(root).catch(() => root);
  const enter = async (path: string, prefix: string): Promise<void> => {
    const real = await realpath(path);
    if (entered.has(real) || (path !== folder && contains(real, realRoot))) return;
    entered.add(real);
    for (const entry of await list(path, prefix, found)) {
      if (entry.kind === 'file') found.files.push(entry);
      else if (entry.kind === 'folder') {
        await enter(entry.path, `${entry.name}/`).catch((error: unknown) => {
          const detail = `The folder cannot be read: ${systemReason(error)}.`;
          found.unreadable.push({ name: entry.name, reason: 'unusable', detail });
        });
      }
    }
  };
  try {
    await enter(folder, prefix);
  } catch (error) {
    throw new FileError(`Could not read the folder ${folder}`, error);
  }
  found.files.sort((a, b) => byCodeUnit(a.name, b.name));
  return found;
}

function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}

/** @returns what stands directly in a folder, sorted, without hidden entries. Broken ones go to `found.unreadable`. */
export async function list(folder: string, prefix: string, found: Walk): Promise<Entry[]> {
  const entries: Entry[] = [];
  const names = await readdir(folder);
  for (const base of names.filter((name) => !name.startsWith('.')).sort(byCodeUnit)) {
    const path = join(folder, base);
    const name = prefix + base;
    try {
      const info = await stat(path);
      entries.push({ path, name, kind: info.isFile() ? 'file' : info.isDirectory() ? 'folder' : 'other' });
    } catch (error) {
      const detail = `It cannot be read: ${systemReason(error)}.`;
      found.unreadable.push({ name, reason: 'unusable', detail });
    }
  }
  return entries;
}
