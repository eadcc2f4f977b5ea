/**
 * Our own SIMD kernels (gradients.as.ts) inside the memory of TensorFlow.js's WASM backend: they read and write its
 * tensors in place. Registered as kernels of that backend, so that TensorFlow.js runs them like its own.
 */
import * as tf from '@tensorflow/tfjs-core';
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { BACKEND_NAME, backendMemory } from './backend.ts';

/** x · clip(x + 3, 0, 6) / 6 (Howard et al. 2019) in one pass. Inputs: x. */
export const HARD_SWISH = 'HeadwaterHardSwish';
/** Its gradient to x. Inputs: x, dy. */
export const HARD_SWISH_GRADIENT = 'HeadwaterHardSwishGradient';

type Info = tf.backend_util.Conv2DInfo;
type KernelName = 'depthwiseFilter' | 'hardSwish' | 'hardSwishGradient';

let exports: WebAssembly.Exports | undefined;

/**
 * Registers the kernels, once. The backend must be registered already.
 * @param gradientsWasm build/wasm/gradients.wasm, compiled by the host.
 */
export function registerSimdKernels(gradientsWasm: WebAssembly.Module): void {
  if (exports !== undefined) return;
  exports = new WebAssembly.Instance(gradientsWasm, { env: { memory: backendMemory() } }).exports;
  register(
    HARD_SWISH,
    ([x], backend) => {
      const y = backend.makeOutput(x.shape, 'float32');
      call('hardSwish', [x, y], [tf.util.sizeFromShape(x.shape)], backend);
      return y;
    },
    ['x'],
  );
  register(
    HARD_SWISH_GRADIENT,
    ([x, dy], backend) => {
      const dx = backend.makeOutput(x.shape, 'float32');
      call('hardSwishGradient', [x, dy, dx], [tf.util.sizeFromShape(x.shape)], backend);
      return dx;
    },
    ['x', 'dy'],
  );
}

/**
 * Gradient of a depthwise convolution to its filter.
 * @param x [pictures, height, width, channels]; dy: [pictures, out height, out width, channels].
 * @returns [kernel height, kernel width, channels, 1].
 */
export function depthwiseFilterGradient(
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: Info,
  backend: BackendWasm,
): tf.TensorInfo {
  if (info.dilationHeight !== 1 || info.dilationWidth !== 1) {
    throw new RangeError('Gradients of dilated depthwise convolutions are not made.');
  }
  const { filterHeight, filterWidth, inChannels, padInfo } = info;
  const dw = backend.makeOutput([filterHeight, filterWidth, inChannels, 1], 'float32');
  const input = [info.batchSize, info.inHeight, info.inWidth, inChannels];
  const output = [info.outHeight, info.outWidth, filterHeight, filterWidth];
  const places = [info.strideHeight, info.strideWidth, padInfo.top, padInfo.left];
  call('depthwiseFilter', [x, dy, dw], [...input, ...output, ...places], backend);
  return dw;
}

/** Calls a kernel with the addresses of tensors and then some numbers. */
function call(
  name: KernelName,
  tensors: readonly tf.TensorInfo[],
  numbers: readonly number[],
  backend: BackendWasm,
): void {
  const kernel = exports?.[name];
  if (!isProcedure(kernel)) throw new Error(`The gradient kernel '${name}' is not registered.`);
  kernel(...tensors.map((tensor) => backend.getMemoryOffset(tensor.dataId)), ...numbers);
}

function isProcedure(value: unknown): value is (...args: number[]) => void {
  return typeof value === 'function';
}

function register(
  kernelName: string,
  run: (inputs: tf.TensorInfo[], backend: BackendWasm) => tf.TensorInfo,
  inputNames: readonly string[],
): void {
  tf.registerKernel({
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: ({ inputs, backend }) =>
      run(
        inputNames.map((name) => inputs[name]!),
        wasmBackend(backend),
      ),
  });
}

/** TensorFlow.js hands kernels their backend untyped. */
export function wasmBackend(backend: unknown): BackendWasm {
  if (backend instanceof BackendWasm) return backend;
  throw new TypeError('The kernel was called on another backend.');
}
