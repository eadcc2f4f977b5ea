/** How pictures reach the backbone of a head: of a new one, and of one that is there. */
import { DEFAULT_BACKBONE, DEFAULT_INPUT } from '../backbone/defaults.ts';
import type { Plan } from '../backbone/plan.ts';
import type { Head, PictureInput } from './head.ts';

/**
 * Side of new heads' pictures where the backbone allows it: the largest whose whole request costs the edge at most twice
 * what the MobileNet's did (docs/performance.md).
 */
const DEFAULT_SIDE = 160;

/** @param plan of the backbone in its own size. @returns what the pictures of a new head are made into by default. */
export function defaultInput({ name, input }: Plan): PictureInput {
  if (name === DEFAULT_BACKBONE) return DEFAULT_INPUT;
  const { height, width, sides = [] } = input;
  const size = sides.includes(DEFAULT_SIDE)
    ? { height: DEFAULT_SIDE, width: DEFAULT_SIDE }
    : { height, width };
  return { ...size, rules: 2 };
}

/** @param plan of the head's backbone in its own size. @returns what the head's pictures are made into. */
export function inputOf({ input }: Pick<Head, 'input'>, plan: Plan): PictureInput {
  return input ?? { height: plan.input.height, width: plan.input.width, rules: 1 };
}
