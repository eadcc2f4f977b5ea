/** Build steps that run only when what they read has changed. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/**
 * Runs `build` unless `outputs` exist and the contents of `inputs` are those of the last successful run.
 * @param name of the step; names its stamp file in build/.
 * @param inputs files and folders, relative to the repository's root.
 * @returns whether it ran.
 */
export async function whenStale(
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  build: () => Promise<unknown>,
): Promise<boolean> {
  const stamp = join(root, 'build', `.${name}.stamp`);
  const hash = contentHash(inputs);
  const fresh =
    outputs.every((path) => existsSync(join(root, path))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === hash;
  if (fresh) return false;
  await build();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
  return true;
}

function contentHash(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of files(join(root, path)))
      hash.update(file.slice(root.length)).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function files(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => files(join(path, name)));
}
