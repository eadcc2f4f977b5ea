/**
 * The backbone on onnxruntime-web in workerd, which refuses to compile WebAssembly from bytes. The runtime asks for just
 * that, so it is handed the compiled module when it does. Its only other input, the model, is made here from the plan.
 */
import './memories.ts';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?module';
import { createOnnxEngine, type OnnxEngine } from '../peers/onnx-engine.ts';
import { backbone, codesOf } from './backbone.ts';
import { serve } from './serve.ts';

Object.defineProperty(WebAssembly, 'instantiate', {
  value: (_bytes: BufferSource, imports: WebAssembly.Imports) =>
    Promise.resolve({ module: wasm, instance: new WebAssembly.Instance(wasm, imports) }),
});
env.wasm.numThreads = 1;
env.wasm.wasmBinary = new ArrayBuffer(1);

// Made by the first request: the runtime waits for timers, which a Worker doesn't have at start-up.
let engine: Promise<OnnxEngine> | undefined;

export default serve({
  codes: async (inputs) => {
    engine ??= createOnnxEngine('onnxruntime-web', { InferenceSession, Tensor }, backbone, 'planes');
    return await codesOf(await engine)(inputs);
  },
});
