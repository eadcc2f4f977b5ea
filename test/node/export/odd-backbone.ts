import type { Activation, Backbone } from '../../../src/backbone/index.ts';
import { BackboneMaker } from '../backbone/random.ts';

/** Odd shapes, lopsided padding around a border that is not black, every kind of step. */
export function oddBackbone(activation: Activation): Backbone {
  return new BackboneMaker(7, 13, 10, 3)
    .conv('stem', 'input', [3, 3, 3, 6], { stride: 2, padding: [1, 2, 0, 1], activation }, 0.01)
    .depthwise('wide', 'stem', [5, 5, 6], { stride: 1, padding: [2, 2, 2, 2], activation }, 0.3)
    .squeezeExcite('excited', 'wide', 6, 3)
    .conv('project', 'excited', [1, 1, 6, 6], { stride: 1, padding: [0, 0, 0, 0], activation: 'none' })
    .add('joined', 'project', 'stem')
    .mean('pooled', 'joined')
    .dense('dense', 'pooled', [6, 4], activation)
    .depthwise('early', 'input', [3, 2, 3], { stride: 1, padding: [1, 0, 0, 2], activation }, 0.01)
    .mean('colour', 'input')
    .load([
      { step: 'joined', channels: 6 },
      { step: 'joined', channels: 6, statistic: 'deviation' },
      { step: 'wide', channels: 6, statistic: 'deviation' },
      { step: 'dense', channels: 4 },
      { step: 'early', channels: 3 },
      { step: 'colour', channels: 3 },
      // Of one position: there is no variance.
      { step: 'colour', channels: 3, statistic: 'deviation' },
    ]);
}

export const FLAT_SIDE = 40;

/** A flat, bright picture with one pixel that differs: its maps' means are some ten thousand times their deviations. */
export function flatPixels(): Uint8Array {
  const pixels = new Uint8Array(FLAT_SIDE * FLAT_SIDE * 3).fill(250);
  pixels.fill(252, 300, 303);
  return pixels;
}

/** Reads the deviations of such maps, which the mean of squares less the square of the mean does not find in 32 bits. */
export function flatBackbone(): Backbone {
  return new BackboneMaker(3, FLAT_SIDE, FLAT_SIDE, 3)
    .conv('mixed', 'input', [1, 1, 3, 4], { stride: 1, padding: [0, 0, 0, 0], activation: 'none' })
    .load([{ step: 'mixed', channels: 4, statistic: 'deviation' }]);
}

/** The largest of all numbers' differences, each relative to what is right. */
export function largestRelative(found: ArrayLike<number>, right: ArrayLike<number>): number {
  if (found.length !== right.length) return Infinity;
  return Math.max(...Array.from(right, (value, i) => Math.abs(found[i] - value) / Math.abs(value)));
}
