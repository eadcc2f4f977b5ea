/** Finds the steps of a plan that the one before them can do on the way. */
import type { AddStep, DepthwiseStep, Step } from '../plan.ts';

/**
 * Adds that follow one of their operands' convolutions, which nothing else reads, and whose other operand is older.
 * @param tapped the names of the steps that taps read.
 * @returns them by that convolution's name.
 */
export function findFusedAdds(steps: readonly Step[], tapped: ReadonlySet<string>): Map<string, AddStep> {
  const fused = new Map<string, AddStep>();
  const indexOf = new Map(steps.map((step, index) => [step.name, index]));
  for (const add of steps) {
    if (add.op !== 'add' || add.input === 'input' || add.other === 'input' || add.input === add.other)
      continue;
    const newer = indexOf.get(add.input)! > indexOf.get(add.other)! ? add.input : add.other;
    const conv = steps[indexOf.get(newer)!];
    if (conv.op !== 'conv' || conv.input === 'input' || onlyReader(newer, steps, tapped) !== add) continue;
    fused.set(newer, add);
  }
  return fused;
}

/** Depthwise convolutions that alone read a convolution's output, by that convolution's name. */
export function findFusedDepthwise(
  steps: readonly Step[],
  tapped: ReadonlySet<string>,
): Map<string, DepthwiseStep> {
  const fused = new Map<string, DepthwiseStep>();
  for (const conv of steps) {
    if (conv.op !== 'conv' || conv.input === 'input') continue;
    const reader = onlyReader(conv.name, steps, tapped);
    if (reader?.op === 'depthwise') fused.set(conv.name, reader);
  }
  return fused;
}

/** The one step that reads an output, if that is all that is ever done with it. */
function onlyReader(name: string, steps: readonly Step[], tapped: ReadonlySet<string>): Step | undefined {
  const readers = steps.filter((step) => readsOf(step).includes(name));
  return readers.length === 1 && !tapped.has(name) ? readers[0] : undefined;
}

/** The names of what a step reads. */
export function readsOf(step: Step): string[] {
  return step.op === 'add' ? [step.input, step.other] : [step.input];
}
