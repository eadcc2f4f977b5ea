/**
 * onnxruntime-web in workerd, which refuses to compile WebAssembly from bytes. The runtime asks for just that, so it is
 * handed the compiled module when it does. Its only other input, the model, is made here from the plan.
 */
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?module';
import { createOnnxEngine, type OnnxEngine, type OnnxModel } from '../peers/onnx-engine.ts';
import { backbone } from './backbone.ts';

Object.defineProperty(WebAssembly, 'instantiate', {
  value: (_bytes: BufferSource, imports: WebAssembly.Imports) =>
    Promise.resolve({ module: wasm, instance: new WebAssembly.Instance(wasm, imports) }),
});
env.wasm.numThreads = 1;
env.wasm.wasmBinary = new ArrayBuffer(1);

let engine: Promise<OnnxEngine> | undefined;

/** To be called within a request: the runtime waits for timers, which a Worker doesn't have at start-up. */
export function ortEngine(model: OnnxModel): Promise<OnnxEngine> {
  engine ??= createOnnxEngine({ InferenceSession, Tensor }, backbone, model, {
    freeDimensionOverrides: { n: 1 },
  });
  return engine;
}
