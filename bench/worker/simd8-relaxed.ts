/** The backbone on our own SIMD kernels, all integers, with relaxed SIMD. */
import wasm from '../../build/wasm/engine-relaxed.wasm?module';
import { createSimdEngine } from '../../src/backbone/simd/index.ts';
import { backbone, codesOf, warmed } from './backbone.ts';
import { serve } from './serve.ts';

export default serve({ codes: codesOf(await warmed(createSimdEngine(backbone, wasm, { bits: 8 }))) });
