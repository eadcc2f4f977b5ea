/** A small network with a step of every kind, to be run at several sizes. */
import type { Backbone } from '../../../src/backbone/index.ts';
import type { Padding } from '../../../src/backbone/plan.ts';
import { BackboneMaker } from './random.ts';

export const SIDES = [32, 40, 64, 96];
export const OWN_SIDE = 48;

/** @param hidden numbers between the two dense layers: 48 × hidden weights. */
export function smallNetwork(seed = 1, hidden = 16): Backbone {
  const maker = new BackboneMaker(seed, OWN_SIDE, OWN_SIDE, 3);
  const point = { stride: 1, padding: [0, 0, 0, 0] as Padding, activation: 'none' as const };
  const half = { stride: 2, padding: [0, 1, 0, 1] as Padding, activation: 'relu6' as const };
  const same = { stride: 1, padding: [1, 1, 1, 1] as Padding, activation: 'hard-swish' as const };
  maker
    .conv('stem', 'input', [3, 3, 3, 12], half, 0.01)
    .conv('b0.expand', 'stem', [1, 1, 12, 30], { ...point, activation: 'relu6' }, 0.3)
    .depthwise('b0.dw', 'b0.expand', [3, 3, 30], half)
    .conv('b0.project', 'b0.dw', [1, 1, 30, 20], point, 0.2)
    .conv('b1.expand', 'b0.project', [1, 1, 20, 44], { ...point, activation: 'hard-swish' }, 0.2)
    .depthwise('b1.dw', 'b1.expand', [3, 3, 44], same, 0.3)
    .squeezeExcite('b1.se', 'b1.dw', 44, 8)
    .conv('b1.project', 'b1.se', [1, 1, 44, 20], point, 0.2)
    .add('b1.sum', 'b1.project', 'b0.project')
    .conv('last', 'b1.sum', [1, 1, 20, 40], { ...point, activation: 'relu' }, 0.3)
    .mean('pool', 'last')
    .dense('hidden', 'pool', [40, hidden], 'relu')
    .dense('out', 'hidden', [hidden, 8], 'none');
  const taps = [
    { step: 'b0.project', channels: 20 },
    { step: 'b0.project', channels: 20, statistic: 'deviation' as const },
    { step: 'b1.dw', channels: 44 },
    { step: 'b1.sum', channels: 20, statistic: 'deviation' as const },
    { step: 'last', channels: 40 },
    { step: 'out', channels: 8 },
  ];
  return maker.load(taps, SIDES);
}
