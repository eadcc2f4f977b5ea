/**
 * What an answer costs at the edge, estimated from the plan alone: milliseconds of one thread for the network, on a
 * machine of one stated kind (EDGE_MACHINE). Ratios hold on others. Decoding the picture comes on top and does not
 * depend on the network.
 */
import type { Backbone, Step } from '../../src/backbone/index.ts';
import { tensorNames } from '../../src/backbone/index.ts';

export const EDGE_MACHINE = 'one thread of a 3.6 GHz Zen 5 core with relaxed SIMD';

/** Of the numbers that an engine computes with. */
export type EngineBits = 8 | 32;

interface Rates {
  /** Multiply-adds of convolutions and dense layers, and of depthwise convolutions, in a millisecond. */
  readonly dense: number;
  readonly depthwise: number;
  /** Weights that are read from memory in a millisecond, once a picture: what small maps wait for. */
  readonly weights: number;
}

/**
 * Fitted to measurements on a quiet machine, with an error of at most 6 %. Single precision: MobileNetV3-Small at
 * 224 px 2.0 ms, EfficientNet-Lite0 at 224/192/160/128 px 13.6/10.7/7.6/5.0 ms. 8 bits: Lite0 at 224/160 px 5.9/3.3 ms.
 */
const RATES: Record<EngineBits, Rates> = {
  32: { dense: 30e6, depthwise: 20e6, weights: 8e6 },
  8: { dense: 75e6, depthwise: 40e6, weights: 12e6 },
};

/** @returns the bits of the engine that answers on this backbone. */
export function engineBits(_backbone: Backbone): EngineBits {
  return 32;
}

/** @param backbone in the size of its pictures. @returns milliseconds of one picture's code. */
export function codeMs(backbone: Backbone, bits: EngineBits = engineBits(backbone)): number {
  return stepsMs(backbone.plan.steps, backbone, bits);
}

/** Milliseconds that one picture takes through these steps. Tails run in single precision. */
export function stepsMs(
  steps: readonly Step[],
  { tensors, tensorShapes, shapes }: Backbone,
  bits: EngineBits = 32,
): number {
  const rates = RATES[bits];
  let ms = 0;
  for (const step of steps) {
    const pixels = pixelsOf(shapes.get(step.name));
    for (const name of tensorNames(step)) {
      const count = tensors.get(name)?.length ?? 0;
      ms += count / rates.weights;
      // A bias and the squeezed means of squeeze-and-excitation are used once a picture at most.
      const isFilter = step.op !== 'squeeze-excite' && (tensorShapes.get(name)?.length ?? 0) > 1;
      if (isFilter) ms += (count * pixels) / (step.op === 'depthwise' ? rates.depthwise : rates.dense);
    }
  }
  return ms;
}

function pixelsOf(shape: { readonly height: number; readonly width: number } | undefined): number {
  return shape === undefined ? 0 : shape.height * shape.width;
}
