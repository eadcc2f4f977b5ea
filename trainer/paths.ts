/** Where things are: the project, the user, the caches. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve, sep } from 'node:path';
import process from 'node:process';

/** The project's root. */
export const ROOT = resolve(import.meta.dirname, '..');

/** Backbones that were added, a folder each; the Worker is built with all that are in build/backbones. */
export const BACKBONES_FOLDER = process.env['HEADWATER_BACKBONES'] ?? join(ROOT, 'build', 'backbones');

/** @returns a path as the user meant it: npm scripts run in the project's root, wherever the user stands. */
export function userPath(path: string): string {
  if (isAbsolute(path)) return path;
  return resolve(process.env['INIT_CWD'] ?? process.env['HEADWATER_CWD'] ?? process.cwd(), path);
}

/**
 * @returns the folder for what can be computed again: HEADWATER_CACHE where set; in a checkout .cache, where cleaning
 * up finds it; installed as a package the user's cache folder, since node_modules may be read-only and short-lived.
 */
export function cacheFolder(): string {
  const chosen = process.env['HEADWATER_CACHE'];
  if (chosen !== undefined && chosen !== '') return userPath(chosen);
  const checkout = existsSync(join(ROOT, '.git')) && !ROOT.split(sep).includes('node_modules');
  if (checkout) return join(ROOT, '.cache');
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(cache, 'headwater');
}
