/**
 * Our own SIMD kernels (gradients.as.ts) inside the memory of TensorFlow.js's WASM backend: they read and write its
 * tensors in place.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { backendMemory } from './backend.ts';

type Info = tf.backend_util.Conv2DInfo;

let exports: WebAssembly.Exports | undefined;

/** Puts the kernels into the backend's memory. @param gradientsWasm build/wasm/gradients.wasm, compiled by the host. */
export function loadSimdKernels(gradientsWasm: WebAssembly.Module): void {
  exports = new WebAssembly.Instance(gradientsWasm, { env: { memory: backendMemory() } }).exports;
}

/** x · clip(x + 3, 0, 6) / 6 (Howard et al. 2019) in one pass. */
export function hardSwish(x: tf.TensorInfo, backend: BackendWasm): tf.TensorInfo {
  const y = backend.makeOutput(x.shape, 'float32');
  call('hardSwish', [x, y], [tf.util.sizeFromShape(x.shape)], backend);
  return y;
}

/** Its gradient to x. */
export function hardSwishGradient(x: tf.TensorInfo, dy: tf.TensorInfo, backend: BackendWasm): tf.TensorInfo {
  const dx = backend.makeOutput(x.shape, 'float32');
  call('hardSwishGradient', [x, dy, dx], [tf.util.sizeFromShape(x.shape)], backend);
  return dx;
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
  name: 'depthwiseFilter' | 'hardSwish' | 'hardSwishGradient',
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
