/**
 * Which engine a host runs a backbone on. The choice is the same in every host, so that the same bytes give the same
 * answer: our own kernels, on 8-bit integers where the backbone has ranges for them and else in single precision.
 * TensorFlow.js trains, and is the reference in tests.
 */
import type { Size } from './at-size.ts';
import type { TailedEngine } from './engine.ts';
import type { Backbone } from './load.ts';
import { hasRanges } from './ranges.ts';
import { createSimdEngine } from './simd/index.ts';

/** simd16 is faster than simd32, and its codes differ by a few thousandths; simd8's are the same bits on every host. */
export const ENGINES = ['simd32', 'simd16', 'simd8'] as const;
export type EngineName = (typeof ENGINES)[number];
const BITS = { simd32: 32, simd16: 16, simd8: 8 } as const;

/** The engine that a backbone's codes come from. */
export function defaultEngine(backbone: Backbone): EngineName {
  return hasRanges(backbone) ? 'simd8' : 'simd32';
}

/**
 * The engine that runs a backbone where a deployment wishes for one: its backbones may differ in what they can run on.
 * @param wished for all backbones, or undefined. @returns `wished`, but the default where the backbone lacks ranges for simd8.
 * @throws TypeError when there is no engine of that name.
 */
export function engineFor(backbone: Backbone, wished: string | undefined): EngineName {
  if (wished === undefined) return defaultEngine(backbone);
  const name = engineNamed(wished);
  return name === 'simd8' && !hasRanges(backbone) ? defaultEngine(backbone) : name;
}

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
  { name = defaultEngine(backbone), ...options }: EngineOptions = {},
): TailedEngine {
  return createSimdEngine(backbone, module, { ...options, bits: BITS[engineNamed(name)] });
}

function engineNamed(name: string): EngineName {
  const engine = ENGINES.find((each) => each === name);
  if (engine !== undefined) return engine;
  throw new TypeError(`There is no engine '${name}'. One of: ${ENGINES.join(', ')}.`);
}
