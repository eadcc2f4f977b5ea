/** Our own engine: plans compiled to WebAssembly SIMD kernels. docs/engine.md explains it. */
export { createSimdEngine } from './engine.ts';
export type { SimdEngine, SimdOptions } from './engine.ts';
