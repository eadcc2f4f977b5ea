/** Random networks that run on integers, the same on every host. */
import type { Backbone } from '../../../src/backbone/index.ts';
import type { Activation, Padding, Statistic } from '../../../src/backbone/plan.ts';
import { BackboneMaker, between } from './random.ts';
import { referenceOutputs } from './reference.ts';

interface Tap {
  readonly name: string;
  readonly step: string;
  readonly channels: number;
  readonly statistic?: Statistic;
}

/** With ranges that the picture reaches, more or less: some numbers are beyond them. */
export function onIntegers(
  maker: BackboneMaker,
  pixels: Uint8Array,
  taps: readonly Tap[],
  wide: readonly string[] = [],
): Backbone {
  const ranges = new Map<string, readonly [number, number]>();
  for (const [name, { values }] of referenceOutputs(maker.load([...taps]), pixels)) {
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    ranges.set(name, [low * (0.8 + maker.next() * 0.4), high * (0.8 + maker.next() * 0.4) + 0.01]);
  }
  return maker.onIntegers(ranges, wide).load([...taps]);
}

export function meanAndDeviation(step: string, channels: number): Tap[] {
  return [
    { name: `${step}.mean`, step, channels },
    { name: `${step}.deviation`, step, channels, statistic: 'deviation' },
  ];
}

export const NO_PADDING: Padding = [0, 0, 0, 0];

export function randomPadding(maker: BackboneMaker, most: number): Padding {
  const side = (): number => between(maker.next, 0, most);
  return [side(), side(), side(), side()];
}

/** A small network with everything that an 8-bit one may have: layers of 16 bits, expansions, adds, a mean, a dense layer. */
export function smallNetwork(seed: number, pixels: Uint8Array, side: number): Backbone {
  const maker = new BackboneMaker(seed, side, side, 3);
  const relu6: Activation = 'relu6';
  const point = { stride: 1, padding: NO_PADDING, activation: 'none' as const };
  const around = { stride: 1, padding: [1, 1, 1, 1] as Padding, activation: relu6 };
  const wider = { stride: 1, padding: [2, 2, 2, 2] as Padding, activation: relu6 };
  const halved = { stride: 2, padding: [0, 1, 0, 1] as Padding, activation: relu6 };
  maker
    .conv('stem', 'input', [3, 3, 3, 20], halved, 0.02)
    .depthwise('dw0', 'stem', [3, 3, 20], around)
    .conv('project0', 'dw0', [1, 1, 20, 12], point, 0.4)
    .conv('expand1', 'project0', [1, 1, 12, 40], { ...point, activation: relu6 }, 0.5)
    .depthwise('dw1', 'expand1', [3, 3, 40], halved)
    .conv('project1', 'dw1', [1, 1, 40, 18], point, 0.3)
    .conv('expand2', 'project1', [1, 1, 18, 50], { ...point, activation: relu6 }, 0.4)
    .depthwise('dw2', 'expand2', [5, 5, 50], wider, 0.5)
    .conv('project2', 'dw2', [1, 1, 50, 18], point, 0.2)
    .add('sum2', 'project2', 'project1')
    .conv('last', 'sum2', [1, 1, 18, 33], { ...point, activation: relu6 }, 0.3)
    .mean('pool', 'last')
    .dense('out', 'pool', [33, 7], 'none');
  const taps = [
    ...meanAndDeviation('sum2', 18),
    ...meanAndDeviation('last', 33),
    { name: 'out', step: 'out', channels: 7 },
  ];
  return onIntegers(maker, pixels, taps, ['stem', 'dw0', 'project0', 'expand1', 'dw1']);
}
