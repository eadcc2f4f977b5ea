/**
 * The classifier under Node: the one place where compiled codecs, TensorFlow.js and the backbone are read from disk
 * and handed to src/.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createTfjsEngine, loadBackbone } from '../src/backbone/index.ts';
import type { Backbone, Engine } from '../src/backbone/index.ts';
import { createImageDecoder } from '../src/image/index.ts';
import type { ImageDecoder } from '../src/image/index.ts';
import { FileError } from './failure.ts';
import { ROOT } from './paths.ts';

export interface Runtime {
  readonly backbone: Backbone;
  readonly decoder: ImageDecoder;
  readonly engine: Engine;
}

const BACKBONE_FOLDER = join(ROOT, 'build', 'backbone');

/** Compiled modules, by the names under which Node finds them in the installed packages. */
const MODULES = {
  jpeg: '@cwasm/jpeg-turbo/jpeg-turbo.wasm',
  png: '@jsquash/png/codec/pkg/squoosh_png_bg.wasm',
  webp: '@jsquash/webp/codec/dec/webp_dec.wasm',
  tfjs: '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm',
} as const;

/** What pixels and codes are computed by; a change of any of it makes kept codes worthless. */
const PIPELINE_SOURCES = ['src/image', 'src/backbone'];

const require = createRequire(import.meta.url);

/** Everything that turns a picture into a code. Takes about half a second. */
export async function loadRuntime(): Promise<Runtime> {
  const [backbone, decoder, tfjs] = await Promise.all([readBackbone(), loadDecoder(), compile(MODULES.tfjs)]);
  return { backbone, decoder, engine: await createTfjsEngine(backbone, tfjs) };
}

/** The decoder alone, for thumbnails. */
export async function loadDecoder(): Promise<ImageDecoder> {
  const [jpeg, png, webp] = await Promise.all([MODULES.jpeg, MODULES.png, MODULES.webp].map(compile));
  return createImageDecoder({ jpeg, png, webp });
}

/**
 * The embedded backbone, without an engine.
 * @throws FileError when it has not been built.
 */
export async function readBackbone(): Promise<Backbone> {
  const plan: unknown = JSON.parse(await readText(join(BACKBONE_FOLDER, 'plan.json')));
  return loadBackbone(plan, await readFile(join(BACKBONE_FOLDER, 'weights.safetensors')));
}

/**
 * @returns a name, 32 hex digits, for everything that a code depends on besides the picture: weights, codecs, and the
 * sources of decoder and engine. Hashing the sources makes stale codes impossible; no version number can be forgotten.
 */
export async function pipelineKey(backbone: Backbone): Promise<string> {
  const hash = createHash('sha256').update(backbone.plan.weightsSha256);
  for (const name of Object.values(MODULES)) hash.update(await readFile(require.resolve(name)));
  for (const folder of PIPELINE_SOURCES) {
    const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) hash.update(file.slice(ROOT.length)).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 32);
}

async function compile(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(require.resolve(name)));
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new FileError(`Could not read the backbone ${path} (run npm run build)`, error);
  }
}
