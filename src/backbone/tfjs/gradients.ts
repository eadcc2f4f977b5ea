/**
 * The kernels that TensorFlow.js's WASM backend lacks, or has only in scalar code, to train convolutional networks.
 * They are registered for our own backend, after which TensorFlow.js's gradients of conv2d and depthwiseConv2d work on
 * it as they do on the cpu backend.
 */
import * as tf from '@tensorflow/tfjs-core';
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { BACKEND_NAME, registerWasmBackend } from './backend.ts';
import { convFilterGradient, convInputGradient, depthwiseInputGradient } from './gradients-conv.ts';
import { depthwiseFilterGradient, hardSwish, hardSwishGradient, loadSimdKernels } from './simd-kernels.ts';

/** x · clip(x + 3, 0, 6) / 6 (Howard et al. 2019). Inputs: x. */
export const HARD_SWISH = 'HeadwaterHardSwish';
/** Its gradient to x. Inputs: x, dy. */
export const HARD_SWISH_GRADIENT = 'HeadwaterHardSwishGradient';

type Shape4D = [number, number, number, number];
type Inputs = Readonly<Record<'x' | 'dy' | 'filter', tf.Tensor4D>>;

interface Attributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: number | [number, number];
  readonly filterShape?: Shape4D;
  readonly inputShape?: Shape4D;
}

type Kernel = (inputs: Inputs, attributes: Attributes, backend: BackendWasm) => tf.TensorInfo;

const KERNELS: Readonly<Record<string, Kernel>> = {
  [tf.Conv2DBackpropFilter]: ({ x, dy }, attributes) =>
    convFilterGradient(x, dy, infoOf(x.shape, attributes.filterShape!, attributes, false)),
  [tf.Conv2DBackpropInput]: ({ dy, filter }, attributes) =>
    convInputGradient(dy, filter, infoOf(attributes.inputShape!, filter.shape, attributes, false)),
  [tf.DepthwiseConv2dNativeBackpropFilter]: ({ x, dy }, attributes, backend) =>
    depthwiseFilterGradient(x, dy, infoOf(x.shape, attributes.filterShape!, attributes, true), backend),
  [tf.DepthwiseConv2dNativeBackpropInput]: ({ dy, filter }, attributes) =>
    depthwiseInputGradient(dy, filter, infoOf(attributes.inputShape!, filter.shape, attributes, true)),
  [HARD_SWISH]: ({ x }, _, backend) => hardSwish(x, backend),
  [HARD_SWISH_GRADIENT]: ({ x, dy }, _, backend) => hardSwishGradient(x, dy, backend),
};

let registered = false;

/**
 * Registers the backend and, once, its gradient kernels.
 * @param tfjsWasm as for `createTfjsEngine`.
 * @param gradientsWasm build/wasm/gradients.wasm, compiled by the host.
 */
export async function registerGradients(
  tfjsWasm: WebAssembly.Module,
  gradientsWasm: WebAssembly.Module,
): Promise<void> {
  await registerWasmBackend(tfjsWasm);
  if (registered) return;
  registered = true;
  loadSimdKernels(gradientsWasm);
  for (const [kernelName, kernel] of Object.entries(KERNELS)) {
    // The backend's own scalar kernel, which would otherwise warn about its successor.
    if (tf.getKernel(kernelName, BACKEND_NAME)) tf.unregisterKernel(kernelName, BACKEND_NAME);
    tf.registerKernel({
      kernelName,
      backendName: BACKEND_NAME,
      kernelFunc: ({ inputs, attrs, backend }) => {
        // TensorFlow.js types neither; its own operations give every kernel what it is named for.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        const [tensors, attributes] = [inputs, attrs] as unknown as [Inputs, Attributes];
        if (!(backend instanceof BackendWasm))
          throw new TypeError('The kernel was called on another backend.');
        return kernel(tensors, attributes, backend);
      },
    });
  }
}

function infoOf(
  x: Shape4D,
  filter: Shape4D,
  attributes: Attributes,
  depthwise: boolean,
): tf.backend_util.Conv2DInfo {
  const { strides, pad, dimRoundingMode, dilations = 1 } = attributes;
  if (depthwise && filter[3] !== 1) throw new RangeError('Depthwise gradients are for one filter a channel.');
  return tf.backend_util.computeConv2DInfo(x, filter, strides, dilations, pad, dimRoundingMode, depthwise);
}
