/** A small random network for the tests of fine-tuning. */
import type { Backbone } from '../../../src/backbone/index.ts';
import { BackboneMaker } from '../backbone/random.ts';

/** A network with every kind of step and activation, cut behind its first. */
export function smallBackbone(seed: number): Backbone {
  const same = { stride: 1, padding: [1, 1, 1, 1] as const };
  const pointwise = { stride: 1, padding: [0, 0, 0, 0] as const };
  return new BackboneMaker(seed, 12, 12, 3)
    .conv('stem', 'input', [3, 3, 3, 8], { ...same, stride: 2, activation: 'hard-swish' }, 0.01)
    .conv('expand', 'stem', [1, 1, 8, 12], { ...pointwise, activation: 'hard-swish' })
    .depthwise('depthwise', 'expand', [3, 3, 12], { ...same, activation: 'relu6' })
    .squeezeExcite('gate', 'depthwise', 12, 4)
    .conv('project', 'gate', [1, 1, 12, 8], { ...pointwise, activation: 'none' })
    .add('add', 'project', 'stem')
    .conv('spatial', 'add', [3, 3, 8, 10], { ...same, stride: 2, activation: 'relu' })
    .depthwise('last', 'spatial', [3, 3, 10], { ...same, stride: 2, activation: 'hard-sigmoid' })
    .load([
      { step: 'depthwise', channels: 12 },
      { step: 'last', channels: 10 },
    ]);
}
