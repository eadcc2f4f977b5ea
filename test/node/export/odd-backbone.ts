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
      { step: 'dense', channels: 4 },
      { step: 'early', channels: 3 },
      { step: 'colour', channels: 3 },
    ]);
}
