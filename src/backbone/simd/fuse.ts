/** Finds the steps of a plan that the one before them can do on the way. */
import type { AddStep, DepthwiseStep, Step } from '../plan.ts';
import { readersOf } from '../readers.ts';

/** The index of what the plan's steps read and none of them writes: the map that a tail begins with. */
const BEFORE = -1;

/**
 * Adds that follow one of their operands' convolutions, which nothing else reads, and whose other operand is older.
 * @param written the names of the steps whose output has to exist: taps read it, or the host.
 * @returns them by that convolution's name.
 */
export function findFusedAdds(steps: readonly Step[], written: ReadonlySet<string>): Map<string, AddStep> {
  const fused = new Map<string, AddStep>();
  const indexOf = new Map(steps.map((step, index) => [step.name, index]));
  for (const add of steps) {
    if (add.op !== 'add' || add.input === 'input' || add.other === 'input' || add.input === add.other)
      continue;
    const newer = Math.max(indexOf.get(add.input) ?? BEFORE, indexOf.get(add.other) ?? BEFORE);
    if (newer === BEFORE) continue;
    const conv = steps[newer];
    if (conv.op !== 'conv' || conv.input === 'input' || onlyReader(conv.name, steps, written) !== add)
      continue;
    fused.set(conv.name, add);
  }
  return fused;
}

/** Depthwise convolutions that alone read a convolution's output, by that convolution's name. @param written as above. */
export function findFusedDepthwise(
  steps: readonly Step[],
  written: ReadonlySet<string>,
): Map<string, DepthwiseStep> {
  const fused = new Map<string, DepthwiseStep>();
  for (const conv of steps) {
    if (conv.op !== 'conv' || conv.input === 'input') continue;
    const reader = onlyReader(conv.name, steps, written);
    if (reader?.op === 'depthwise') fused.set(conv.name, reader);
  }
  return fused;
}

/** The one step that reads an output, if that is all that is ever done with it. */
function onlyReader(name: string, steps: readonly Step[], written: ReadonlySet<string>): Step | undefined {
  const readers = readersOf(steps, name);
  return readers.length === 1 && !written.has(name) ? readers[0] : undefined;
}
