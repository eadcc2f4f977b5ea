/** Our own engine: plans compiled to WebAssembly SIMD kernels. */
export { createSimdEngine } from './engine.ts';
export type { SimdEngine, SimdOptions } from './engine.ts';
