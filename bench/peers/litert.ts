/**
 * LiteRT.js (TensorFlow Lite with XNNPACK, in WebAssembly) behind the same door as the project's engines. It is made for
 * pages: it asks `importScripts` for its glue and looks for a GPU. Here the glue and the compiled module are handed to
 * it, so that it runs in Node and in workerd too.
 */
import type { CompiledModel, Tensor } from '@litertjs/core';
import type { Backbone } from '../../src/backbone/index.ts';
import { planToTflite, type TfliteInput } from '../../src/export/index.ts';
import { tflite8Bit } from './tflite-8bit.ts';

export interface LiteRtParts {
  /** What the glue script leaves behind: makes the runtime. */
  readonly factory: (options: object) => Promise<object>;
  readonly wasm: WebAssembly.Module;
}

export interface LiteRtEngine {
  codes(pixels: Uint8Array): Promise<Float32Array>;
  prepare(pixels: Uint8Array): Tensor;
  run(input: Tensor): Promise<Float32Array>;
}

/** What the package reads of the global scope. */
interface Scope {
  self?: object;
  importScripts?: (url: string) => void;
  ModuleFactory?: LiteRtParts['factory'];
  Module?: object;
}

let loading: Promise<void> | undefined;

/** `uint8` lets the model turn bytes into floats; `float32` has the host do it. */
export type LiteRtModel = TfliteInput | '8-bit uint8';

/** One thread, the CPU. */
export async function createLiteRtEngine(
  parts: LiteRtParts,
  backbone: Backbone,
  kind: LiteRtModel,
): Promise<LiteRtEngine> {
  const litert = await import('@litertjs/core');
  const input = kind === '8-bit uint8' ? 'uint8' : kind;
  const file = kind === '8-bit uint8' ? tflite8Bit(backbone) : planToTflite(backbone, input);
  const model = await compile(parts, file);
  const { height, width, channels } = backbone.plan.input;
  const shape = [1, height, width, channels];
  const prepare = (pixels: Uint8Array): Tensor =>
    new litert.Tensor(input === 'uint8' ? pixels : Float32Array.from(pixels), shape);
  const run = async (tensor: Tensor): Promise<Float32Array> => (await outputsOf(model, tensor))[0];
  return {
    prepare,
    run,
    async codes(pixels) {
      const tensor = prepare(pixels);
      const codes = await run(tensor);
      tensor.delete();
      return codes;
    },
  };
}

/** Every output of any model for one input of bytes. */
export async function runLiteRt(
  parts: LiteRtParts,
  file: Uint8Array,
  input: Uint8Array,
  shape: readonly number[],
): Promise<Float32Array[]> {
  const { Tensor } = await import('@litertjs/core');
  return await outputsOf(await compile(parts, file), new Tensor(input, shape));
}

async function compile(parts: LiteRtParts, file: Uint8Array): Promise<CompiledModel> {
  const { loadAndCompile } = await import('@litertjs/core');
  await (loading ??= load(parts));
  return await loadAndCompile(file, { accelerator: 'wasm', cpuOptions: { numThreads: 1 } });
}

/** The runtime's tensors live in its own memory until they are deleted. */
async function outputsOf(model: CompiledModel, input: Tensor): Promise<Float32Array[]> {
  const values: Float32Array[] = [];
  for (const output of await model.run(input)) {
    values.push(await output.data());
    output.delete();
  }
  return values;
}

/** Once a process: the package keeps its runtime in a global. */
async function load({ factory, wasm }: LiteRtParts): Promise<void> {
  const { loadLiteRt } = await import('@litertjs/core');
  const scope: Scope = globalThis;
  scope.self ??= globalThis;
  scope.importScripts = () => (scope.ModuleFactory = factory);
  scope.Module = { instantiateWasm: instantiating(wasm), print: ignore, printErr: ignore };
  // It warns that there is no GPU, which nobody wants here.
  const { warn } = console;
  console.warn = ignore;
  try {
    await loadLiteRt('glue.js');
  } finally {
    console.warn = warn;
    // Whoever looks whether this is a web worker must not be deceived.
    delete scope.importScripts;
  }
}

function ignore(): void {
  // What it prints is for its own developers.
}

/** Emscripten's hook for hosts that have compiled the module already. */
function instantiating(wasm: WebAssembly.Module) {
  return (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): object => {
    const instance = new WebAssembly.Instance(wasm, imports);
    done(instance);
    return instance.exports;
  };
}
