/**
 * What an answer costs at the edge, estimated from the plan alone: milliseconds of one thread for the network, on a
 * machine of one stated kind (EDGE_MACHINE). Ratios hold on others. Decoding the picture comes on top and does not
 * depend on the network.
 */
import { tensorNames, type Backbone, type Step } from '../../../src/backbone/index.ts';
import type { EngineName } from '../../../src/backbone/choose.ts';
import { rangesOf } from '../../../src/backbone/ranges.ts';
import { engineInUse } from '../../runtime.ts';

export const EDGE_MACHINE = 'one thread of a 3.6 GHz Zen 5 core with relaxed SIMD';

/** Of the numbers that an engine computes with. */
export type EngineBits = 8 | 16 | 32;

const BITS: Readonly<Record<EngineName, EngineBits>> = { simd8: 8, simd16: 16, simd32: 32 };

interface Rates {
  /** Multiply-adds of convolutions and dense layers, and of depthwise convolutions, in a millisecond. */
  readonly dense: number;
  readonly depthwise: number;
  /** Weights that are read from memory in a millisecond, once a picture: what small maps wait for. */
  readonly weights: number;
}

/**
 * Fitted with an error of at most 7 %. Single precision was measured on such a machine when it was quiet: MobileNetV3-Small
 * at 224 px 2.0 ms, EfficientNet-Lite0 at 224/192/160/128 px 13.6/10.7/7.6/5.0 ms. The others were measured in turns with it
 * elsewhere, 1.26 times as slow, and are given in its terms: 16 bits MobileNetV3-Small 1.6 ms, Lite0 10.7/8.4/6.2/3.9 ms;
 * 8 bits Lite0 at 288/224/192/160/128 px 11.4/7.0/5.0/3.7/2.3 ms.
 */
const RATES: Readonly<Record<EngineBits, Rates>> = {
  32: { dense: 30e6, depthwise: 20e6, weights: 8e6 },
  16: { dense: 40e6, depthwise: 25e6, weights: 5.4e6 },
  8: { dense: 59e6, depthwise: 60e6, weights: 50e6 },
};

/** @returns the bits of the engine that answers on this backbone. @throws UsageError when there is no such engine. */
export function engineBits(backbone: Backbone): EngineBits {
  return BITS[engineInUse(backbone)];
}

/** @param backbone in the size of its pictures. @returns milliseconds of one picture's code. */
export function codeMs(backbone: Backbone, bits: EngineBits = engineBits(backbone)): number {
  return stepsMs(backbone.plan.steps, backbone, bits);
}

/**
 * Milliseconds that one picture takes through these steps.
 * @param backbone in the size of its pictures, with ranges where the bits are 8. @param bits 32 for tails.
 */
export function stepsMs(steps: readonly Step[], backbone: Backbone, bits: EngineBits): number {
  const wide = bits === 8 ? rangesOf(backbone).wide : new Set<string>();
  return steps.reduce((sum, step) => sum + stepMs(step, backbone, RATES[wide.has(step.name) ? 16 : bits]), 0);
}

function stepMs(step: Step, { tensors, tensorShapes, shapes }: Backbone, rates: Rates): number {
  const pixels = pixelsOf(shapes.get(step.name));
  let ms = 0;
  for (const name of tensorNames(step)) {
    const count = tensors.get(name)?.length ?? 0;
    ms += count / rates.weights;
    // A bias and the squeezed means of squeeze-and-excitation are used once a picture at most.
    const isFilter = step.op !== 'squeeze-excite' && (tensorShapes.get(name)?.length ?? 0) > 1;
    if (isFilter) ms += (count * pixels) / (step.op === 'depthwise' ? rates.depthwise : rates.dense);
  }
  return ms;
}

function pixelsOf(shape: { readonly height: number; readonly width: number } | undefined): number {
  return shape === undefined ? 0 : shape.height * shape.width;
}
