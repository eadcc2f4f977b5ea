/**
 * Which engine a host runs a backbone on. The choice is the same in every host, so that the same bytes give the same
 * answer: our own kernels in single precision. TensorFlow.js trains, and is the reference in tests.
 */
import type { Size } from './at-size.ts';
import type { TailedEngine } from './engine.ts';
import type { Backbone } from './load.ts';
import { createSimdEngine } from './simd/index.ts';

/** simd16 is faster, and its codes differ from the other's by a few thousandths. */
export const ENGINES = ['simd32', 'simd16'] as const;
export type EngineName = (typeof ENGINES)[number];
export const DEFAULT_ENGINE: EngineName = 'simd32';

export interface EngineOptions {
  readonly name?: string | undefined;
  /** Of the pictures that come first: the engine is ready for them at once. The plan's own where absent. */
  readonly size?: Size;
}

/**
 * @param module build/wasm/engine-relaxed.wasm where the host has relaxed SIMD, else build/wasm/engine.wasm.
 * @throws TypeError when there is no engine of that name; HeadwaterError as the engine does.
 */
export function createEngine(
  backbone: Backbone,
  module: WebAssembly.Module,
  { name = DEFAULT_ENGINE, ...options }: EngineOptions = {},
): TailedEngine {
  switch (name) {
    case 'simd32':
      return createSimdEngine(backbone, module, { ...options, bits: 32 });
    case 'simd16':
      return createSimdEngine(backbone, module, { ...options, bits: 16 });
    default:
      throw new TypeError(`There is no engine '${name}'. One of: ${ENGINES.join(', ')}.`);
  }
}
