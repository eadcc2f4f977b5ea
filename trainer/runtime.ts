/**
 * The classifier under Node: the one place where compiled codecs, TensorFlow.js and the backbone are read from disk
 * and handed to src/.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createEngine, engineFor, ENGINES, type EngineName } from '../src/backbone/choose.ts';
import { trunkFor, WHOLE, type Backbone, type TailedEngine } from '../src/backbone/index.ts';
import { hasRelaxedSimd } from '../src/backbone/relaxed-simd.ts';
import { readCode, type HeadView } from '../src/head/index.ts';
import type { PictureInput } from '../src/head/head.ts';
import { createImageDecoder, type ImageDecoder } from '../src/image/index.ts';
import { readBackbone } from './backbones.ts';
import { UsageError } from './cli/failure.ts';
import { ROOT } from './paths.ts';
import type { Reading } from './reading.ts';

export { readBackbone };

/** Which codes of pictures are wanted. Can be sent to a thread. */
export interface CodesWanted {
  /** Of the backbone. */
  readonly weightsSha256: string;
  readonly input: PictureInput;
  /** The head that reads them; all the backbone's taps where absent. */
  readonly view?: HeadView | undefined;
}

export interface Runtime {
  /** What pictures are decoded for. */
  readonly input: PictureInput;
  readonly decoder: ImageDecoder;
  /** The code of one picture, as it is wanted. */
  readonly codeOf: (pixels: Uint8Array) => Float32Array;
}

/** Compiled modules, by the names under which Node finds them from here. */
const MODULES = {
  jpeg: '../build/wasm/jpeg.wasm',
  png: '../build/wasm/png.wasm',
  webp: '../build/wasm/webp.wasm',
  resize: '../build/wasm/resize.wasm',
  simd: `../build/wasm/engine${hasRelaxedSimd() ? '-relaxed' : ''}.wasm`,
  tfjs: '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm',
} as const;

/** What pixels and codes are computed by; a change of any of it makes kept codes worthless. */
const PIPELINE_SOURCES = ['src/image', 'src/backbone'];

/** One of ENGINES; unset, the one that every host uses. */
const ENGINE = process.env['HEADWATER_ENGINE'];

const require = createRequire(import.meta.url);

/** The engine that this run reads a backbone's codes with. @throws UsageError when the environment names none. */
export function engineInUse(backbone: Backbone): EngineName {
  if (ENGINE !== undefined && !ENGINES.some((each) => each === ENGINE))
    throw new UsageError(`HEADWATER_ENGINE names no engine: '${ENGINE}'. One of: ${ENGINES.join(', ')}.`);
  return engineFor(backbone, ENGINE);
}

/**
 * Everything that turns a picture into a code. Takes about half a second.
 * @throws FileError, UsageError; HeadwaterError `backbone_mismatch`
 */
export async function loadRuntime({ weightsSha256, input, view }: CodesWanted): Promise<Runtime> {
  const [backbone, decoder, simd] = await Promise.all([
    readBackbone(weightsSha256),
    loadDecoder(),
    compile(MODULES.simd),
  ]);
  const engine = createEngine(backbone, simd, { name: engineInUse(backbone) });
  const codeOf =
    view === undefined
      ? (pixels: Uint8Array) => engine.codes(pixels, input)
      : coder(backbone, engine, view, input);
  return { input, decoder, codeOf };
}

function coder(
  { plan }: Backbone,
  engine: TailedEngine,
  view: HeadView,
  input: PictureInput,
): Runtime['codeOf'] {
  const { tail } = view;
  if (tail === undefined) return (pixels) => readCode(view, plan, engine.codes(pixels, input));
  const tailEngine = engine.createTail(tail, input);
  return (pixels) => {
    if (tail.from === WHOLE)
      return readCode(view, plan, engine.codes(pixels, input), tailEngine.codes(pixels));
    const { codes, maps } = engine.codesAndMaps(pixels, [tail.from], input);
    return readCode(view, plan, codes, tailEngine.codes(maps.get(tail.from)!));
  };
}

/**
 * The steps before a cut on the engine that answers, so that a tail is trained on the maps that it will read.
 * @param backbone in the size of the pictures.
 */
export async function loadTrunk(backbone: Backbone, from: string): Promise<TailedEngine> {
  return createEngine(trunkFor(backbone, from), await compile(MODULES.simd), {
    name: engineInUse(backbone),
  });
}

/** The modules that training needs besides. */
export async function loadTrainingModules(): Promise<{
  tfjs: WebAssembly.Module;
  gradients: WebAssembly.Module;
}> {
  const [tfjs, gradients] = await Promise.all([
    tfjsWasm(),
    readFile(join(ROOT, 'build', 'wasm', 'gradients.wasm')).then((bytes) => WebAssembly.compile(bytes)),
  ]);
  return { tfjs, gradients };
}

export async function tfjsWasm(): Promise<WebAssembly.Module> {
  return compile(MODULES.tfjs);
}

/** The decoder alone, for thumbnails. */
export async function loadDecoder(): Promise<ImageDecoder> {
  const [jpeg, png, webp, resize] = await Promise.all(
    [MODULES.jpeg, MODULES.png, MODULES.webp, MODULES.resize].map(compile),
  );
  return createImageDecoder({ jpeg, png, webp, resize });
}

/**
 * @returns a name, 32 hex digits, for everything that a code depends on besides the picture: codecs, the sources of
 * decoder and engine, the plan with its weights, taps, statistics and size, the pixel rules, and what of it a head reads.
 * Hashing the sources makes stale codes impossible; no version number can be forgotten.
 */
export async function pipelineKey({ backbone, input }: Reading, view?: HeadView): Promise<string> {
  const hash = createHash('sha256')
    .update(JSON.stringify([backbone.plan, input, view?.taps ?? null, view?.tail?.from ?? null]))
    .update(ENGINE ?? '');
  for (const [name, { buffer, byteOffset, byteLength }] of view?.tail?.tensors ?? []) {
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
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
