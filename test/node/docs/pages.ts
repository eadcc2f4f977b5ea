/** The pages of the documentation. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/build/stale.ts';

/** @returns paths below the root: its own pages, then those in docs/ and below. */
export function pages(): string[] {
  const own = readdirSync(root);
  const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  return [...own, ...below.map((name) => `docs/${name.replaceAll('\\', '/')}`)]
    .filter((name) => name.endsWith('.md'))
    .sort();
}
