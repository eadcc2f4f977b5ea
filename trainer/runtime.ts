/**
 * The classifier under Node: the one place where compiled codecs, TensorFlow.js and the backbone are read from disk
 * and handed to src/.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createEngine } from '../src/backbone/choose.ts';
import { WHOLE } from '../src/backbone/index.ts';
import type { Backbone, TailedEngine } from '../src/backbone/index.ts';
import { hasRelaxedSimd } from '../src/backbone/relaxed-simd.ts';
import { readCode } from '../src/head/index.ts';
import type { Head, HeadView } from '../src/head/index.ts';
import { createImageDecoder } from '../src/image/index.ts';
import type { ImageDecoder } from '../src/image/index.ts';
import { readBackbone } from './backbones.ts';
import { ROOT } from './paths.ts';

export { readBackbone };

export interface Runtime {
  readonly backbone: Backbone;
  readonly decoder: ImageDecoder;
  /** The code of one picture: the backbone's, or what the head that the runtime was made for reads. */
  readonly codeOf: (pixels: Uint8Array) => Float32Array;
}

/** Compiled modules, by the names under which Node finds them from here. */
const MODULES = {
  jpeg: '@cwasm/jpeg-turbo/jpeg-turbo.wasm',
  png: '../build/wasm/png.wasm',
  webp: '@jsquash/webp/codec/dec/webp_dec.wasm',
  resize: '../build/wasm/resize.wasm',
  simd: `../build/wasm/engine${hasRelaxedSimd() ? '-relaxed' : ''}.wasm`,
  tfjs: '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm',
} as const;

/** What pixels and codes are computed by; a change of any of it makes kept codes worthless. */
const PIPELINE_SOURCES = ['src/image', 'src/backbone'];

/** One of ENGINES; unset, the one that every host uses. */
const ENGINE = process.env['HEADWATER_ENGINE'];

const require = createRequire(import.meta.url);

/**
 * Everything that turns a picture into a code. Takes about half a second.
 * @param view the head whose codes are wanted; the backbone's own without.
 */
export async function loadRuntime(view?: HeadView & Partial<Pick<Head, 'backbone'>>): Promise<Runtime> {
  const [backbone, decoder, simd] = await Promise.all([
    readBackbone(view?.backbone?.weightsSha256),
    loadDecoder(),
    compile(MODULES.simd),
  ]);
  const engine = createEngine(backbone, simd, { name: ENGINE });
  const codeOf =
    view === undefined ? (pixels: Uint8Array) => engine.codes(pixels) : coder(backbone, engine, view);
  return { backbone, decoder, codeOf };
}

function coder(backbone: Backbone, engine: TailedEngine, view: HeadView): Runtime['codeOf'] {
  const { tail } = view;
  if (tail === undefined) return (pixels) => readCode(view, backbone.plan, engine.codes(pixels));
  const tailEngine = engine.createTail(tail);
  return (pixels) => {
    if (tail.from === WHOLE)
      return readCode(view, backbone.plan, engine.codes(pixels), tailEngine.codes(pixels));
    const { codes, maps } = engine.codesAndMaps(pixels, [tail.from]);
    return readCode(view, backbone.plan, codes, tailEngine.codes(maps.get(tail.from)!));
  };
}

/** The modules that training needs besides. */
export async function loadTrainingModules(): Promise<{
  tfjs: WebAssembly.Module;
  gradients: WebAssembly.Module;
}> {
  const [tfjs, gradients] = await Promise.all([
    compile(MODULES.tfjs),
    readFile(join(ROOT, 'build', 'wasm', 'gradients.wasm')).then((bytes) => WebAssembly.compile(bytes)),
  ]);
  return { tfjs, gradients };
}

/** The decoder alone, for thumbnails. */
export async function loadDecoder(): Promise<ImageDecoder> {
  const [jpeg, png, webp, resize] = await Promise.all(
    [MODULES.jpeg, MODULES.png, MODULES.webp, MODULES.resize].map(compile),
  );
  return createImageDecoder({ jpeg, png, webp, resize });
}

/**
 * @returns a name, 32 hex digits, for everything that a code depends on besides the picture: weights, codecs, and the
 * sources of decoder and engine. Hashing the sources makes stale codes impossible; no version number can be forgotten.
 */
export async function pipelineKey(backbone: Backbone): Promise<string> {
  const hash = createHash('sha256')
    .update(backbone.plan.weightsSha256)
    .update(ENGINE ?? '');
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
