/** Reproducible random data for the tests of learning. */
import type { TrainingSet } from '../../../src/learn/ridge/train.ts';

export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Roughly normal: the sum of twelve uniforms. */
export function normal(random: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

export const BACKBONE = { name: 'random', version: '1', weightsSha256: 'ab'.repeat(32) };

/** Classes around means of their own; `counts` examples each. */
export function randomSet(
  seed: number,
  counts: readonly number[],
  codeLength: number,
  apart = 1,
): TrainingSet {
  const random = generator(seed);
  const means = counts.map(() => Float64Array.from({ length: codeLength }, () => apart * normal(random)));
  const targets = Uint16Array.from(counts.flatMap((count, c) => Array.from({ length: count }, () => c)));
  const codes = new Float16Array(targets.length * codeLength);
  targets.forEach((target, i) => {
    for (let d = 0; d < codeLength; d++)
      codes[i * codeLength + d] = means[target][d] + normal(random) * (1 + (d % 3));
  });
  return { backbone: BACKBONE, taps: ['all'], labels: counts.map((_, c) => `class ${c}`), codes, targets };
}
