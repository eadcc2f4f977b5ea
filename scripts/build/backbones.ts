/**
 * Writes build/backbones/index.ts: the backbones that the Worker is bundled with, as modules. Those that the project carries come
 * first, then those that `headwater backbone add` and `headwater import` have put beside it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { loadBackbone } from '../../src/backbone/index.ts';
import { root } from './stale.ts';

/**
 * Weights of all added backbones together. An isolate that is asked for all of them holds each about three times (in the
 * bundle, as numbers, in the engine), within 128 MB that hold everything else too.
 */
const MAX_ADDED_WEIGHT_BYTES = 20 * 1024 * 1024;

/** The project's own. */
const CARRIED = join(root, 'backbones');

/**
 * @param added where added backbones lie, a folder each; the list is written there.
 * @param carried where the others lie.
 * @returns the names of those that were added.
 * @throws Error in words for a person when one is damaged, twice there, or all added ones together are too large.
 */
export function buildBackbones(added = join(root, 'build', 'backbones'), carried = CARRIED): string[] {
  mkdirSync(added, { recursive: true });
  const names = backbonesIn(added);
  const folders = [
    ...backbonesIn(carried).map((name) => join(carried, name)),
    ...names.map((name) => join(added, name)),
  ];
  const hashes = new Map<string, string>();
  for (const folder of folders) {
    const hash = checkBackbone(folder);
    const twin = hashes.get(hash);
    if (twin !== undefined)
      throw new Error(`The backbones ${twin} and ${folder} have the same weights; remove one.`);
    hashes.set(hash, folder);
  }
  const bytes = names.reduce((sum, name) => sum + statSync(join(added, name, 'weights.safetensors')).size, 0);
  if (bytes > MAX_ADDED_WEIGHT_BYTES) {
    throw new Error(
      `The backbones in ${added} have ${bytes} bytes of weights; a Worker has room for ${MAX_ADDED_WEIGHT_BYTES}. Remove some.`,
    );
  }
  const file = join(added, 'index.ts');
  const text = registry(hashes, added);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  return names;
}

function backbonesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'plan.json')))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

/** @param folders by the hash of the weights in them. */
function registry(folders: ReadonlyMap<string, string>, from: string): string {
  const imports = [...folders.values()].flatMap((folder, i) => {
    const path = relative(from, folder).replaceAll('\\', '/');
    const module = path.startsWith('.') ? path : `./${path}`;
    return [
      `import plan${i} from '${module}/plan.json';`,
      `import weights${i} from '${module}/weights.safetensors';`,
    ];
  });
  const list = [...folders.keys()].map(
    (hash, i) => `  { weightsSha256: '${hash}', plan: plan${i}, weights: weights${i} },`,
  );
  const type = 'readonly { weightsSha256: string; plan: unknown; weights: ArrayBuffer }[]';
  return [
    '// Written by the build.',
    ...imports,
    '',
    `export const embedded: ${type} = [`,
    ...list,
    '];',
    '',
  ].join('\n');
}

/** @returns the SHA-256 of its weights. */
function checkBackbone(folder: string): string {
  const weights = readFileSync(join(folder, 'weights.safetensors'));
  const hash = createHash('sha256').update(weights).digest('hex');
  try {
    const { plan } = loadBackbone(JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')), weights);
    if (plan.weightsSha256 === hash) return hash;
  } catch (cause) {
    throw new Error(`The backbone in ${folder} cannot be used; add it again or remove it.`, { cause });
  }
  throw new Error(`The weights in ${folder} are not those of its plan; add it again or remove it.`);
}

if (import.meta.main) {
  try {
    console.error(`Added backbones: ${buildBackbones().join(', ') || 'none'}.`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
