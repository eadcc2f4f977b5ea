/**
 * Numbers that the compiler of plans (TypeScript, src/backbone/simd) and the kernels (AssemblyScript) share. This file
 * is compiled by both, so that they cannot disagree.
 */

/** Channels of a block: feature maps lie as [channels / 8][rows][columns][8], so that a pixel of a block is two vectors. */
export const BLOCK = 8;
/** Channels of a block of 8-bit codes, whose pixels are one vector. */
export const BYTE_BLOCK = 16;
/** Bytes of one pixel of a block of 32-bit floats. */
export const PIXEL_BYTES = 32;
/** Pixels that the convolution computes at once: 4 × 2 sums, 4 inputs, 2 weights and one spread input fill the registers. */
export const CONV_TILE = 4;
/** Pixels that the depthwise convolution computes at once; it divides every width of a 224-pixel network. */
export const DEPTHWISE_TILE = 7;
/**
 * The largest number in a 16-bit map. Its bits and those of the weights it meets share the 31 of a sum: 14 here leave
 * the weights of a channel about 17 for the sum of their magnitudes.
 */
export const PEAK = 16_383;
/** What steps call activations: see ../activations.ts. */
export const NONE = 0;
export const RELU = 1;
export const RELU6 = 2;
export const HARD_SWISH = 3;
export const HARD_SIGMOID = 4;
/** 32-bit words of one step, the first of which says which kernel runs it. */
export const STEP_WORDS = 20;
