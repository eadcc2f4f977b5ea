/** The backbone on TensorFlow.js. */
import wasm from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?module';
import { createTfjsEngine } from '../../src/backbone/tfjs/engine.ts';
import { backbone, codesOf, warmed } from './backbone.ts';
import { serve } from './serve.ts';

export default serve({ codes: codesOf(await warmed(await createTfjsEngine(backbone, wasm))) });
