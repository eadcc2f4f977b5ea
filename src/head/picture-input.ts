/** How images reach the backbone: for a new head, for an existing one, and whether two ways are the same. */
import { DEFAULT_INPUT } from '../backbone/defaults.ts';
import { allowsSize } from '../backbone/at-size.ts';
import type { Plan } from '../backbone/plan.ts';
import type { Head, PictureInput } from './head.ts';

/**
 * The input of a new head: the default where the backbone supports its size, else the backbone's own size.
 * @param plan of the backbone in its own size.
 */
export function defaultInput(plan: Plan): PictureInput {
  const { height, width } = allowsSize(plan, DEFAULT_INPUT) ? DEFAULT_INPUT : plan.input;
  return { height, width, rules: DEFAULT_INPUT.rules };
}

/** @param plan of the head's backbone in its own size. @returns the head's input. */
export function inputOf({ input }: Pick<Head, 'input'>, plan: Plan): PictureInput {
  return input ?? { height: plan.input.height, width: plan.input.width, rules: 1 };
}

/** Absent inputs, as in old head files, are the same if the backbone is. */
export function sameInput(a: PictureInput | undefined, b: PictureInput | undefined): boolean {
  return a?.height === b?.height && a?.width === b?.width && a?.rules === b?.rules;
}
