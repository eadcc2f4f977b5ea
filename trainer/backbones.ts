/**
 * The backbones on this machine: the built-in one, and those that `import` and `backbone add` have put beside it. One of
 * them is chosen for a run, and for the threads that the run starts, by an environment variable, which threads inherit.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { loadBackbone } from '../src/backbone/index.ts';
import type { Backbone } from '../src/backbone/index.ts';
import type { Head } from '../src/head/index.ts';
import { FileError, UsageError } from './failure.ts';
import { BACKBONES_FOLDER, ROOT } from './paths.ts';

const BUILT_IN_FOLDER = join(ROOT, 'build', 'backbone');
/** Name of an added backbone; without it the built-in one is meant. */
export const BACKBONE_VARIABLE = 'HEADWATER_BACKBONE';

/**
 * A backbone, without an engine: the one with these weights if it is here, else the one chosen for this run.
 * @throws FileError when it has not been built; UsageError when no such one has been added.
 */
export async function readBackbone(weightsSha256?: string): Promise<Backbone> {
  const name = weightsSha256 === undefined ? undefined : await nameOf(weightsSha256);
  const chosen = name ?? process.env[BACKBONE_VARIABLE] ?? '';
  if (chosen === '') return readFolder(BUILT_IN_FOLDER);
  const names = await addedNames();
  if (!names.includes(chosen)) {
    throw new UsageError(`There is no backbone '${chosen}'. Added are: ${names.join(', ') || 'none'}.`);
  }
  return readFolder(join(BACKBONES_FOLDER, chosen));
}

/** Makes the backbone that a head names the chosen one, if it is here; whoever uses it will say if it is not. */
export async function chooseBackboneOf(head: Pick<Head, 'backbone'>): Promise<void> {
  const name = await nameOf(head.backbone.weightsSha256);
  if (name !== undefined) process.env[BACKBONE_VARIABLE] = name;
}

/** @returns '' for the built-in one, undefined when there is none with these weights. */
async function nameOf(weightsSha256: string): Promise<string | undefined> {
  const places = [
    ['', BUILT_IN_FOLDER],
    ...(await addedNames()).map((name) => [name, join(BACKBONES_FOLDER, name)]),
  ];
  for (const [name, folder] of places) {
    const { plan } = await readFolder(folder);
    if (plan.weightsSha256 === weightsSha256) return name;
  }
  return undefined;
}

async function addedNames(): Promise<string[]> {
  const names = await readdir(BACKBONES_FOLDER).catch((): string[] => []);
  return names
    .filter((name) => existsSync(join(BACKBONES_FOLDER, name, 'plan.json')))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

async function readFolder(folder: string): Promise<Backbone> {
  try {
    const plan: unknown = JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8'));
    return loadBackbone(plan, await readFile(join(folder, 'weights.safetensors')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new FileError(`Could not read the backbone ${folder} (run npm run build)`, error);
    }
    throw error;
  }
}
