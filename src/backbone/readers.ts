/** What reads what in a plan. */
import type { Padding, Step } from './plan.ts';

/** The names of what a step reads. */
export function readsOf(step: Step): string[] {
  return step.op === 'add' ? [step.input, step.other] : [step.input];
}

/** The steps that read an output. */
export function readersOf(steps: readonly Step[], name: string): Step[] {
  return steps.filter((step) => readsOf(step).includes(name));
}

/** The padding that an output's map lies in: the most that any reader wants on each side. */
export function paddingFor(steps: readonly Step[], name: string): Padding {
  const most: [number, number, number, number] = [0, 0, 0, 0];
  for (const reader of readersOf(steps, name)) {
    if (reader.op !== 'conv' && reader.op !== 'depthwise') continue;
    for (const [side, padding] of reader.padding.entries()) most[side] = Math.max(most[side], padding);
  }
  return most;
}

export function samePadding(a: Padding, b: Padding): boolean {
  return a.every((side, index) => side === b[index]);
}
