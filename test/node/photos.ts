/** Real photos for the tests: those that the project carries, and larger sets where a machine has them beside it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/build/stale.ts';

/** Six classes, of each 30 photos in `train` and 15 in `test`. */
export const TRASHNET = join(root, 'examples/trashnet');
/** Of nothing that TrashNet has a class for. */
export const OTHERS = filesIn(join(root, 'examples/other'));

const LARGER = join(root, '../shared/data');

/** Folder of a larger data set beside the project, or undefined. No kind of test depends on one. */
export function largerSet(name: 'trashnet' | 'flowers' | 'teachable-machine'): string | undefined {
  const folder = join(LARGER, name);
  return existsSync(folder) ? folder : undefined;
}

/** Paths of a class's photos by name, the first `count`. */
export function photos(split: 'train' | 'test', label: string, count = Infinity): string[] {
  return filesIn(join(TRASHNET, split, label)).slice(0, count);
}

/** Paths of what a folder holds, by name. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}
