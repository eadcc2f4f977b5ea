/**
 * Our own SIMD kernels (src/wasm/gradients) inside the memory of TensorFlow.js's WASM backend: they read and write its
 * tensors in place. Registered as kernels of that backend, so that TensorFlow.js runs them like its own.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { BACKEND_NAME, backendMemory } from './backend.ts';

/** x · clip(x + 3, 0, 6) / 6 (Howard et al. 2019) in one pass. Inputs: x. */
export const HARD_SWISH = 'HeadwaterHardSwish';
/** Its gradient to x. Inputs: x, dy. */
export const HARD_SWISH_GRADIENT = 'HeadwaterHardSwishGradient';

type Info = tf.backend_util.Conv2DInfo;
type Named<Names extends string> = Readonly<Record<Names, tf.TensorInfo>>;

interface Exports {
  readonly depthwiseFilter: (...args: number[]) => void;
  readonly hardSwish: (x: number, y: number, length: number) => void;
  readonly hardSwishGradient: (x: number, dy: number, dx: number, length: number) => void;
}

let exports: Exports | undefined;

/**
 * Registers the kernels, once. The backend must be registered already.
 * @param gradientsWasm build/wasm/gradients.wasm, compiled by the host.
 */
export function registerSimdKernels(gradientsWasm: WebAssembly.Module): void {
  if (exports !== undefined) return;
  const instance = new WebAssembly.Instance(gradientsWasm, { env: { memory: backendMemory() } });
  const kernels = instance.exports as unknown as Exports;
  exports = kernels;
  register(HARD_SWISH, (inputs, backend) => {
    const { x } = inputs as Named<'x'>;
    const y = backend.makeOutput(x.shape, 'float32');
    kernels.hardSwish(addressOf(x, backend), addressOf(y, backend), tf.util.sizeFromShape(x.shape));
    return y;
  });
  register(HARD_SWISH_GRADIENT, (inputs, backend) => {
    const { x, dy } = inputs as Named<'x' | 'dy'>;
    const dx = backend.makeOutput(x.shape, 'float32');
    const [xAt, dyAt, dxAt] = [x, dy, dx].map((tensor) => addressOf(tensor, backend));
    kernels.hardSwishGradient(xAt, dyAt, dxAt, tf.util.sizeFromShape(x.shape));
    return dx;
  });
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
  if (exports === undefined) throw new Error('The gradient kernels are not registered.');
  if (info.dilationHeight !== 1 || info.dilationWidth !== 1) {
    throw new RangeError('Gradients of dilated depthwise convolutions are not made.');
  }
  const { filterHeight, filterWidth, inChannels, padInfo } = info;
  const dw = backend.makeOutput([filterHeight, filterWidth, inChannels, 1], 'float32');
  exports.depthwiseFilter(
    ...[x, dy, dw].map((tensor) => addressOf(tensor, backend)),
    ...[info.batchSize, info.inHeight, info.inWidth, inChannels],
    ...[info.outHeight, info.outWidth, filterHeight, filterWidth],
    ...[info.strideHeight, info.strideWidth, padInfo.top, padInfo.left],
  );
  return dw;
}

function addressOf(tensor: tf.TensorInfo, backend: BackendWasm): number {
  return backend.getMemoryOffset(tensor.dataId);
}

function register(
  kernelName: string,
  run: (inputs: Readonly<Record<string, tf.TensorInfo | undefined>>, backend: BackendWasm) => tf.TensorInfo,
): void {
  tf.registerKernel({
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: ({ inputs, backend }) => run(inputs, backend as BackendWasm),
  });
}
