/**
 * Builds the backbone from published weights: fetches them once, folds batch norm and input normalisation into a plan,
 * checks the result against the source's own pictures, and writes build/backbone/. Nothing to do costs milliseconds.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import process from 'node:process';
import { encode } from './backbone/encode.ts';
import { readGguf } from './backbone/gguf.ts';
import { mobileNetV3Small, mobileNetV3SmallClassifier } from './backbone/mobilenet-v3.ts';
import { modelCard } from './backbone/model-card.ts';
import { fetchSource, SOURCE } from './backbone/source.ts';

const root = join(import.meta.dirname, '..');
const output = join(root, 'build', 'backbone');
const STAMP = 'inputs.sha256';

export interface BuildBackboneOptions {
  /** Build even though nothing has changed. */
  readonly force?: boolean;
  /** Told what is being done, in a few words. */
  readonly log?: (message: string) => void;
}

/**
 * Brings build/backbone/{plan.json, weights.safetensors, MODEL_CARD.md} up to date.
 * @returns whether anything had to be built.
 * @throws Error in words for a person when the weights can't be had, are not the expected ones, or fail the parity check.
 */
export async function buildBackbone({
  force = false,
  log = () => {},
}: BuildBackboneOptions = {}): Promise<boolean> {
  const stamp = await inputsHash();
  if (!force && (await isFresh(stamp))) return false;
  const source = await fetchSource(root, log);
  const gguf = readGguf(source.weights);
  // Imported only now: it brings TensorFlow.js, which a build that is up to date need not load.
  const { checkParity } = await import('./backbone/parity.ts');
  log('Backbone: folding, checking against the source’s own pictures …');
  const parity = await checkParity(
    gguf,
    mobileNetV3Small(gguf),
    mobileNetV3SmallClassifier(gguf),
    source.pictures,
  );
  const { plan, weights } = encode(mobileNetV3Small(gguf), 'half');
  await writeOutput({
    'plan.json': `${JSON.stringify(plan, null, 2)}\n`,
    'weights.safetensors': weights,
    'MODEL_CARD.md': modelCard(plan, weights, parity),
    [STAMP]: stamp,
  });
  log(`Backbone: ${relative(root, output)} written (${(weights.length / 1e6).toFixed(2)} MB of weights).`);
  return true;
}

/** Hash of everything that the output is made of: the source's identity and the code that turns it into a plan. */
async function inputsHash(): Promise<string> {
  const scripts = (await readdir(join(import.meta.dirname, 'backbone')))
    .sort()
    .map((file) => `scripts/backbone/${file}`);
  const hash = createHash('sha256').update(SOURCE.sha256);
  for (const file of [
    'scripts/build-backbone.ts',
    ...scripts,
    'src/safetensors.ts',
    'src/backbone/plan.ts',
  ]) {
    hash.update(await readFile(join(root, file)));
  }
  return hash.digest('hex');
}

async function isFresh(stamp: string): Promise<boolean> {
  const files = ['plan.json', 'weights.safetensors', 'MODEL_CARD.md', STAMP].map((name) =>
    join(output, name),
  );
  return files.every((file) => existsSync(file)) && (await readFile(join(output, STAMP), 'utf8')) === stamp;
}

/** The folder changes as a whole: a build that is interrupted leaves the old one. */
async function writeOutput(files: Record<string, string | Uint8Array>): Promise<void> {
  const fresh = `${output}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(fresh, name), content);
  await rm(output, { recursive: true, force: true });
  await rename(fresh, output);
}

if (import.meta.main) {
  try {
    const built = await buildBackbone({
      force: process.argv.includes('--force'),
      log: (message) => console.error(message),
    });
    if (!built) console.error('Backbone: up to date.');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
