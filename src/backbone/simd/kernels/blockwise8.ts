import type { Step } from '../program.ts';

/**
 * A convolution of codes and the depthwise one that reads it.
 * @param conv a step of conv8 or conv16, whose output shares one plane among its blocks; `depthwise` reads that.
 * @param bits of both.
 */
export function blockwise8(conv: Step, depthwise: Step, bits: 8 | 16): Step {
  return (program) => {
    const words = [program.nested(conv), program.nested(depthwise)];
    return ['blockwise8', words, [Number(bits === 16)]];
  };
}
