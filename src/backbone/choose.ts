/**
 * Which engine a host runs a backbone on. The choice is the same in every host, so that the same bytes give the same
 * answer: our own kernels in single precision. They read no feature maps and train nothing: TensorFlow.js does,
 * loaded when it is first needed.
 */
import type { Engine, TailedEngine } from './engine.ts';
import type { Backbone } from './load.ts';
import { createSimdEngine } from './simd/index.ts';

/** simd16 is faster, and its codes differ from the others' by a few thousandths; tfjs is the reference. */
export const ENGINES = ['simd32', 'simd16', 'tfjs'] as const;
export type EngineName = (typeof ENGINES)[number];
export const DEFAULT_ENGINE: EngineName = 'simd32';

export interface EngineModules {
  /** build/wasm/engine-relaxed.wasm where the host has relaxed SIMD, else build/wasm/engine.wasm. */
  readonly simd: WebAssembly.Module;
  /** TensorFlow.js's own, of the build with SIMD. */
  readonly tfjs: WebAssembly.Module;
}

export interface Engines {
  /** What codes come from. */
  readonly engine: Engine;
  /** What feature maps come from and tails run on; made on the first call. */
  readonly mapReader: () => Promise<TailedEngine>;
}

/** @throws TypeError when there is no engine of that name; HeadwaterError as the engine does. */
export async function createEngines(
  backbone: Backbone,
  modules: EngineModules,
  name: string = DEFAULT_ENGINE,
): Promise<Engines> {
  let reader: TailedEngine | undefined;
  const mapReader = async () => {
    if (reader !== undefined) return reader;
    const made = await createReference(backbone, modules.tfjs);
    // Another call may have been quicker; in a Worker, a promise shared between them could end with the first's request.
    return (reader ??= made);
  };
  switch (name) {
    case 'tfjs':
      return { engine: await mapReader(), mapReader };
    case 'simd32':
    case 'simd16':
      return {
        engine: createSimdEngine(backbone, modules.simd, { bits: name === 'simd16' ? 16 : 32 }),
        mapReader,
      };
    default:
      throw new TypeError(`There is no engine '${name}'. One of: ${ENGINES.join(', ')}.`);
  }
}

async function createReference(backbone: Backbone, module: WebAssembly.Module): Promise<TailedEngine> {
  const { createTfjsEngine } = await import('./tfjs/engine.ts');
  return createTfjsEngine(backbone, module);
}
