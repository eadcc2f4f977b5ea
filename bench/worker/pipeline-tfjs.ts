/** Classification with TensorFlow.js as the engine. */
import wasm from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?module';
import { createTfjsEngine } from '../../src/backbone/tfjs/engine.ts';
import { backbone, warmed } from './backbone.ts';
import { pipeline } from './pipeline.ts';

export default pipeline(await warmed(await createTfjsEngine(backbone, wasm)));
