/** Classification with our own kernels on integers (relaxed SIMD) as the engine. */
import wasm from '../../build/wasm/engine-relaxed.wasm?module';
import { createSimdEngine } from '../../src/backbone/simd/index.ts';
import { backbone, warmed } from './backbone.ts';
import { pipeline } from './pipeline.ts';

export default pipeline(await warmed(createSimdEngine(backbone, wasm, { bits: 8 })));
