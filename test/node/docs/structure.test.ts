/** How much a reader meets: the files behind the classify route, and the files of a folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../../scripts/build/stale.ts';

const MOST_FILES_BEHIND_CLASSIFY = 14;
const MOST_FILES_PER_FOLDER = 20;
/** Files of one kind: a kernel, or the TypeScript that sets it up. */
const OF_ONE_KIND = ['src/backbone/simd/kernels'];

const IMPORT = /^(?:import|export)\s+(?<isType>type\s)?(?<names>[^;'"]*?)(?:from\s+)?'(?<path>\.[^']+)'/gm;
const TYPE_NAMES = /^\{(?:\s*type\s+\w+(?:\s+as\s+\w+)?\s*,?)+\s*\}\s*$/;

/** Files that stay imported at run time: what only gives types is left out. */
function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].flatMap(({ groups }) => {
    const { isType, names = '', path = '' } = groups ?? {};
    return isType !== undefined || TYPE_NAMES.test(names) ? [] : [join(dirname(file), path)];
  });
}

function closureOf(start: string, inside: string): string[] {
  const files = new Set([start]);
  for (const file of files)
    for (const path of importsOf(file)) if (!relative(inside, path).startsWith('..')) files.add(path);
  return [...files].map((file) => relative(inside, file)).sort();
}

it('the classify route runs through few files of worker/', () => {
  const worker = join(root, 'worker');
  const closure = closureOf(join(worker, 'predict/routes/classify.ts'), worker);
  // Proves that imports are followed.
  expect(closure).toContain('predict/features.ts');
  expect(closure.length, closure.join('\n')).toBeLessThanOrEqual(MOST_FILES_BEHIND_CLASSIFY);
});

it.each(['worker', 'src', 'trainer'])('no folder of %s/ has many files', (part) => {
  const entries = readdirSync(join(root, part), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const folders = Map.groupBy(files, ({ parentPath }) => relative(root, parentPath).replaceAll('\\', '/'));
  const large = [...folders].filter(([, { length }]) => length > MOST_FILES_PER_FOLDER);
  expect(large.map(([folder]) => folder).filter((folder) => !OF_ONE_KIND.includes(folder))).toEqual([]);
});
