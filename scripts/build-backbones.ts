/**
 * Writes build/backbones/index.ts: the backbones that `headwater backbone add` and `headwater import` have put beside it,
 * as modules that the Worker is bundled with. Without any it is an empty list.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBackbone } from '../src/backbone/index.ts';
import { root } from './stale.ts';

/**
 * Weights of all added backbones together. An isolate that is asked for all of them holds each about three times (in the
 * bundle, as numbers, in the engine), within 128 MB that hold everything else too.
 */
const MAX_ADDED_WEIGHT_BYTES = 20 * 1024 * 1024;

/**
 * @param folder where backbones lie, a folder each.
 * @returns their names.
 * @throws Error in words for a person when one is damaged, twice there, or all together are too large.
 */
export function buildBackbones(folder = join(root, 'build', 'backbones')): string[] {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'plan.json')))
    .toSorted((a, b) => (a < b ? -1 : 1));
  const hashes = new Map<string, string>();
  let bytes = 0;
  for (const name of names) {
    const hash = checkBackbone(join(folder, name));
    const twin = hashes.get(hash);
    if (twin !== undefined)
      throw new Error(`The backbones ${twin} and ${name} have the same weights; remove one.`);
    hashes.set(hash, name);
    bytes += statSync(join(folder, name, 'weights.safetensors')).size;
  }
  if (bytes > MAX_ADDED_WEIGHT_BYTES) {
    throw new Error(
      `The backbones in ${folder} have ${bytes} bytes of weights; a Worker has room for ${MAX_ADDED_WEIGHT_BYTES}. Remove some.`,
    );
  }
  const imports = names.flatMap((name, i) => [
    `import plan${i} from './${name}/plan.json';`,
    `import weights${i} from './${name}/weights.safetensors';`,
  ]);
  const list = [...hashes.keys()].map(
    (hash, i) => `  { weightsSha256: '${hash}', plan: plan${i}, weights: weights${i} },`,
  );
  const type = 'readonly { weightsSha256: string; plan: unknown; weights: ArrayBuffer }[]';
  const text = [
    '// Written by the build.',
    ...imports,
    '',
    `export const added: ${type} = [`,
    ...list,
    '];',
    '',
  ].join('\n');
  const file = join(folder, 'index.ts');
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  return names;
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
