/**
 * The backbones on this machine: those that the project carries, and those that `import` and `backbone add` have put
 * beside them. One of them is chosen for a run, and for the threads that the run starts, by an environment
 * variable, which threads inherit.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { DEFAULT_BACKBONE } from '../src/backbone/defaults.ts';
import { loadBackbone, type Backbone } from '../src/backbone/index.ts';
import { FileError, UsageError } from './cli/failure.ts';
import { BACKBONES_FOLDER, ROOT } from './paths.ts';

const CARRIED_FOLDER = join(ROOT, 'backbones');
/** Name of a backbone; without it the default is meant. */
export const BACKBONE_VARIABLE = 'HEADWATER_BACKBONE';

const Named = z.object({ weightsSha256: z.string() });

/**
 * A backbone in its own size, without an engine: the one with these weights if it is here, else the one chosen for this
 * run.
 * @throws FileError when its files can't be read; UsageError when there is none of that name.
 */
export async function readBackbone(weightsSha256?: string): Promise<Backbone> {
  const chosen = await chosenFolder();
  if (weightsSha256 === undefined) return readFolder(chosen);
  const folders = [chosen, ...(await namedFolders()).values()];
  for (const folder of folders) {
    if ((await weightsOf(folder)) === weightsSha256) return readFolder(folder);
  }
  return readFolder(chosen);
}

/** The backbones that `auto` may choose from: those that the project carries. */
export async function carriedBackbones(): Promise<Backbone[]> {
  return Promise.all([...(await foldersIn(CARRIED_FOLDER)).values()].map(readFolder));
}

/** Whether the user has named the backbone of this run. */
export function hasChosenBackbone(): boolean {
  return (process.env[BACKBONE_VARIABLE] ?? '') !== '';
}

async function chosenFolder(): Promise<string> {
  const name = process.env[BACKBONE_VARIABLE] ?? '';
  if (name === '') return join(CARRIED_FOLDER, DEFAULT_BACKBONE);
  const folders = await namedFolders();
  const folder = folders.get(name);
  if (folder !== undefined) return folder;
  const named = [...folders.keys()].join(', ') || 'none';
  throw new UsageError(`There is no backbone '${name}'. Named ones are: ${named}.`);
}

/** By name; one that was added comes before a carried one of its name. */
async function namedFolders(): Promise<Map<string, string>> {
  return new Map([...(await foldersIn(CARRIED_FOLDER)), ...(await foldersIn(BACKBONES_FOLDER))]);
}

async function foldersIn(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder).catch((): string[] => []);
  const found = names.filter((name) => existsSync(join(folder, name, 'plan.json')));
  return new Map(found.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => [name, join(folder, name)]));
}

/** @returns undefined where no sound plan lies. */
async function weightsOf(folder: string): Promise<string | undefined> {
  try {
    return Named.safeParse(JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8'))).data?.weightsSha256;
  } catch {
    return undefined;
  }
}

async function readFolder(folder: string): Promise<Backbone> {
  try {
    const plan: unknown = JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8'));
    return loadBackbone(plan, await readFile(join(folder, 'weights.safetensors')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new FileError(`Could not read the backbone ${folder}`, error);
    }
    throw error;
  }
}
