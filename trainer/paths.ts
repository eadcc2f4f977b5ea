/** Where things are: the project, the user, the caches. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve, sep } from 'node:path';
import process from 'node:process';

/** The project's root. */
export const ROOT = resolve(import.meta.dirname, '..');

/** @returns a path as the user meant it: npm scripts run in the project's root, wherever the user stands. */
export function userPath(path: string): string {
  if (isAbsolute(path)) return path;
  return resolve(process.env['INIT_CWD'] ?? process.env['HEADWATER_CWD'] ?? process.cwd(), path);
}

/**
 * @returns the folder of CNN codes: in a checkout .cache/codes, where cleaning up finds it; installed as a package
 * the user's cache folder, since node_modules may be read-only and is often thrown away.
 */
export function codesFolder(): string {
  const checkout = existsSync(join(ROOT, '.git')) && !ROOT.split(sep).includes('node_modules');
  if (checkout) return join(ROOT, '.cache', 'codes');
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(cache, 'headwater', 'codes');
}
