import { describe, expect, it } from 'vitest';
import { ACTIVATION_TABLE, ACTIVATIONS } from '../../../src/backbone/activations.ts';

const INPUTS = [-4, -3, -1.5, 0, 1.5, 3, 6, 7.5];

describe('The definition of', () => {
  it.each([
    ['none', INPUTS],
    ['relu', [0, 0, 0, 0, 1.5, 3, 6, 7.5]],
    ['relu6', [0, 0, 0, 0, 1.5, 3, 6, 6]],
    ['hard-swish', [0, 0, -0.375, 0, 1.125, 3, 6, 7.5]],
    ['hard-sigmoid', [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]],
  ] as const)('%s', (name, outputs) => {
    expect(INPUTS.map((x) => ACTIVATION_TABLE[name].value(x) + 0)).toEqual(outputs);
  });
});

describe('The table of activations', () => {
  it('gives each a number of its own', () => {
    expect(new Set(ACTIVATIONS.map((name) => ACTIVATION_TABLE[name].kernel)).size).toBe(ACTIVATIONS.length);
  });

  it.each(ACTIVATIONS)('has bounds of %s only where it clips to them', (name) => {
    const { clip, value } = ACTIVATION_TABLE[name];
    if (clip === undefined) return;
    expect(INPUTS.map((x) => Math.min(Math.max(x, clip.low), clip.high) + 0)).toEqual(
      INPUTS.map((x) => value(x) + 0),
    );
  });
});
