/**
 * TensorFlow.js's WASM backend on a WebAssembly.Module that the host hands in. The package's own factory fetches and
 * compiles its file, which Workers refuse (tensorflow/tfjs#8157); this takes its parts and leaves the fetching out.
 * The backend has its own name, so that a page's own TensorFlow.js backends are left alone.
 */
import * as tf from '@tensorflow/tfjs-core';
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import wasmFactory from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.js';

type WasmModule = Awaited<ReturnType<typeof wasmFactory>>;

/** What emscripten's glue adds at run time, of which the package's types know nothing. */
interface Emscripten {
  readonly cwrap: (
    name: string,
    returns: 'number' | null,
    parameters: 'number'[],
  ) => (...args: number[]) => number;
}

export const BACKEND_NAME = 'headwater-wasm';
const PACKAGE_BACKEND_NAME = 'wasm';
/** Above the package's own 2, so that TensorFlow.js never picks one that would fetch. */
const PRIORITY = 100;

/** Where the backend's tensors lie, once it is registered. */
let memory: WebAssembly.Memory | undefined;

/** TensorFlow.js keeps one backend a name for the whole program, and so do we. */
let registration: Promise<void> | undefined;

/** Registers the backend once; later calls, with whatever module, share it. */
export async function registerWasmBackend(module: WebAssembly.Module): Promise<void> {
  registration ??= register(module);
  await registration;
}

/** Makes the registered backend the current one: another part of the program may have chosen its own meanwhile. */
export function useWasmBackend(): void {
  // An initialised backend is switched to before the promise settles; there is nothing to wait for.
  if (tf.getBackend() !== BACKEND_NAME) void tf.setBackend(BACKEND_NAME);
}

/** The memory that the backend's tensors lie in, for kernels of our own. @throws Error before the backend is registered. */
export function backendMemory(): WebAssembly.Memory {
  if (memory === undefined) throw new Error('The TensorFlow.js backend is not registered.');
  return memory;
}

async function register(module: WebAssembly.Module): Promise<void> {
  const wasm = await instantiate(module);
  for (const kernel of tf.getKernelsForBackend(PACKAGE_BACKEND_NAME)) {
    tf.registerKernel({ ...kernel, backendName: BACKEND_NAME });
  }
  tf.registerBackend(BACKEND_NAME, () => new BackendWasm(wasm), PRIORITY);
  if (!(await tf.setBackend(BACKEND_NAME)))
    throw new Error('TensorFlow.js could not start its WASM backend.');
}

async function instantiate(module: WebAssembly.Module): Promise<WasmModule> {
  const wasm = await withoutProcess(() =>
    wasmFactory({
      // Never fetched, but the glue needs a path.
      locateFile: (path: string) => path,
      instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
        const instance = new WebAssembly.Instance(module, imports);
        if (instance.exports['memory'] instanceof WebAssembly.Memory) memory = instance.exports['memory'];
        done(instance);
        return instance.exports;
      },
    }),
  );
  if (!hasCwrap(wasm)) throw new Error('The WASM of @tensorflow/tfjs-backend-wasm has no cwrap.');
  const { cwrap } = wasm;
  wasm.tfjs = {
    init: cwrap('init', null, []),
    initWithThreadsCount: cwrap('init_with_threads_count', null, ['number']),
    getThreadsCount: cwrap('get_threads_count', 'number', []),
    registerTensor: cwrap('register_tensor', null, ['number', 'number', 'number']),
    disposeData: cwrap('dispose_data', null, ['number']),
    dispose: cwrap('dispose', null, []),
  };
  return wasm;
}

function hasCwrap(wasm: object): wasm is Emscripten {
  return 'cwrap' in wasm && typeof wasm.cwrap === 'function';
}

/**
 * Hides Node's `process` from emscripten's glue, which would look for files beside itself and install handlers of
 * uncaught errors that end the whole program. It looks only while it is called, before anything else can run.
 */
function withoutProcess<T>(call: () => T): T {
  const process = Object.getOwnPropertyDescriptor(globalThis, 'process');
  if (process?.configurable !== true) return call();
  Reflect.deleteProperty(globalThis, 'process');
  try {
    return call();
  } finally {
    Object.defineProperty(globalThis, 'process', process);
  }
}
