/** Our own engine: plans compiled to WebAssembly SIMD kernels. */
export { createInspectableSimdEngine, createSimdEngine } from './engine.ts';
export type { SimdEngine, SimdOptions } from './engine.ts';
