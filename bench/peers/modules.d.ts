/**
 * The few things the benchmark uses of its peers, declared here so that types check before bench/ is installed.
 */
declare module 'onnxruntime-common' {
  export class Tensor {
    constructor(type: 'float32', data: Float32Array, dims: readonly number[]);
    constructor(type: 'uint8', data: Uint8Array, dims: readonly number[]);
    readonly data: Float32Array;
  }
  export interface InferenceSession {
    run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
    release(): Promise<void>;
  }
  export interface SessionOptions {
    executionProviders?: readonly string[];
    intraOpNumThreads?: number;
    interOpNumThreads?: number;
    graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'all';
    freeDimensionOverrides?: Record<string, number>;
    enableProfiling?: boolean;
    extra?: Record<string, unknown>;
  }
  export interface Runtime {
    readonly Tensor: typeof Tensor;
    readonly InferenceSession: {
      create(model: Uint8Array, options?: SessionOptions): Promise<InferenceSession>;
    };
  }
}

declare module 'onnxruntime-node' {
  import type { Runtime } from 'onnxruntime-common';
  export const Tensor: Runtime['Tensor'];
  export const InferenceSession: Runtime['InferenceSession'];
}

declare module 'onnxruntime-web/wasm' {
  import type { Runtime } from 'onnxruntime-common';
  export const Tensor: Runtime['Tensor'];
  export const InferenceSession: Runtime['InferenceSession'];
  export const env: { wasm: { numThreads: number; wasmBinary?: ArrayBuffer }; logLevel: string };
}

declare module '@litertjs/core' {
  export class Tensor {
    constructor(data: Uint8Array | Float32Array, shape: readonly number[]);
    data(): Promise<Float32Array>;
    delete(): void;
  }
  export interface CompiledModel {
    run(input: Tensor): Promise<Tensor[]>;
  }
  export function loadLiteRt(path: string): Promise<unknown>;
  export function loadAndCompile(
    model: Uint8Array,
    options: { accelerator: 'wasm'; cpuOptions: { numThreads: number } },
  ): Promise<CompiledModel>;
}

declare module '@jsquash/jpeg/decode.js' {
  export function init(module: WebAssembly.Module): Promise<void>;
  export default function decode(
    file: ArrayBuffer,
  ): Promise<{ readonly data: Uint8ClampedArray; readonly width: number; readonly height: number }>;
}

declare module '@jsquash/jpeg/encode.js' {
  export function init(module: WebAssembly.Module): Promise<void>;
  export default function encode(
    image: { readonly data: Uint8ClampedArray; readonly width: number; readonly height: number },
    options: { quality: number; progressive: boolean },
  ): Promise<ArrayBuffer>;
}
