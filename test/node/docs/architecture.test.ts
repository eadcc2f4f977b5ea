/** The lists of folders in docs/architecture.md name every folder that there is, and no other. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../../scripts/build/stale.ts';

const PARTS = ['src', 'worker', 'trainer', 'scripts'];
/** Of a room in worker/; one line of the list is for all of them. */
const ROUTES = /^[^/]+\/routes\/$/;

const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

function foldersOf(part: string): string[] {
  const entries = readdirSync(join(root, part), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => `${join(parentPath, name).slice(join(root, part).length + 1)}/`)
    .map((folder) => folder.replaceAll('\\', '/').replace(ROUTES, '*/routes/'));
}

it.each(PARTS)('names the folders of %s/', (part) => {
  const [, section = ''] = page.split(`\n### ${part}/\n`);
  const [table] = section.split(/^#/m);
  const listed = [...table.matchAll(/^\| `([^`]+\/)` +\| \S/gm)].map(([, folder]) => folder);
  expect([...new Set(listed)].sort()).toEqual([...new Set(foldersOf(part))].sort());
});

it('names the folders at the top', () => {
  const [, section = ''] = page.split('\n## Folders\n');
  const [table] = section.split(/^###/m);
  for (const part of [...PARTS, 'console', 'sdk', 'bench', 'backbones', 'examples', 'reference', 'test'])
    expect(table).toMatch(new RegExp(`^\\| \`${part}/\` +\\| \\S`, 'm'));
});
